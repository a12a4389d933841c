"""What is called what: the names inside a store, and which names a run may have.

A folder is only ever named by an id made here; the name a user gives is text in `run.json` and never a path.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from ..base.errors import StoreError
from ..base.label import why_no_label
from . import durable

FORMAT = "FORMAT"
FORMAT_NUMBER = 1
SCHEMA = 1  # of each file in a run folder

RUN = "run.json"
STATE = "state.json"
LOCK = "lock"
READINGS = "readings.jsonl"
EVENTS = "events.jsonl"
ARRAYS = "arrays.jsonl"  # only where a measure keeps some
JOURNAL = "journal.jsonl"
CHECKPOINTS = "checkpoints"
QUARANTINE = "quarantine"
MANIFEST = "MANIFEST.json"

BUILDING = ".new-"  # a run folder not yet complete
TEMPORARY = ".tmp-"  # a file or checkpoint not yet complete
DELETED = ".del-"  # a checkpoint on its way out

_RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
_STEP = re.compile(r"step-(\d{9,18})")


def now() -> str:
    """The wall clock as text, sortable: `2026-01-31T12:00:00.000000Z`. For people; nothing is decided by it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_run_id() -> str:
    """An id nobody has: the second it was made in and six random hexadecimal digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{durable.nonce()}"


def is_run_id(name: str) -> bool:
    """Whether a name has the form of our ids."""
    return _RUN_ID.fullmatch(name) is not None


def time_of(run_id: str) -> str:
    """The second in which an id was made, comparable with `now()`."""
    return f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T{run_id[9:11]}:{run_id[11:13]}:{run_id[13:15]}"


def checkpoint(run: Path, step: int) -> Path:
    """The folder of the checkpoint at `step`."""
    return run / CHECKPOINTS / f"step-{step:09d}"


def step_of(name: str) -> int | None:
    """The step of a checkpoint folder's name, None for any other name."""
    found = _STEP.fullmatch(name)
    return int(found[1]) if found else None


def is_plain(name: str) -> bool:
    """Whether a name can only mean a file in its own folder, and is none of ours."""
    return bool(name) and "/" not in name and "\0" not in name and not name.startswith(".") and name != MANIFEST


def check_name(name: str) -> str:
    """The name of a run as given.

    Raises:
        StoreError: It is empty, too long, a path, or not printable on one line.
    """
    if problem := why_no_label(name):
        raise StoreError(f"The run cannot be called so: {problem}")
    return name


def default_root() -> Path:
    """Where runs are unless somebody says otherwise: `$LATEBLOOM_STORE`, or the folder `runs` where you are."""
    return Path(os.environ.get("LATEBLOOM_STORE") or "runs")
