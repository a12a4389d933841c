"""Our runs for TensorBoard: one event file for each stretch of training, which only grows."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ...base.errors import StoreError
from .. import durable
from ..read import StoredRun
from . import event
from .files import event_files, stamp
from .frame import frame
from .names import tag_of


class EventWriter:
    """An event file, open for appending; a TensorBoard that is running follows it.

    A resumed run goes on in a file of its own, which begins by telling TensorBoard from which step on everything
    in the earlier files is void. TensorBoard's fast loader (`--load_fast`, its default) does not listen to that: it
    drops the void points of a tag when the next point of the same tag comes.

    Args:
        folder: The run's folder; made if it is not there.
        wall_time: Now, in Unix seconds. The file is named after it, or after a later second: a later file of a folder
            has the larger name, because TensorBoard reads them in that order.
        first_step: The first step that will be written; 0 for a new run, the last step that stands plus 1 for a
            resumed one.
        tag_of: From the name of a reading to its tag.

    Attributes:
        path: The file.

    Raises:
        StoreError: The file cannot be made.
    """

    def __init__(
        self, folder: Path, *, wall_time: float, first_step: int = 0, tag_of: Callable[[str], str] = tag_of
    ) -> None:
        durable.make_folder(folder)
        earlier = event_files(folder)
        second = max([int(wall_time), *(stamp(file.name) + 1 for file in earlier)])
        host = re.sub(r"[^0-9A-Za-z-]", "-", socket.gethostname())[:64] or "host"
        self.path = folder / f"events.out.tfevents.{second:010d}.{host}.{os.getpid()}.{len(earlier)}"
        self._tag_of = tag_of
        self._log = durable.Log(self.path)
        try:
            self._log.append(frame(event.version(wall_time)) + frame(event.start(first_step, wall_time)))
        except BaseException:
            self._log.close()
            raise

    def append(self, step: int, readings: Mapping[str, float], wall_time: float) -> None:
        """Add what was read at `step`; TensorBoard sees all of it or nothing.

        Raises:
            StoreError: It cannot be written; the same call can be repeated.
        """
        if readings:
            tagged = ((self._tag_of(name), value) for name, value in readings.items())
            self._log.append(frame(event.scalars(step, tagged, wall_time)))

    def close(self) -> None:
        """Close the file; again is fine."""
        self._log.close()


def export(run: StoredRun, folder: Path) -> Path:
    """Write all readings of a stored run as one event file, and return its path.

    When each was read is not stored: every point has the time at which the run was created, so that only the steps
    say something, not the wall time.

    Raises:
        StoreError: The folder has event files, which TensorBoard would take for the same run; the run's time of
            creation is damaged; or the file cannot be written.
    """
    if event_files(folder):
        raise StoreError(f"{folder} has event files already, and TensorBoard takes a folder for one run. Use another.")
    created = _unix(run)
    writer = EventWriter(folder, wall_time=created)
    try:
        for step, readings in run.records():
            writer.append(step, readings, created)
    except BaseException:
        with suppress(StoreError):
            durable.remove(writer.path)
        raise
    finally:
        writer.close()
    return writer.path


def _unix(run: StoredRun) -> float:
    try:
        created = datetime.fromisoformat(run.created_at)
    except ValueError as error:
        raise StoreError(f"Run {run.id} was created at {run.created_at!r}, which is no time in ISO 8601.") from error
    return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp()
