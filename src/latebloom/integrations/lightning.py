"""Lightning: `Trainer(callbacks=[GrokkingCallback()])`, from `lightning` or from `pytorch_lightning`.

It takes what `self.log` collects, when it is collected: what training steps log with `on_step` every
`log_every_n_steps` updates, means over an epoch at its end, validation at the end of validation. Three things that
Lightning does would otherwise be taken for readings: the sanity check before the first step validates an untrained
model; `callback_metrics` goes on showing what was logged long ago; and every process of a distributed run logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .extra import needed
from .follower import Stop
from .names import named
from .recorder import Recorder

_pl = needed(("lightning.pytorch", "pytorch_lightning"), "lightning")


class GrokkingCallback(_pl.Callback):  # type: ignore[name-defined, misc]  # whichever of the two there is
    """Follow a training, say what it shows, and stop it if asked to.

    Its state is in Lightning's checkpoints: a resumed training is judged as one that never stopped.

    Args:
        log, mapping, say: As for `Recorder`.
        stop: As for `Recorder`; the trainer ends at the next opportunity once it holds.

    Attributes:
        recorder: What is known; on all processes but the first it is never told anything.
    """

    def __init__(
        self,
        log: str | Path | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        stop: Stop | None = None,
        **options: Any,
    ) -> None:
        self.recorder = Recorder(log, mapping=mapping, stop=stop, **options)
        self._stops = stop is not None
        self._seen: dict[str, Any] = {}  # what `callback_metrics` showed when we last looked
        self._of_validation: set[str] = set()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Note what is old: Lightning shows the means of the last epoch once more after its end."""
        self._fresh(trainer)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Note what is old."""
        self._fresh(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Take what validation logged."""
        fresh = self._fresh(trainer)
        if not trainer.sanity_checking:
            self._of_validation |= fresh.keys()
            self._log(trainer, "val", fresh)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Take what the step logged, as often as Lightning's loggers do."""
        if trainer.log_every_n_steps and trainer.global_step % trainer.log_every_n_steps == 0:
            fresh = self._fresh(trainer)  # what has a mean over the epoch to come is shown as `x_step` and as `x`
            self._log(trainer, "train", {name: fresh[name] for name in fresh if f"{name}_step" not in fresh})
            self._stop(trainer, trainer.global_step)  # of this step a validation may follow

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take what became of the epoch. Validation at its end came before, at the same step."""
        self._log(trainer, "train", self._fresh(trainer))
        self._stop(trainer)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Say what the training shows."""
        self.recorder.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """The same, of what there is."""
        self.recorder.close()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return self.recorder.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.recorder.load_state_dict(state_dict)

    def _fresh(self, trainer: Any) -> dict[str, Any]:
        """What was logged since we last looked. Every process must look: a mean over all of them is made by looking."""
        now = dict(trainer.callback_metrics)
        fresh = {name: value for name, value in now.items() if value is not self._seen.get(name)}
        self._seen = now
        return fresh

    def _log(self, trainer: Any, split: str, fresh: Mapping[str, Any]) -> None:
        if split == "train":  # another callback may have made Lightning show validation anew
            fresh = {name: value for name, value in fresh.items() if name not in self._of_validation}
        if trainer.is_global_zero:
            self.recorder.log(trainer.global_step, named(split, fresh))

    def _stop(self, trainer: Any, before: int | None = None) -> None:
        if self._stops:  # decided by the first process, for all of them
            is_over = trainer.is_global_zero and self.recorder.why_stop(before) is not None
            trainer.should_stop = trainer.should_stop or trainer.strategy.broadcast(is_over)
