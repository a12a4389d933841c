"""Other people's TensorBoard folders: every scalar in them, and a report of what was not one or could not be used."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.errors import StoreError
from ...base.record import Curve
from .. import durable
from ..durable import DamageError
from .event import parse
from .files import event_files, find_runs
from .frame import LONGEST_RECORD_BYTES, RECORD_BYTES, Flaw, scan

MOST_TAGS = 100_000
LONGEST_TAG = 500  # characters

_FLAWS = {
    "torn": "left out {bytes} at the end, an incomplete record, as in a file that is being written",
    "length": "left out {bytes} at the end: the length of a record is damaged, so that nothing after it can be found",
    "checksum": "left out {records} with a wrong checksum",
    "no event": "left out {records} without an event",
    "long": f"stepped over {{records}} of more than {LONGEST_RECORD_BYTES:,} bytes",
}

_UNFINISHED = ("torn", "length")  # at the end of a file


class Scalars(NamedTuple):
    """What a folder holds."""

    curves: dict[str, Curve]  # by tag, or by reading if `ingest.as_readings` made it
    report: list[str]  # sentences: what was read, what was left out, and why


def read_scalars(path: Path) -> Scalars:
    """Every scalar of one event file, or of a folder with event files: one run, however often it was resumed.

    Where steps go back, what was written later is what counts, as in TensorBoard: a value takes the place of all
    values of its tag at its step or a later one, and the start of a stretch (SessionLog START) those of all tags.

    Takes 24 bytes of memory for each scalar, and one record of at most `LONGEST_RECORD_BYTES`.

    Args:
        path: An event file, complete or still being written, or a folder.

    Raises:
        StoreError: It is missing or no regular file, or the disk fails; a folder has no event file in it. Damage in a
            file is no error: what its checksums vouch for is returned, and the report tells of the rest.
    """
    return ScalarReader(path).look()


class _Column(NamedTuple):
    """All scalars of one tag, in the order written."""

    steps: array[int]
    values: array[float]
    stretches: array[int]  # how many starts came before

    def curve(self, bounds: NDArray[np.int64]) -> Curve:
        """What stands. `bounds` are, by stretch, the least step at which a later one starts."""
        steps, values = np.frombuffer(self.steps, np.int64), np.frombuffer(self.values, np.float64)
        stretches = np.frombuffer(self.stretches, np.int64)
        stands = np.ones(len(steps), np.bool_)
        stands[:-1] = steps[:-1] < _least_from_here(steps)[1:]
        earlier = stretches < len(bounds)
        stands[earlier] &= steps[earlier] < bounds[stretches[earlier]]
        return Curve(steps[stands], values[stands])


def _least_from_here(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.minimum.accumulate(numbers[::-1])[::-1]


class ScalarReader:
    """The scalars of an event file or a folder, read on where it has grown since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin()

    def _begin(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._starts = array("q")
        self._counts: Counter[str] = Counter()
        self._at: dict[Path, int] = {}  # how far each file was read
        self._flaws: dict[Path, dict[Flaw | str, list[int]]] = {}  # of each file: how often, and bytes lost

    def look(self) -> Scalars:
        """What there is now. Raises as `read_scalars`."""
        try:
            files = event_files(self._path)
        except DamageError:
            files = [self._path]  # no folder
        if not files:
            runs = ", ".join(list(find_runs(self._path))[:5])
            below = f" These folders in it have some: {runs}." if runs else " Their names contain 'tfevents'."
            raise StoreError(f"{self._path} has no TensorBoard event files.{below}")
        if not self._only_appended(files):
            self._begin()
        damaged = list[str]()
        for file in files:
            try:
                self._read(file)
            except DamageError as error:
                if len(files) == 1:
                    raise
                damaged.append(f"{error} It was not read to its end.")
        return self._scalars(len(files), damaged)

    def _only_appended(self, files: list[Path]) -> bool:
        """Whether nothing but the end is new: the order in which readings were written decides which of them stand."""
        known = list(self._at)
        if files[: len(known)] != known:
            return False
        sizes = [durable.size(file) for file in known]
        lost = [sum(self._flaws[file].get(flaw, (0, 0))[1] for flaw in _UNFINISHED) for file in known]
        read = [self._at[file] for file in known]
        if any(size < at for size, at in zip(sizes, read, strict=True)):
            return False
        return all(size <= at + left for size, at, left in zip(sizes[:-1], read[:-1], lost[:-1], strict=True))

    def _read(self, file: Path) -> None:
        at, flaws = self._at.setdefault(file, 0), self._flaws.setdefault(file, {})
        for flaw in _UNFINISHED:
            flaws.pop(flaw, None)  # what was torn at the last look may be complete by now
        for found in scan(file, at):
            if found.data is not None:
                self._at[file] += RECORD_BYTES + len(found.data)
                self._event(found.data, flaws)
                continue
            if found.flaw not in _UNFINISHED:
                self._at[file] += found.lost_bytes
            _count(flaws, found.flaw, found.lost_bytes)

    def _event(self, data: bytes, flaws: dict[Flaw | str, list[int]]) -> None:
        try:
            event = parse(data)
        except DamageError:
            _count(flaws, "no event", 0)
            return
        self._counts["records"] += 1
        self._counts["skipped"] += event.skipped
        if event.is_start:
            self._starts.append(event.step)
        for tag, value in event.scalars:
            self._add(tag, event.step, value)

    def _add(self, tag: str, step: int, value: float) -> None:
        column = self._columns.get(tag)
        if column is None:
            if len(self._columns) >= MOST_TAGS or len(tag) > LONGEST_TAG:
                self._counts["refused"] += 1
                return
            column = self._columns[tag] = _Column(array("q"), array("d"), array("q"))
        column.steps.append(step)
        column.values.append(value)
        column.stretches.append(len(self._starts))

    def _scalars(self, files: int, damaged: list[str]) -> Scalars:
        bounds = _least_from_here(np.array(self._starts, np.int64))
        curves = {tag: column.curve(bounds) for tag, column in self._columns.items()}
        curves = {tag: curve for tag, curve in curves.items() if len(curve.steps)}
        standing = sum(len(curve.steps) for curve in curves.values())
        void = sum(len(column.steps) for column in self._columns.values()) - standing
        skipped, refused = self._counts["skipped"], self._counts["refused"]
        told = [
            f"{_some(files, 'file')}, {_some(self._counts['records'], 'record')}, {_some(standing, 'scalar')}, "
            f"{_some(len(curves), 'tag')}.",
            *(_told(file, flaw, *lost) for file, flaws in self._flaws.items() for flaw, lost in flaws.items()),
            *damaged,
        ]
        if void:
            told.append(
                f"Left out {_some(void, 'scalar')} from before the run went back to their step or an earlier one."
            )
        if skipped:
            told.append(f"Skipped {_some(skipped, 'value')} other than scalars.")
        if refused:
            told.append(
                f"Left out {_some(refused, 'scalar')} of tags beyond the first {MOST_TAGS:,} or of more than "
                f"{LONGEST_TAG:,} characters."
            )
        return Scalars(curves, told)


def _count(flaws: dict[Flaw | str, list[int]], flaw: Flaw | str, lost_bytes: int) -> None:
    often, lost = flaws.get(flaw, (0, 0))
    flaws[flaw] = [often + 1, lost + lost_bytes]


def _told(file: Path, flaw: str, often: int, lost_bytes: int) -> str:
    amount = {"records": _some(often, "record"), "bytes": _some(lost_bytes, "byte")}
    return f"{file.name}: {_FLAWS[flaw].format(**amount)}."


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
