"""A folder of TensorBoard event files as columns; what Keras and PyTorch spread over folders is put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..tensorboard import Scalars, find_runs, read_scalars
from .log import Report
from .names import meaning_of, split_of, words_of
from .runs import choose
from .series import Raw, Series

_FORMAT = "TensorBoard event files"


def read_events(
    path: Path, mapping: Mapping[str, str], report: Report, read: Callable[[Path], Scalars] = read_scalars
) -> Raw:
    """The scalars of one run, below a folder or in one event file.

    Args:
        path: The folder or file.
        mapping: Names the run, if there are several.
        report: What becomes of them is told here.
        read: Reads a folder, for those who have read a part of it before.

    Raises:
        StoreError: No event file can be read.
        DataError: There are several runs and none was chosen.
    """
    if path.is_file():
        return Raw(_FORMAT, "step", _scalars(read(path), "", report), report)
    folders = find_runs(path)
    parts = _parts(folders)
    run = choose(list(parts), mapping, str(path)) if len(parts) > 1 else next(iter(parts), "")
    if len(parts) > 1:
        report.notes.append(f"Of {len(parts):,} runs, {run!r} is read.")
    series = dict[str, Series]()
    for folder, prefix in parts.get(run, {path: ""}).items():
        for tag, one in _scalars(read(folder), prefix, report).items():
            series.setdefault(tag, one)
    return Raw(_FORMAT, "step", series, report)


def _parts(folders: Mapping[str, Path]) -> dict[str, dict[Path, str]]:
    """Folders by run: one called after examples (`train`, `Loss_validation`) belongs to the run above it."""
    parts = dict[str, dict[Path, str]]()
    for name, folder in folders.items():
        above, _, last = name.rpartition("/")
        meaning = meaning_of(last)
        if meaning and meaning.split and not meaning.rank[0]:  # and not `wd1_train_frac0.3`, which is a run
            parts.setdefault(above or ".", {})[folder] = meaning.split
        else:
            parts.setdefault(name, {})[folder] = ""
    return parts


def _scalars(scalars: Scalars, prefix: str, report: Report) -> dict[str, Series]:
    report.notes += [said for said in scalars.report if not said.startswith(("left out", "Left out"))][:1]
    report.dropped += scalars.report[1:]
    return {
        f"{prefix}/{tag}" if prefix and not _names_split(tag) else tag: Series(curve.steps, curve.values)
        for tag, curve in scalars.curves.items()
    }


def _names_split(tag: str) -> bool:
    return any(split_of(word) for word in words_of(tag))
