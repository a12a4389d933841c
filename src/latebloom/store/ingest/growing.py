"""A log that grows: read on where it has grown, and from the beginning where that is not enough.

CSV, JSON Lines and text are read on once they are longer than what a look may read again, TensorBoard's event files
from the first look on. Whole formats (JSON, NumPy), packed files and folders of several files are read again. A file
that was written anew (shorter, or with another beginning, or other bytes before the place read to) is read anew.
"""

from __future__ import annotations

from pathlib import Path

from ...base.errors import ChooseError, DataError, LatebloomError
from .. import durable
from ..tensorboard import ScalarReader, Scalars, event_files, find_runs
from .event_folder import read_events
from .file import Reader, raw_of_reader, reader_for
from .lines import Lines
from .log import ForeignLog, Report
from .packed import is_packed
from .read import checked, is_folder, read_log
from .sniff import format_of
from .understand import understand

AGAIN_BYTES = 1 << 16  # a log that is no longer is read again at each look: its format may not be clear yet
_PROOF_BYTES = 1 << 10  # at the beginning and before the place read to, compared at each look


class GrowingLog:
    """A log and how much of it was read."""

    def __init__(self, path: Path | str, mapping: dict[str, str] | None = None, format_: str | None = None) -> None:
        self._path, self._mapping, self._format = Path(path), dict(mapping or {}), format_
        self._size = -1
        self._log: ForeignLog | None = None
        self._is_waiting = False  # something behind the last line end was not read yet
        self._begin()

    def look(self) -> tuple[bool, ForeignLog | None]:
        """Whether the log has grown since the last look, and what it is now; None if there is nothing yet.

        A last line without an end is held back until the log has stopped growing.

        Raises:
            ChooseError: One of several runs or columns has to be chosen.
            StoreError: The disk fails.
        """
        here = self._path.resolve()
        size = _size(here)
        if size == self._size and not self._is_waiting:
            return False, self._log
        has_grown, self._size = size != self._size, size
        try:
            self._log = self._read(here, size, has_grown)
        except ChooseError:
            raise
        except DataError:
            self._log = None  # not enough yet
        except durable.DamageError:
            self._log = None
        return has_grown, self._log

    def _begin(self) -> None:
        self._lines, self._report, self._at = Lines(), Report(), 0
        self._proofs: dict[tuple[int, int], bytes] = {}
        self._reader: Reader | None = None
        self._folders: dict[Path, ScalarReader] = {}

    def _read(self, here: Path, size: int, has_grown: bool) -> ForeignLog:
        self._is_waiting = False
        if (is_folder(here) and find_runs(here)) or "tfevents" in here.name:
            report = Report()
            return understand(self._path, read_events(here, self._mapping, report, self._scalars), self._mapping)
        if is_folder(here):
            return read_log(here, mapping=self._mapping, format=self._format)
        if size <= AGAIN_BYTES and has_grown:
            self._begin()
            self._is_waiting = not _bytes(here, size - 1, size).endswith(b"\n")
            return read_log(here, mapping=self._mapping, format=self._format)
        if self._reader is not None and any(_bytes(here, *place) != was for place, was in self._proofs.items()):
            self._begin()  # written anew
        if self._reader is None:
            packed = is_packed(_bytes(here, 0, 8))
            self._reader = None if packed else reader_for(checked(self._format or format_of(here)), self._report)
            if self._reader is None:
                return read_log(here, mapping=self._mapping, format=self._format)
        for piece in durable.read_chunks(here, self._at, size):
            self._at += len(piece)
            self._reader.feed(self._lines.feed(piece))
        ends = {0: min(self._at, _PROOF_BYTES), max(0, self._at - _PROOF_BYTES): self._at}
        self._proofs = {(start, end): _bytes(here, start, end) for start, end in ends.items()}
        report = self._report.copy()
        ended = self._reader.ended(report, [] if has_grown else self._lines.copy().rest())
        self._is_waiting = has_grown
        return understand(self._path, raw_of_reader(ended, self._mapping, report), self._mapping)

    def _scalars(self, folder: Path) -> Scalars:
        return self._folders.setdefault(folder, ScalarReader(folder)).look()


def _bytes(path: Path, start: int, end: int) -> bytes:
    return b"".join(durable.read_chunks(path, max(0, start), end))


def _size(path: Path) -> int:
    """How many bytes there are, of all event files in a folder, or of all its files; -2 if nothing is there."""
    try:
        if not is_folder(path):
            return durable.size(path)
        runs = find_runs(path)
        files = [file for run in runs.values() for file in event_files(run)]
        files = files or [path / name for name in durable.names(path) if name not in durable.folders(path)]
        return sum(durable.size(file) for file in files) or -2
    except LatebloomError:
        return -2
