"""W&B. Offline unless `WANDB_MODE` says otherwise; every other variable of W&B counts as well."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..base.record import Event
from .extra import needed
from .tracker import TrackedRun

_QUIET = {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}


class Wandb:
    """A run of ours as a run of W&B of the same id, in the project `$WANDB_PROJECT` or `latebloom`."""

    def __init__(self) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        self._wandb = needed(("wandb",), "wandb")

    def start(self, run: TrackedRun) -> str:
        """Begin, or go on."""
        self._run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT", "latebloom"),
            id=run.id,
            name=f"{run.name} seed {run.seed}",
            group=run.study,
            config=run.spec,
            resume="allow" if run.step else None,
            # Of this process there is nothing to see: the training is another one.
            settings=self._wandb.Settings(console="off", x_disable_stats=True, disable_git=True, save_code=False),
        )
        if self._run.settings._offline:
            return f"offline in {self._run.settings.sync_dir}; to upload it: wandb sync {self._run.settings.sync_dir}"
        return str(self._run.url)

    def log(self, step: int, readings: Mapping[str, float]) -> None:
        """Readings under our names."""
        self._run.log(dict(readings), step=step)

    def event(self, event: Event) -> None:
        """In the run's summary: when it happened."""
        self._run.summary[f"{event.kind}_at_step"] = event.step

    def finish(self, status: str) -> None:
        """The end."""
        self._run.summary["status"] = status
        self._run.finish(exit_code=int(status not in ("finished", "interrupted")))
