"""The absolute maximal minors of codes: all that their heights depend on."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .entries import matrices
from .heights import Space, expanded_minors
from .plan import affordable, plan_of

AT_ONCE = 256


def minors(P: ArrayLike) -> NDArray[np.float64]:
    """|D_S| of the generator [I | P] for every k-subset S of its columns.

    Args:
        P: (k, n - k), or a stack of them (B, k, n - k).

    Returns:
        (B, n choose k), or one row of it for one matrix. Subsets in the order of `itertools.combinations`, so that the
        first is that of the identity: 1.

    Raises:
        DataError: P is no stack of finite matrices, or the code is too large to be enumerated.

    Example:
        >>> minors([[2, 3], [5, 7]]).tolist()  # columns 01, 02, 03, 12, 13, 23 of [I | P]
        [1.0, 5.0, 7.0, 2.0, 3.0, 1.0]
    """
    stack_Bkr, one = matrices(P)
    batch, k, r = stack_Bkr.shape
    affordable(k + r, k)
    plan = plan_of(k + r, k, systematic=True)
    subsets = list(itertools.combinations(range(k + r), k))
    planned = {subset: place for place, subset in enumerate(sorted(subsets, key=lambda subset: subset[::-1]))}
    found = np.empty((batch, len(subsets)))
    for begin in range(0, batch, AT_ONCE):
        chunk = stack_Bkr[begin : begin + AT_ONCE]
        cells = np.ascontiguousarray(chunk.reshape(len(chunk), -1).T, dtype=np.float64)
        found[begin : begin + len(chunk)] = expanded_minors(
            plan, cells, Space(plan, len(chunk), np.float64), signed=True
        ).T
    found = found[:, [planned[subset] for subset in subsets]]  # the plan orders them by their last column first
    return found[0] if one else found
