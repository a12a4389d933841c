"""NumPy archives: arrays under names. Nothing in them is unpickled."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ...base.errors import DataError
from .lines import MOST_WHOLE_BYTES, whole
from .log import Report

_MOST_MEMBERS = 100_000


def read_npz(path: Path, report: Report) -> dict[str, Any]:
    """The arrays of a `.npz` or `.npy` file as lists, scalars as numbers.

    Raises:
        DataError: It is no such file. Arrays of objects, which are pickles, are left out and counted.
    """
    data = whole(path)
    if data.startswith(b"\x93NUMPY"):
        array = _array(data, path.name, report)
        return {} if array is None else {path.stem: array}
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, OSError) as error:
        raise DataError(f"{path} is no NumPy archive: {error}. It may be cut off; copy it again.") from None
    if len(members) > _MOST_MEMBERS or sum(member.file_size for member in members) > MOST_WHOLE_BYTES:
        raise DataError(f"{path} unpacks to more than {MOST_WHOLE_BYTES:,} bytes. Save the curves alone.")
    arrays = dict[str, Any]()
    for member in members:
        name = member.filename.removesuffix(".npy")
        try:
            array = _array(archive.read(member), name, report)
        except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError):
            report.counts["arrays that are damaged"] += 1
            continue
        if array is not None:
            arrays[name] = array
    return arrays


def _array(data: bytes, name: str, report: Report) -> Any:
    try:
        array = npy.read_array(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # the header is a Python literal of any kind
        is_pickle = "pickle" in str(error)
        why = "objects, i.e. pickles, which can run code" if is_pickle else "damaged"
        report.dropped.append(f"the array {name[:80]!r}: {why}")
        return None
    if array.dtype.names:
        return {str(field): _plain(array[field]) for field in array.dtype.names}
    return _plain(array)


def _plain(array: Any) -> Any:
    array = np.asarray(array)
    if array.dtype.kind in "US" and not array.ndim:
        return str(array)
    if array.dtype.kind not in "biuf":
        return None
    array = np.squeeze(array) if array.ndim > 1 else array
    return array.astype(np.float64).tolist()
