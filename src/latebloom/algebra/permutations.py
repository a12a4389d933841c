"""The symmetric group S_n: its permutations, composition, inverses, and its operation tables.

A permutation x of 0 .. n - 1 is the row (x(0), ..., x(n - 1)). Products read from right to left:
(a ∘ b)(i) = a(b(i)), so b acts first. Power et al.'s code has a act first, which is the table of `compose`
transposed.

Source: Power et al. (2022), arXiv:2201.02177, appendix A.1.1, for the three operations on S_5.

Suffixes: G permutations of the group, n numbers permuted.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.component import did_you_mean
from ..base.errors import SpecError

Integers = NDArray[np.int64]

MAX_DEGREE = 6  # S_6 has 518,400 pairs; S_7 would have 25 million


class Operation(NamedTuple):
    """One way to combine two permutations."""

    token: str  # how an example writes it, between a and b
    formula: str  # what it means, for a reader


OPERATIONS: dict[str, Operation] = {
    "compose": Operation("∘", "a ∘ b"),
    "conjugate": Operation("aba⁻¹", "a ∘ b ∘ a⁻¹"),
    "sandwich": Operation("aba", "a ∘ b ∘ a"),
}


def permutations(degree: int) -> Integers:
    """All permutations of 0 .. degree - 1, one a row, in lexicographic order; row 0 is the identity.

    Raises:
        SpecError: The degree is not in 1 .. `MAX_DEGREE`.

    Example:
        >>> permutations(3).tolist()
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    """
    if not 1 <= degree <= MAX_DEGREE:
        raise SpecError(f"degree = {degree}; expected 1 to {MAX_DEGREE}. 5 is the usual choice (120 permutations).")
    return np.array(list(itertools.permutations(range(degree))), dtype=np.int64)


def compose(a: Integers, b: Integers) -> Integers:
    """a ∘ b along the last axis, broadcast over the others.

    Example:
        >>> compose(np.array([1, 2, 0]), np.array([0, 2, 1])).tolist()  # 0 -> 0 -> 1, 1 -> 2 -> 0, 2 -> 1 -> 2
        [1, 0, 2]
    """
    a, b = np.broadcast_arrays(a, b)
    return np.take_along_axis(a, b, axis=-1)


def inverse(a: Integers) -> Integers:
    """a⁻¹ along the last axis: the permutation that a undoes.

    Example:
        >>> inverse(np.array([1, 2, 0])).tolist()
        [2, 0, 1]
    """
    return np.argsort(a, axis=-1)


def operation_table(operation: str, degree: int) -> Integers:
    """The whole table of an operation, as positions in `permutations(degree)`.

    Args:
        operation: A name in `OPERATIONS`.
        degree: 1 to `MAX_DEGREE`.

    Returns:
        c_GG, where c_GG[a, b] is the position of a ∘ b (or a ∘ b ∘ a⁻¹, or a ∘ b ∘ a).

    Raises:
        SpecError: The operation is unknown, or the degree out of range.

    Example:
        >>> operation_table("conjugate", 3)[1].tolist()  # swapping 1 and 2 exchanges 3 and 4: the two 3-cycles
        [0, 1, 5, 4, 3, 2]
    """
    if operation not in OPERATIONS:
        raise SpecError(f"operation = {operation!r} is unknown.{did_you_mean(operation, OPERATIONS)}")
    permutations_Gn = permutations(degree)
    product_GG = _positions(compose(permutations_Gn[:, None], permutations_Gn[None, :]))
    if operation == "compose":
        return product_GG
    a_G1 = np.arange(len(permutations_Gn))[:, None]
    return product_GG[product_GG, a_G1 if operation == "sandwich" else _positions(inverse(permutations_Gn))[:, None]]


def _positions(wanted: Integers) -> Integers:
    """Where each permutation along the last axis stands in lexicographic order."""
    degree = wanted.shape[-1]
    # Read as a number in base `degree`, a permutation keeps its lexicographic place.
    weights_n = degree ** np.arange(degree - 1, -1, -1, dtype=np.int64)
    position: Integers = np.searchsorted(permutations(degree) @ weights_n, wanted @ weights_n)
    return position
