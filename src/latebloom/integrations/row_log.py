"""A log of rows as JSON Lines, which `latebloom diagnose` and `latebloom watch` read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..store import durable, jsonl


class RowLog:
    """A file that only grows. One that is there already is gone on with; its last line may be cut off.

    Args:
        path: The file; its folder is made if it is not there.
        mapping: Our name -> theirs, written once at the beginning.

    Raises:
        StoreError: The disk refuses; by each method.
    """

    def __init__(self, path: Path, mapping: Mapping[str, str]) -> None:
        durable.make_folder(path.parent)
        self._file = durable.Log(path)
        if self._file.size == 0:
            self._file.append(_line({"_latebloom": {"recorder": 1, "mapping": dict(mapping)}}))
        elif not b"".join(durable.read_chunks(path, self._file.size - 1)).endswith(b"\n"):
            self._file.append(b"\n")

    def append(self, step: int, row: Mapping[str, float]) -> None:
        """One more row; it survives a kill."""
        self._file.append(_line({"step": step, **row}))

    def close(self) -> None:
        """Make it survive a power cut, and close it."""
        try:
            self._file.sync()
        finally:
            self._file.close()


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(jsonl.plain(row), allow_nan=False).encode() + b"\n"
