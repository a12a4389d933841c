"""From bytes to lines, in bounded memory: files that grow, packed files, the encodings that logs are found in."""

from __future__ import annotations

import codecs
import copy
from collections.abc import Iterator
from pathlib import Path

from ...base.errors import DataError
from .. import durable
from .packed import unpacked

MOST_WHOLE_BYTES = 1 << 28  # the longest file that has to be read as a whole
LONGEST_LINE = 1 << 24  # characters; what is longer is no line of a log
_HEAD_BYTES = 1 << 16
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def chunks(path: Path, start: int = 0) -> Iterator[bytes]:
    """The bytes of a file from `start`, piece by piece; from 0 those of what is packed in it, see `packed`.

    Raises:
        DamageError: It is missing or no regular file.
    """
    pieces = durable.read_chunks(path, start)
    return pieces if start else unpacked(path, pieces)


def head(path: Path) -> bytes:
    """The first bytes of a file: some lines, however long they are."""
    pieces, size, lines = list[bytes](), 0, 0
    for piece in chunks(path):
        pieces.append(piece)
        size, lines = size + len(piece), lines + piece.count(b"\n")
        if size >= _HEAD_BYTES and (lines > 2 or size >= LONGEST_LINE):
            break
    return b"".join(pieces)


def whole(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        DataError: There are too many of them.
    """
    pieces, size = list[bytes](), 0
    for piece in chunks(path):
        pieces.append(piece)
        size += len(piece)
        if size > MOST_WHOLE_BYTES:
            raise DataError(
                f"{path} is longer than {MOST_WHOLE_BYTES:,} bytes, too long to be read as a whole. "
                "Logs with one reading per line (JSON Lines, CSV, text) can be of any length."
            )
    return b"".join(pieces)


def text_of(data: bytes) -> str:
    """Bytes as text: by their mark, else UTF-8 with whatever is no UTF-8 made visible."""
    decoder, data = _decoder(data)
    return decoder.decode(data, final=True)


class Lines:
    """Cuts what it is fed into lines; what follows the last line end is kept until the end comes."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._start = b""
        self._rest: list[str] = []
        self._length = 0
        self.too_long = 0  # lines left out

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete by now, without their ends. A carriage return ends none."""
        if self._decoder is None:
            self._start += data
            if len(self._start) < 3:
                return []
            self._decoder, data = _decoder(self._start)
        text = self._decoder.decode(data)
        if "\n" not in text:
            self._keep(text)
            return []
        first, *lines = text.split("\n")
        self._keep(first)
        complete = [*self._take(), *lines[:-1]]
        self._keep(lines[-1])
        return complete

    def copy(self) -> Lines:
        """The same, to be ended while this one goes on."""
        other = copy.copy(self)
        other._rest = [*self._rest]
        return other

    def rest(self) -> list[str]:
        """What follows the last line end, if anything does."""
        if self._decoder is None:
            self._decoder, data = _decoder(self._start)
            self._keep(self._decoder.decode(data))
        rest = self._take()
        return rest if rest != [""] else []

    def _keep(self, text: str) -> None:
        self._length += len(text)
        if self._length > LONGEST_LINE:
            self._rest.clear()
        elif text:
            self._rest.append(text)

    def _take(self) -> list[str]:
        is_too_long, line = self._length > LONGEST_LINE, "".join(self._rest)
        self._rest, self._length = [], 0
        self.too_long += is_too_long
        return [] if is_too_long else [line]


def _decoder(data: bytes) -> tuple[codecs.IncrementalDecoder, bytes]:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return codecs.getincrementaldecoder(name)("replace"), data[len(mark) :]
    if len(data) > 3 and not any(data[1:64:2]) and all(data[:64:2]):  # every second byte zero: UTF-16 without a mark
        return codecs.getincrementaldecoder("utf-16-le")("replace"), data
    return codecs.getincrementaldecoder("utf-8")("replace"), data
