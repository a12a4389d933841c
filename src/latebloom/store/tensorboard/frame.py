"""The container of an event file: records one after the other, each with a checksum of its length and one of its data.

    length u64 | checksum of the length u32 | data | checksum of the data u32          all little-endian

The checksum is CRC-32C, rotated by 15 bits and shifted by a constant. It is checked before anything is used: a
length before so many bytes are read, data before they are parsed.

Source: TensorFlow, `core/lib/io/record_writer.h` and `core/lib/hash/crc32c.h`; CRC-32C is Castagnoli et al. (1993).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import durable

LONGEST_RECORD_BYTES = 1 << 23  # a longer one is a picture or a graph; it is stepped over without being read

Flaw = Literal["", "torn", "length", "checksum", "long"]

_HEAD_BYTES = 12
_TAIL_BYTES = 4
RECORD_BYTES = _HEAD_BYTES + _TAIL_BYTES  # of a record, beside its data
_AHEAD_BYTES = 1 << 20  # read at a time
_BLOCK_BYTES = 1 << 10  # summed at a time; the table for it takes 1 MiB
_WORTH_BYTES = 64  # from here on numpy is faster than a loop
_ALL = 0xFFFFFFFF
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, lowest bit first


class Found(NamedTuple):
    """A record, or what is in its place."""

    data: bytes | None  # None if it cannot be used
    flaw: Flaw = ""  # why: not complete yet, length damaged (the end of what can be read), data damaged, too long
    lost_bytes: int = 0  # what was left out for it


def frame(data: bytes) -> bytes:
    """Data as one record."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def scan(path: Path, start: int = 0) -> Iterator[Found]:
    """The records of a file from `start`, where one begins, as long as it is now, in bounded memory.

    Raises:
        DamageError: It is missing, or not a regular file.
    """
    size, at = durable.size(path), start
    ahead, ahead_at = b"", 0

    def take(place: int, count: int) -> bytes:
        nonlocal ahead, ahead_at
        if place + count > ahead_at + len(ahead):
            end = min(size, place + max(count, _AHEAD_BYTES))
            ahead, ahead_at = b"".join(durable.read_chunks(path, place, end)), place
        return ahead[place - ahead_at : place - ahead_at + count]

    while at < size:
        head = take(at, _HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            yield Found(None, "torn", size - at)
            return
        length, checksum = struct.unpack("<QI", head)
        if checksum != _masked_length(head[:8]):
            yield Found(None, "length", size - at)
            return
        end = at + _HEAD_BYTES + length + _TAIL_BYTES
        if end > size:
            yield Found(None, "torn", size - at)
            return
        if length > LONGEST_RECORD_BYTES:
            yield Found(None, "long", end - at)
        else:
            body = take(at + _HEAD_BYTES, length + _TAIL_BYTES)
            data, tail = body[:length], body[length:]
            if tail == struct.pack("<I", masked(data)):
                yield Found(data)
            else:
                yield Found(None, "checksum", end - at)
        at = end


def masked(data: bytes) -> int:
    """The checksum that stands in a record. Masked, because the CRC of data that contain their own CRC says little."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & _ALL


def crc32c(data: bytes) -> int:
    """The Castagnoli CRC, which zlib does not have.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    state = _ALL
    for start in range(0, len(data), _BLOCK_BYTES):
        block = data[start : start + _BLOCK_BYTES]
        state = _sum_long(state, block) if len(block) >= _WORTH_BYTES else _sum_short(state, block)
    return state ^ _ALL


def _sum_short(state: int, block: bytes) -> int:
    table = _table()
    for byte in block:
        state = table[(state ^ byte) & 0xFF] ^ state >> 8
    return state


def _sum_long(state: int, block: bytes) -> int:
    # A CRC is linear: what came before is added to the first four bytes, and each byte then adds its own share,
    # which depends on its value and on how many bytes follow.
    begun = (state ^ int.from_bytes(block[:4], "little")).to_bytes(4, "little") + block[4:]
    shares, rows = _shares()
    return int(np.bitwise_xor.reduce(shares.take(rows[-len(begun) :] + np.frombuffer(begun, np.uint8))))


@cache
def _table() -> list[int]:
    """The state after one byte, from zero."""
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ (_POLYNOMIAL if value & 1 else 0) for value in table]
    return table


@cache
def _shares() -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """The state after a byte and zeros to the end of a block, by place * 256 + value; and place * 256."""
    one = np.array(_table(), np.uint32)
    shares = [one]
    for _ in range(_BLOCK_BYTES - 1):
        shares.append(one[shares[-1] & 0xFF] ^ shares[-1] >> 8)
    return np.concatenate(shares[::-1]), np.arange(_BLOCK_BYTES) * 256


@lru_cache(maxsize=1024)
def _masked_length(length: bytes) -> int:
    return masked(length)  # a log has few different lengths
