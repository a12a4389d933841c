"""The way in: any log, of any format, as a `ForeignLog`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from ...base.errors import DataError, StoreError
from .. import durable
from ..tensorboard import find_runs
from . import json_tree
from .event_folder import read_events
from .file import columns_of
from .folder import read_folder
from .json_runs import raw_of
from .log import ForeignLog, Report
from .sniff import FORMATS, Format, format_of
from .understand import understand


def read_log(path: Path | str, *, mapping: Mapping[str, str] | None = None, format: str | None = None) -> ForeignLog:
    """Read anybody's training log.

    What is intact is read; what is not, and whatever was taken for something else, is told in the result. Nothing that
    is found is run: pickles are refused. Memory is bounded for TensorBoard, CSV, JSON Lines and text.

    Args:
        path: A file, which may be packed (gzip, bzip2, xz, zip), or a folder: of TensorBoard event files, with a log,
            with a file for each curve, or with several runs.
        mapping: Our name -> theirs, e.g. {"val/accuracy": "acc_ema"}. Two keys are special: `step` names the column
            that counts the steps, `run` one of several runs.
        format: One of `tensorboard`, `csv`, `jsonl`, `json`, `npz`, `text`; found out if None.

    Raises:
        DataError: Nothing could be read, or one of several runs has to be chosen; the message says what was found
            instead and what to do.
        StoreError: The file is missing, or the disk fails.

    Example:
        log = read_log("logs/metrics.csv", mapping={"val/accuracy": "acc_holdout"})
        log.curves["val/accuracy"].values[-1], log.dropped
    """
    path, mapping = Path(path), dict(mapping or {})
    here = path.resolve()  # somebody's log may well be a link
    report = Report()
    try:
        if not is_folder(here):
            raw = columns_of(here, checked(format) if format else format_of(here), mapping, report)
        elif find_runs(here):
            raw = read_events(here, mapping, report)
        else:
            raw = read_folder(here, mapping, report)
        return understand(path, raw, mapping)
    except RecursionError:
        raise DataError(f"{path} is nested too deeply to be a log.") from None


def interpret(data: Any, path: Path | str, *, format: str, mapping: Mapping[str, str] | None = None) -> ForeignLog:
    """Read a log that somebody else has opened: nested dictionaries and lists of numbers.

    Raises:
        DataError: As `read_log`.
    """
    report = Report()
    tree = json_tree.grow([data], report)
    return understand(Path(path), raw_of(tree, format, mapping or {}, report, str(path)), mapping or {})


def is_folder(path: Path) -> bool:
    """Whether a path is a folder."""
    try:
        durable.names(path)
    except durable.DamageError:
        return False
    return durable.exists(path) and not _is_file(path)


def checked(format_: str) -> Format:
    """A format that there is."""
    if format_ not in get_args(Format):
        near = difflib.get_close_matches(format_, FORMATS, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"There is no format {format_!r}.{hint} There are: {', '.join(FORMATS)}.")
    for one in FORMATS:
        if one == format_:
            return one
    raise DataError(f"There is no format {format_!r}.")


def _is_file(path: Path) -> bool:
    try:
        durable.size(path)
    except StoreError:
        return False
    return True
