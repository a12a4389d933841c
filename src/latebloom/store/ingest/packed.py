"""Files packed by gzip, bzip2, xz or zip, unpacked piece by piece."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ...base.errors import DataError
from .. import durable
from .log import some

MOST_ZIP_BYTES = 1 << 28
ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_PIECE_BYTES = 1 << 20
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_OFFICE = "[Content_Types].xml"
_NO_LOGS = ("__MACOSX/", ".DS_Store")


def is_packed(begin: bytes) -> bool:
    """Whether a file that begins like this has to be unpacked: it cannot be read from somewhere in it."""
    return begin.startswith((_GZIP, _BZIP2, _XZ, *ZIPS))


def unpacked(path: Path, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of a file, unpacked if it is packed; of a zip the one file in it.

    NumPy archives and torch files, which are zips themselves, are left as they are.

    Raises:
        DataError: It is damaged, or a zip of several files, or of an office program.
    """
    first = next(pieces, b"")
    if first.startswith(ZIPS):
        if (member := _only_member(path)) is None:
            yield first
            yield from pieces
        else:
            yield from member
        return
    pieces = chain((first,), pieces) if first else pieces
    try:
        if first.startswith(_GZIP):
            yield from _of_gzip(pieces)
        elif first.startswith(_BZIP2):
            yield from _of(bz2.BZ2Decompressor(), pieces)
        elif first.startswith(_XZ):
            yield from _of(lzma.LZMADecompressor(), pieces)
        else:
            yield from pieces
    except (zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise _damaged(path, error) from None
    except OSError as error:  # what bz2 raises
        if not first.startswith(_BZIP2):
            raise
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is packed (gzip, bzip2 or xz) and damaged: {error}. Unpack what can be saved; read that.")


def _of_gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    part = zlib.decompressobj(wbits=31)
    for piece in pieces:
        while out := part.decompress(piece, _PIECE_BYTES):
            yield out
            piece = part.unconsumed_tail
        while part.eof and part.unused_data.startswith(_GZIP):  # several, one after the other, as programs append them
            piece, part = part.unused_data, zlib.decompressobj(wbits=31)
            while out := part.decompress(piece, _PIECE_BYTES):
                yield out
                piece = part.unconsumed_tail


def _of(part: bz2.BZ2Decompressor | lzma.LZMADecompressor, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if part.eof:
            return
        out = part.decompress(piece, _PIECE_BYTES)
        while out:
            yield out
            out = b"" if part.eof or part.needs_input else part.decompress(b"", _PIECE_BYTES)


def _only_member(path: Path) -> Iterator[bytes] | None:
    """The pieces of the one log in a zip; None for zips that are a format of their own."""
    if durable.size(path) > MOST_ZIP_BYTES:
        raise DataError(f"{path} is a zip of more than {MOST_ZIP_BYTES:,} bytes: unpack it.")
    data = b"".join(durable.read_chunks(path))
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = [one.filename for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, struct.error, ValueError, OSError) as error:
        raise DataError(f"{path} is a damaged zip: {error}. It may be cut off; copy it again.") from None
    if _OFFICE in names:
        raise DataError(f"{path} is no log but an Excel file or another of an office program; save the table as CSV.")
    if not names or all(name.endswith(".npy") for name in names) or any(name.endswith("data.pkl") for name in names):
        return None
    kept = [name for name in names if not name.startswith(_NO_LOGS) and not name.endswith(_NO_LOGS)]
    if len(kept) != 1:
        raise DataError(f"{path} is a zip of {len(kept):,} files: {some(kept)}. Unpack it and give the folder.")
    return _member(path, archive, kept[0])


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(f"{path}: {name!r} in it cannot be unpacked: {error}. Unpack it and read that.") from None
