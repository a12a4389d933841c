"""After a kill or a power cut: find the newest checkpoint that is whole, and cut the logs back to it.

What comes after it in the logs will be computed again, bit for bit; it is kept aside, never deleted. Being killed
in here is harmless: every step leaves a folder from which the next recovery starts over.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..base.errors import StoreError
from . import checkpoints, durable, jsonl, layout
from .checkpoints import Manifest
from .durable import DamageError, Log


class Logs(NamedTuple):
    """The open logs of a run."""

    readings: Log
    events: Log
    arrays: Log  # whose file is made with its first line
    journal: Log

    @property
    def counted(self) -> dict[str, Log]:
        """Those that a checkpoint knows the length of, by their names in its manifest."""
        return {"readings": self.readings, "events": self.events, "arrays": self.arrays}


class Recovery(NamedTuple):
    """What a writer starts from."""

    newest: tuple[int, dict[str, bytes]] | None  # step and files of the newest good checkpoint
    last_step: int  # of the readings and arrays that stand, -1 if there are none
    notices: list[str]  # what was done, in words


def recover(run: Path, logs: Logs) -> Recovery:
    """Bring a run folder into the state of its newest good checkpoint, or of a run not yet begun.

    The caller holds the run's lock.

    Raises:
        StoreError: The disk fails, or a branch has no checkpoint left. Other damage is dealt with; a failing disk is
            not taken for damage.
    """
    notices: list[str] = []
    _sweep(run, layout.TEMPORARY)
    _sweep(run / layout.CHECKPOINTS, layout.TEMPORARY)
    _sweep(run / layout.CHECKPOINTS, layout.DELETED)
    _repair_journal(run, logs.journal, notices)
    found = _newest_good(run, logs, notices)
    parent = jsonl.read_one(run / layout.RUN).get("parent")
    if found is None and parent:
        raise StoreError(
            f"Run {run.name} began at step {parent['step']:,} of run {parent['run']}, and none of its checkpoints is "
            "whole: its seed cannot give it again. Branch anew: latebloom checkpoints rollback "
            f"{parent['run']} {parent['step']}"
        )
    durable.make_folder(run / layout.CHECKPOINTS)
    durable.sync_folder(run / layout.CHECKPOINTS)  # a name that a kill left unsynced becomes lasting before it is used
    step, offsets = (found[0].checkpoint.step, found[0].log_offsets) if found else (0, dict[str, int]())
    for name, log in logs.counted.items():
        if _set_aside(run, log, offsets.get(name, 0), f"{name}-after-{step:09d}", notices):
            notices.append(f"{log.path.name} was cut back to step {step}; what came after it will be computed again.")
    last_step = max(_last_step(log, notices) for log in (logs.readings, logs.arrays))
    return Recovery((step, found[1]) if found else None, last_step, notices)


def _newest_good(run: Path, logs: Logs, notices: list[str]) -> tuple[Manifest, dict[str, bytes]] | None:
    known = checkpoints.steps(run)
    for step in reversed(known):
        try:
            manifest, blobs = checkpoints.load(run, step)
            _check_reach(manifest, logs)
        except DamageError as error:
            aside = checkpoints.quarantine(run, step)
            notices.append(f"The checkpoint at step {step} is damaged and was moved to {aside}: {error}")
        else:
            return manifest, blobs
    if known:
        notices.append("No checkpoint is whole: the run starts over from its seed, which gives the same bits.")
    return None


def _check_reach(manifest: Manifest, logs: Logs) -> None:
    """A checkpoint counts only if the logs it was saved with are still there."""
    for name, log in logs.counted.items():
        offset = manifest.log_offsets.get(name)
        if not isinstance(offset, int) or not 0 <= offset <= log.size:
            raise DamageError(f"{log.path} is {log.size:,} bytes long; the checkpoint was saved at {offset!r}.")
        if offset and b"".join(durable.read_chunks(log.path, offset - 1, offset)) != b"\n":
            raise DamageError(f"{log.path} has no line that ends at byte {offset:,}, where the checkpoint was saved.")
    until = manifest.log_offsets["readings"]
    lines = jsonl.scan(durable.read_chunks(logs.readings.path, 0, until) if until else ())
    last = max((line.fields.get("step", -1) for line in lines if line.fields is not None), default=-1)
    if last > manifest.checkpoint.step:  # a line before it has gone, and another of the same length took its place
        raise DamageError(f"{logs.readings.path} tells of step {last:,} before byte {until:,}, where it was saved.")


def _repair_journal(run: Path, journal: Log, notices: list[str]) -> None:
    whole = 0
    for line in jsonl.scan(durable.read_chunks(journal.path)):
        whole = line.end
    if _set_aside(run, journal, whole, "journal-torn", notices):
        notices.append("The last line of the journal was torn; it was moved to the quarantine.")


def _last_step(log: Log, notices: list[str]) -> int:
    last = -1
    for line in jsonl.scan(durable.read_chunks(log.path) if log.size else ()):
        if line.fields is None:
            notices.append(f"{log.path.name}: line {line.number} is damaged; its {log.path.stem} are lost.")
        else:
            last = line.fields.get("step", last)
    return last


def _set_aside(run: Path, log: Log, offset: int, stem: str, notices: list[str]) -> bool:
    """Cut a log, after copying what is cut off into the quarantine. Returns whether there was anything."""
    if log.size <= offset:
        return False
    aside = Log(checkpoints.free_name(run, stem, ".jsonl"))
    try:
        for chunk in durable.read_chunks(log.path, offset):
            aside.append(chunk)
        aside.sync()
    finally:
        aside.close()
    durable.sync_folder(aside.path.parent)
    log.cut(offset)
    log.sync()
    return True


def _sweep(folder: Path, prefix: str) -> None:
    """Remove what a killed writer left half done. Only with the lock held: a living writer's looks the same."""
    below = durable.folders(folder)
    for name in durable.names(folder):
        if name.startswith(prefix):
            (durable.remove_tree if name in below else durable.remove)(folder / name)
