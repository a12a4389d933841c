"""The entries of matrices: what is taken as one, which arithmetic holds it, and when a minor of it counts as zero.

Suffixes: B matrices.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import DataError

Numbers = NDArray[Any]  # float64, or Python's integers as objects

ROUNDING = 2**53  # one over the unit roundoff of float64
LARGEST = 10**300  # what an entry may be


def matrices(given: ArrayLike) -> tuple[NDArray[Any], bool]:
    """A stack (B, rows, columns) of float64 or of integers, and whether one matrix alone was given.

    Raises:
        DataError: It is no stack of real matrices.
    """
    try:
        stack = np.asarray(given)
    except ValueError:  # numpy's word for rows of different lengths
        raise DataError("the rows have different lengths; expected a matrix (k, n - k), or a stack of them") from None
    if stack.dtype.kind not in "biuf" and not _are_large_integers(stack):
        raise DataError(f"entries are {stack.dtype}; expected integers or real numbers")
    if stack.ndim not in (2, 3) or 0 in stack.shape[-2:-1]:
        raise DataError(f"the shape is {stack.shape}; expected a matrix (k, n - k), or a stack (matrices, k, n - k)")
    if stack.dtype.kind == "f":
        if bad := int(np.count_nonzero(~np.isfinite(stack))):
            first = tuple(map(int, np.argwhere(~np.isfinite(stack))[0]))
            raise DataError(f"{bad} entries are not finite, the first at {first}; expected finite numbers")
        if stack.dtype != np.float64:
            fate = f"as it stands: minors that rounding to {stack.dtype} made nonzero stay nonzero"
            if stack.dtype.itemsize > 8:
                fate = "and rounded"
            warnings.warn(f"{stack.dtype} is converted to float64 {fate}", stacklevel=3)
            stack = stack.astype(np.float64)
    return (stack[None], True) if stack.ndim == 2 else (stack, False)


def _are_large_integers(stack: NDArray[Any]) -> bool:
    """Whether these are Python's integers, as numpy keeps those beyond 64 bits.

    Raises:
        DataError: One is beyond float64.
    """
    if stack.dtype != object or not all(isinstance(value, int) for value in stack.flat):
        return False
    if any(abs(value) >= LARGEST for value in stack.flat):
        raise DataError("an entry is above 1e300; scale the columns")
    return bool(stack.size)


def noise(k: int, r: int) -> int:
    """How many units of rounding an expanded minor may be wrong by, of the sum of its terms' magnitudes.

    A term of a minor of size s has s entries, each off by one unit when it was stored, s - 1 products, and goes
    through s (s - 1) / 2 sums.
    """
    s = min(k, r)
    return s * (s + 3) // 2


def kinds(stack: NDArray[Any], size: int, k: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which matrices consist of whole numbers, and which of them float64 arithmetic holds.

    Whole numbers: sums of minors stay below 2 ** 53, so they are exact. Others: no product overflows or vanishes.
    """
    size_B = np.abs(stack.astype(np.float64)).reshape(len(stack), stack[0].size if len(stack) else 0)
    largest_B = size_B.max(axis=1, initial=1.0)
    whole_B = np.ones(len(stack), dtype=bool)
    if stack.dtype.kind == "f":
        whole_B = (np.rint(size_B) == size_B).all(axis=1)
    smallest_B = np.where(size_B > 0, size_B, 1.0).min(axis=1, initial=1.0)
    terms = (k + 1) * math.factorial(size)
    room = np.where(whole_B, math.log2(ROUNDING), 450) - math.log2(terms)
    small_B = size * np.log2(largest_B) < room - 1e-9
    return whole_B, small_B & (whole_B | (size * np.log2(smallest_B) > -450))


def as_integers(matrix: NDArray[Any], systematic: bool) -> Numbers:
    """The generator times a power of two that makes it whole, as Python's integers: the code is the same."""
    generator: Numbers
    if matrix.dtype.kind != "f":
        one, generator = 1, matrix.astype(object)
    else:
        fraction, exponent = np.frexp(matrix)
        whole = (fraction * float(ROUNDING)).astype(np.int64)
        exponent = np.where(whole == 0, 0, exponent - 53)
        shift = max(-int(exponent.min(initial=0)), 0)
        one = 1 << shift
        generator = np.empty(matrix.shape, dtype=object)
        for at, value in np.ndenumerate(whole):
            up = int(exponent[at]) + shift
            generator[at] = int(value) << up
    if not systematic:
        return generator
    identity = np.eye(len(matrix), dtype=np.int64).astype(object) * one
    return np.concatenate([identity, generator], axis=1)
