"""Keras 3, on any backend: `model.fit(..., callbacks=[GrokkingCallback()])`.

Set `KERAS_BACKEND`, e.g. to `torch`, before anything imports Keras. What Keras calls the training accuracy of an epoch
is a mean over its batches, each taken before its update, with dropout: give `probe`, some training examples, and they
are evaluated at the weights that validation saw. What Keras hands over after a batch is a mean since the epoch began,
no reading of that batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .extra import needed
from .follower import Stop
from .names import named
from .recorder import Recorder

_keras = needed(("keras",), "keras")


class GrokkingCallback(_keras.callbacks.Callback):  # type: ignore[name-defined, misc]
    """Follow a training, say what it shows, and stop it if asked to.

    Steps are the optimizer's, `optimizer.iterations`: they go on where a model is fitted a second time, or loaded.

    Args:
        log, mapping, say: As for `Recorder`.
        stop: As for `Recorder`; the training ends with the epoch in which it holds.
        probe: Training examples as `(inputs, labels)`, one batch.

    Attributes:
        recorder: What is known.
    """

    def __init__(
        self,
        log: str | Path | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        stop: Stop | None = None,
        probe: tuple[Any, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.recorder = Recorder(log, mapping=mapping, stop=stop, **options)
        self.probe = probe

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Take what became of the epoch."""
        step = int(self.model.optimizer.iterations)
        readings = named("train", dict(logs or {}))
        if self.probe is not None:
            # Not `evaluate`: on torch it makes a loader, which draws from the generator that dropout draws from.
            self.model.reset_metrics()
            found = self.model.test_on_batch(*self.probe, return_dict=True)
            self.model.reset_metrics()
            readings |= {f"train/{name}": value for name, value in found.items()}
        self.recorder.log(step, readings)
        if self.recorder.why_stop() is not None:
            self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Say what the training shows."""
        self.recorder.close()
