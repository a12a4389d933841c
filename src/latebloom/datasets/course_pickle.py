"""Matrices and heights in the pickles of a course on m-heights, read without running anything in them.

A file of samples holds a list of [n, k, m, P], P of k x (n - k); a file of heights a list of numbers in the same order.

Unpickling calls whatever a file names. Here a file can name only what makes up a numpy array, and what it gets under
these names are our own: they note what they are told, and an array is made from the notes if these describe plain
numbers. Everything else is refused by its name. A file made to use up memory can still do so.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError

PLAIN = re.compile(r"[<>|=]?[biuf][1248]")


class Sample(NamedTuple):
    """One line of a file of samples."""

    n: int
    k: int
    m: int
    P: NDArray[Any]  # (k, n - k)


def read_samples(path: Path) -> list[Sample]:
    """The matrices of a file, cut to k x (n - k) where they were padded with zeros.

    Raises:
        DataError: The file names anything but lists, tuples, numbers and arrays, or is not a list of [n, k, m, P].
    """
    rows = load(path)
    if not isinstance(rows, list | tuple):
        raise DataError(f"{path} holds a {type(rows).__name__}; expected a list of [n, k, m, P]")
    if not rows:
        raise DataError(f"{path} holds no sample; expected a list of [n, k, m, P]")
    return [_sample(row, f"{path}, sample {number}") for number, row in enumerate(rows)]


def read_heights(path: Path) -> NDArray[np.float64]:
    """The heights of a file.

    Raises:
        DataError: The file names anything but lists, tuples, numbers and arrays, or holds no list of numbers.
    """
    try:
        heights = np.asarray(load(path), dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{path} is no list of numbers; is it the file of samples?") from None
    if heights.ndim != 1:
        raise DataError(f"{path} holds numbers of shape {heights.shape}; expected a list of heights")
    return heights


def load(path: Path) -> Any:
    """What a pickle holds, made of lists, tuples, dictionaries, strings, numbers and numpy arrays of numbers.

    Raises:
        DataError: It holds anything else, or is damaged.
    """
    try:
        with path.open("rb") as file:
            return _plain(_Reader(file).load())
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # a damaged pickle raises anything
        raise DataError(f"{path} is no pickle, or a damaged one: {error}") from None


class _Noted:
    """Called, built and filled in by a pickle like the thing it stands for; only notes it."""

    def __init__(self, *told: Any) -> None:
        self.told = told
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def numpy(self) -> Any:
        """What was noted, if it is numbers."""
        raise DataError("it holds a type; expected lists, tuples, numbers and numpy arrays alone")


class _Type(_Noted):
    """numpy.dtype(code, align, copy), then its state: version, byte order, ...; numpy.ndarray is only ever named."""

    def dtype(self) -> np.dtype[Any]:
        code = self.told[0] if self.told else None
        if not isinstance(code, str) or not PLAIN.fullmatch(code):
            raise DataError(f"an array of {code!r}; expected plain numbers")
        match self.state:
            case (_, ("<" | ">") as order, *_):
                return np.dtype(code).newbyteorder(order)
            case _:
                return np.dtype(code)


class _Array(_Noted):
    """numpy._core.multiarray._reconstruct(ndarray, (0,), b"b"), then its state: version, shape, type, order, bytes."""

    def numpy(self) -> NDArray[Any]:
        match self.state:
            case (_, tuple() as shape, _Type() as kind, bool() | int() as by_columns, bytes() as content):
                return _array(content, kind, shape, "F" if by_columns else "C")
            case _:
                raise DataError("an array that is not of plain numbers")


class _Buffer(_Noted):
    """numpy._core.numeric._frombuffer(bytes, type, shape, order)."""

    def numpy(self) -> NDArray[Any]:
        match self.told:
            case (bytes() | bytearray() as content, _Type() as kind, tuple() as shape, ("C" | "F") as order):
                return _array(bytes(content), kind, shape, order)
            case _:
                raise DataError("an array that is not of plain numbers")


class _Scalar(_Noted):
    """numpy._core.multiarray.scalar(type, bytes)."""

    def numpy(self) -> Any:
        match self.told:
            case (_Type() as kind, bytes() as content):
                return _array(content, kind, (), "C")[()]
            case _:
                raise DataError("a number that is not plain")


def _bytes(*told: Any) -> bytes:
    """Bytes as pickles before protocol 3 have them: _codecs.encode(text, "latin1"), or bytes() if there are none."""
    match told:
        case () | (str(), "latin1"):
            return told[0].encode("latin1") if told else b""
        case _:
            raise DataError("bytes that are none")


KNOWN: dict[tuple[str, str], Callable[..., Any]] = {("numpy", "dtype"): _Type, ("numpy", "ndarray"): _Type}
KNOWN |= {("_codecs", "encode"): _bytes, ("__builtin__", "bytes"): _bytes}
for _core in ("numpy.core", "numpy._core"):  # before and since numpy 2
    KNOWN[f"{_core}.multiarray", "_reconstruct"] = _Array
    KNOWN[f"{_core}.multiarray", "scalar"] = _Scalar
    KNOWN[f"{_core}.numeric", "_frombuffer"] = _Buffer


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What a file gets for a name."""
        if (module, name) not in KNOWN:
            raise DataError(
                f"it names {module}.{name}; expected lists, tuples, numbers and numpy arrays alone, and nothing was run"
            )
        return KNOWN[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Nothing lies outside the file."""
        raise DataError("it refers to something outside of it")


def _array(content: bytes, kind: _Type, shape: tuple[Any, ...], order: Any) -> NDArray[Any]:
    numpy = kind.dtype()
    if not all(type(size) is int and size >= 0 for size in shape):
        raise DataError(f"an array of shape {shape!r}")
    if math.prod(shape) * numpy.itemsize != len(content):
        raise DataError(f"an array of {shape} {numpy} with {len(content)} bytes")
    return np.frombuffer(content, numpy).reshape(shape, order=order)


def _plain(found: Any) -> Any:
    """The same with arrays in place of notes."""
    if isinstance(found, list | tuple):
        return type(found)(_plain(one) for one in found)
    if isinstance(found, dict):
        return {_plain(key): _plain(value) for key, value in found.items()}
    if callable(found):
        raise DataError("it holds a type; expected lists, tuples, numbers and numpy arrays alone")
    return found.numpy() if isinstance(found, _Noted) else found


def _sample(row: Any, where: str) -> Sample:
    try:
        n, k, m, P = row
        n, k, m, P = int(n), int(k), int(m), np.asarray(P)
    except (TypeError, ValueError):
        raise DataError(f"{where} is not [n, k, m, P]") from None
    rest = n - k
    if P.ndim != 2 or P.dtype.kind not in "iuf" or not 0 < k < n or P.shape[0] < k or P.shape[1] < rest:
        raise DataError(f"{where}: n = {n}, k = {k} and a {P.dtype} array of shape {P.shape}; expected {k} x {rest}")
    if P[k:].any() or P[:, rest:].any():
        raise DataError(f"{where}: P is {P.shape} and not zero beyond {k} x {rest}")
    if not np.isfinite(P).all():
        raise DataError(f"{where}: P has entries that are not finite")
    if not 1 <= m < n:
        raise DataError(f"{where}: m = {m}; expected 1 to {n - 1}")
    return Sample(n, k, m, P[:k, :rest])
