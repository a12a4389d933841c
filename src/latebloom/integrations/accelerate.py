"""accelerate: `Accelerator(log_with=[GrokkingTracker()])`, alone or beside other trackers.

    accelerator.init_trackers("my project")
    accelerator.log({"train_acc": ..., "test_acc": ...}, step=step)
    accelerator.end_training()

A resumed training is judged as one that never stopped if the tracker is in its checkpoints:
`accelerator.register_for_checkpointing(tracker)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .extra import needed
from .follower import Stop
from .recorder import Recorder

_tracking = needed(("accelerate.tracking",), "accelerate")


class GrokkingTracker(_tracking.GeneralTracker):  # type: ignore[name-defined, misc]
    """Follow a training and say what it shows. It runs on the main process alone.

    Args:
        log, mapping, stop, say: As for `Recorder`; ask `tracker.recorder.why_stop()` whether to end the loop.

    Attributes:
        recorder: What is known.
    """

    name = "latebloom"
    requires_logging_directory = False
    main_process_only = True

    def __init__(
        self,
        log: str | Path | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        stop: Stop | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.recorder = Recorder(log, mapping=mapping, stop=stop, **options)
        self._last = -1

    @property
    def tracker(self) -> Recorder:
        """What accelerate hands out as the tracker itself."""
        return self.recorder

    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        """Settings decide nothing here."""

    def log(self, values: Mapping[str, Any], step: int | None = None, **_: Any) -> None:
        """Take what was measured. accelerate allows calls without a step: each of them counts as the next one."""
        self._last = self._last + 1 if step is None else int(step)
        self.recorder.log(self._last, values)

    def finish(self) -> None:
        """Say what the training shows."""
        self.recorder.close()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {**self.recorder.state_dict(), "last": self._last}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.recorder.load_state_dict(state_dict)
        self._last = state_dict["last"]
