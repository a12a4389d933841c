"""TensorBoard event files of a run, written while it trains, for those who ask for them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from ..base.errors import StoreError
from ..store import RunWriter
from ..store.tensorboard import EventWriter, event_files

WHERE = "tensorboard"  # key of a run's environment: the folder that `tensorboard --logdir` is given


class EventFiles:
    """Goes on where the run goes on. A failure is noted in the run's journal and never stops the run.

    Args:
        writer: The run; its environment says where the files go, if anywhere.
        past: All readings so far, which a new folder is given first.
    """

    def __init__(self, writer: RunWriter, past: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        self._run = writer
        self._files: EventWriter | None = None
        run, where = writer.run, writer.run.environment.get(WHERE)
        if not where:
            return
        folder = Path(where) / f"{run.name} {run.id[-6:]}"
        try:
            begun = bool(event_files(folder))
            first_step = past[-1][0] + 1 if past and begun else 0
            self._files = EventWriter(folder, wall_time=time.time(), first_step=first_step)
        except StoreError as error:
            self._give_up(error)
            return
        for step, readings in () if begun else past:
            self.append(step, readings)

    def append(self, step: int, readings: Mapping[str, float]) -> None:
        """What was read at `step`."""
        try:
            if self._files:
                self._files.append(step, readings, time.time())
        except StoreError as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file; again is fine."""
        if self._files:
            self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _give_up(self, error: StoreError) -> None:
        self.close()
        self._files = None
        self._run.note("notice", text=f"No more TensorBoard event files: {error}")
