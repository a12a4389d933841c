"""What is in a record: an `Event`, in the binary form of protocol buffers. Only what bears a scalar is understood.

    Event    wall_time=1 double, step=2 integer, file_version=3 text, summary=5, session_log=7 {status=1; START is 1}
    Summary  value=1, repeated: tag=1 text, and one of simple_value=2 float, tensor=8, pictures, histograms, sound
    Tensor   dtype=1, shape=2, and its numbers as raw bytes in content=4 or in the list of its own type

A field is a key, number * 8 + form, and its content: a number in groups of 7 bits (form 0), 8 bytes (1), a length and
so many bytes (2), or 4 bytes (5). Nothing recurses: only these levels are looked into.

Source: TensorFlow, `core/util/event.proto`, `core/framework/summary.proto`, `tensor.proto` and `types.proto`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..durable import DamageError

_NUMBER, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5  # forms
_WALL_TIME = 1 << 3 | _EIGHT
_STEP = 2 << 3 | _NUMBER
_VERSION = 3 << 3 | _BYTES
_SUMMARY = 5 << 3 | _BYTES
_SESSION = 7 << 3 | _BYTES
_STATUS = 1 << 3 | _NUMBER
_START = 1
_VALUE = 1 << 3 | _BYTES
_TAG = 1 << 3 | _BYTES
_SIMPLE = 2 << 3 | _FOUR
_TENSOR = 8 << 3 | _BYTES
_DTYPE = 1 << 3 | _NUMBER
_SHAPE = 2 << 3 | _BYTES
_CONTENT = 4 << 3 | _BYTES

_HALF_FIELD = 13  # lists both kinds of half, as numbers of 16 bits
_BFLOAT16 = 14
_KINDS = {  # by dtype: the field that lists its numbers, how struct calls one
    1: (5, "<f"),
    2: (6, "<d"),
    3: (7, "<i"),
    9: (10, "<q"),
    _BFLOAT16: (_HALF_FIELD, "<H"),
    19: (_HALF_FIELD, "<e"),
}
_LISTS = {field for field, _ in _KINDS.values()}
_LISTS_OF_FLOATS = {5, 6}  # of 4 and 8 bytes; the other lists hold numbers in groups of 7 bits


class Event(NamedTuple):
    """A record, as far as it matters here."""

    step: int
    is_start: bool  # a stretch of training begins: what came before at this step or a later one is void
    scalars: list[tuple[str, float]]  # by tag
    skipped: int  # values that are no scalars


def version(wall_time: float) -> bytes:
    """The event that begins a file."""
    return _eight(_WALL_TIME, wall_time) + _bytes(_VERSION, b"brain.Event:2")


def start(step: int, wall_time: float) -> bytes:
    """The event that begins a stretch of training, whose first step is `step`."""
    return _eight(_WALL_TIME, wall_time) + _number(_STEP, step) + _bytes(_SESSION, _number(_STATUS, _START))


def scalars(step: int, values: Iterable[tuple[str, float]], wall_time: float) -> bytes:
    """An event with scalars by tag, in 32 bits as everywhere in TensorBoard: what is too large becomes infinite."""
    summary = b"".join(_bytes(_VALUE, _bytes(_TAG, tag.encode()) + _simple(value)) for tag, value in values)
    return _eight(_WALL_TIME, wall_time) + _number(_STEP, step) + _bytes(_SUMMARY, summary)


def parse(record: bytes) -> Event:
    """Read an event.

    Raises:
        DamageError: It is none.
    """
    step, is_start, found, skipped = 0, False, list[tuple[str, float]](), 0
    try:
        for key, number, content in _fields(memoryview(record)):
            if key == _STEP:
                step = number - (1 << 64) if number >> 63 else number
            elif key == _SUMMARY:
                for inner, _, value in _fields(content):
                    if inner == _VALUE:
                        tag, scalar = _read_value(value)
                        if tag and scalar is not None:
                            found.append((tag, scalar))
                        else:
                            skipped += 1
            elif key == _SESSION:
                is_start = any(inner == _STATUS and status == _START for inner, status, _ in _fields(content))
    except (IndexError, UnicodeDecodeError) as error:
        raise DamageError(f"is no event: {error}") from error
    return Event(step, is_start, found, skipped)


def _read_value(message: memoryview) -> tuple[str, float | None]:
    tag, scalar = "", None
    for key, _, content in _fields(message):
        if key == _TAG:
            tag = str(content, "utf-8")
        elif key == _SIMPLE:
            scalar = struct.unpack("<f", content)[0]
        elif key == _TENSOR:
            scalar = _read_tensor(content)
    return tag, scalar


def _read_tensor(message: memoryview) -> float | None:
    """The number in a tensor without dimensions; None for any other tensor."""
    dtype, has_shape, raw = 0, False, b""
    lists: dict[int, tuple[int, memoryview] | None] = {}
    for key, number, content in _fields(message):
        if key == _DTYPE:
            dtype = number
        elif key == _SHAPE:
            has_shape = has_shape or len(content) > 0
        elif key == _CONTENT:
            raw = bytes(content)
        elif key >> 3 in _LISTS:
            lists[key >> 3] = None if key >> 3 in lists else (number, content)
    if has_shape or dtype not in _KINDS:
        return None
    field, code = _KINDS[dtype]
    size = struct.calcsize(code)
    if not raw and (listed := lists.get(field)) is not None:
        number, content = listed
        if field in _LISTS_OF_FLOATS:
            raw = bytes(content)
        elif len(content) <= 10:  # one number, alone or as a list of one
            number, end = _read_number(content, 0) if len(content) else (number, 0)
            raw = (number & (1 << 8 * size) - 1).to_bytes(size, "little") if end == len(content) else b""
    if len(raw) != size:
        return None
    return float(struct.unpack("<f", b"\0\0" + raw)[0] if dtype == _BFLOAT16 else struct.unpack(code, raw)[0])


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Key, number and bytes of each field; one of the latter two is empty."""
    at, end = 0, len(message)
    while at < end:
        key, at = _read_number(message, at)
        form, size = key & 7, 0
        if form == _NUMBER:
            number, at = _read_number(message, at)
            yield key, number, message[:0]
            continue
        if form == _BYTES:
            size, at = _read_number(message, at)
        elif form in (_FOUR, _EIGHT):
            size = 4 if form == _FOUR else 8
        else:
            raise DamageError(f"is no event: it has a field of form {form}")
        if size > end - at:
            raise DamageError("is no event: a field ends after it")
        yield key, 0, message[at : at + size]
        at += size


def _read_number(message: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of 7 bits, and where it ends."""
    number = message[at]
    if number < 128:
        return number, at + 1
    number &= 127
    for shift in range(7, 70, 7):
        at += 1
        byte = message[at]
        number |= (byte & 127) << shift
        if byte < 128:
            return number & (1 << 64) - 1, at + 1
    raise DamageError("is no event: it has a number of more than 10 bytes")


def _number(key: int, number: int) -> bytes:
    return _groups(key) + _groups(number) if number else b""  # zero is what a missing number means


def _eight(key: int, value: float) -> bytes:
    return _groups(key) + struct.pack("<d", value)


def _bytes(key: int, content: bytes) -> bytes:
    return _groups(key) + _groups(len(content)) + content


def _simple(value: float) -> bytes:
    try:
        return _groups(_SIMPLE) + struct.pack("<f", value)
    except OverflowError:
        return _groups(_SIMPLE) + struct.pack("<f", math.copysign(math.inf, value))


def _groups(number: int) -> bytes:
    """A number in groups of 7 bits."""
    number &= (1 << 64) - 1  # a negative one, as its complement
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])
