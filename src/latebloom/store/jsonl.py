"""JSON in one line that can tell whether it is whole: the last key is the checksum of everything before it.

    {"step":100,"readings":{"train/loss":0.25},"crc":"3ce31d8c"}

`crc` is the CRC32 of the bytes before `,"crc"`. Logs are such lines; `run.json`, `state.json` and a manifest
are one each. Strict JSON: numbers that are not finite are the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..base.errors import StoreError
from . import durable, layout
from .durable import DamageError

LONGEST_LINE_BYTES = 1 << 24  # longer than that without a newline is not a line of ours

_SEAL_BYTES = len(',"crc":"00000000"}')
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Line(NamedTuple):
    """One line of a log that ends in a newline."""

    number: int  # from 1
    end: int  # offset of the byte after its newline
    fields: dict[str, Any] | None  # None if damaged


def frame(fields: Mapping[str, Any]) -> bytes:
    r"""Fields as one line, in the order given, the same bytes for the same fields.

    Example:
        >>> frame({"step": 1})
        b'{"step":1,"crc":"17ccbd80"}\n'
    """
    try:
        body = json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()[:-1]
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"Cannot be stored as JSON: {error}. Use text, finite numbers, lists and dictionaries."
        ) from error
    return body + _seal(body) + b"\n"


def unframe(line: bytes) -> dict[str, Any]:
    """The fields of a line without its newline.

    Raises:
        DamageError: It is not a line that `frame` made.
    """
    body = line[:-_SEAL_BYTES]
    if line[-_SEAL_BYTES:] != _seal(body):
        raise DamageError("does not match its checksum")
    try:
        fields = json.loads(body + b"}")
    except (ValueError, RecursionError) as error:
        raise DamageError(f"is not JSON: {error}") from error
    return dict(fields)


def read_one(path: Path) -> dict[str, Any]:
    """The fields of a file that is one line.

    Raises:
        DamageError: It is missing or not whole.
        StoreError: A later version of latebloom wrote it.
    """
    data = durable.read(path)
    try:
        if not data.endswith(b"\n"):
            raise DamageError(f"is cut off after {len(data):,} bytes" if data else "is empty")
        fields = unframe(data[:-1])
    except DamageError as error:
        raise DamageError(f"{path} {error}.") from error
    schema = fields.get("schema")
    if not isinstance(schema, int):
        raise DamageError(f"{path} has no schema number.")
    if schema > layout.SCHEMA:  # not damage: recovery must not move away what a later version can use
        raise StoreError(
            f"{path} has schema {schema}; this version of latebloom reads up to {layout.SCHEMA}. Upgrade it."
        )
    return fields


def scan(chunks: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a log, in bounded memory.

    An end without a newline is no line: it is being written, or was when the power went.
    """
    number, end = 0, 0
    pieces: list[bytes] = []  # of the line not yet ended
    length, is_too_long = 0, False
    for chunk in chunks:
        for n, piece in enumerate(chunk.split(b"\n")):
            if n:  # a newline came before this piece
                number, end = number + 1, end + length + 1
                yield Line(number, end, None if is_too_long else _try_unframe(b"".join(pieces)))
                pieces, length, is_too_long = [], 0, False
            length += len(piece)
            is_too_long = length > LONGEST_LINE_BYTES
            pieces = [] if is_too_long else [*pieces, piece]


def plain(value: Any) -> Any:
    """Numbers that are not finite as text, at any depth."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def revive(value: Any) -> Any:
    """The opposite of `plain`."""
    if isinstance(value, str):
        return _NOT_FINITE.get(value, value)
    if isinstance(value, dict):
        return {key: revive(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [revive(inner) for inner in value]
    return value


def _seal(body: bytes) -> bytes:
    return b',"crc":"%08x"}' % zlib.crc32(body)


def _try_unframe(line: bytes) -> dict[str, Any] | None:
    try:
        return unframe(line)
    except DamageError:
        return None
