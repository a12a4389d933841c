"""Arithmetic on the residues 0 .. modulus - 1: every equation a ∘ b = c of an operation, enumerated.

Here / in the paper: `a`, `b`, `c` are x, y, x ∘ y; `modulus` is p.
Source: Power et al. (2022), arXiv:2201.02177, appendix A.1.1; `multiply` and `cube_plus_b` are only
in the paper's code (github.com/openai/grok), where the latter is called cubepoly: `a **3+ b` is a³ + b.

Suffixes: N equations, P residues.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.component import did_you_mean
from ..base.errors import DataError, SpecError

Integers = NDArray[np.int64]

# A prime, so that the nearest prime above a refused modulus is itself allowed. Its 4,012,009 pairs are 96 MB in
# a, b and c; the largest value before reduction, about 2 * 2002 ** 3 = 1.6e10, is far below the int64 limit 9.2e18.
MAX_MODULUS = 2003


def _quotients(a_N: Integers, b_N: Integers, modulus: int) -> Integers:
    """The c with c * b = a, for a prime modulus; where b = 0 there is none and the entry means nothing."""
    # Enumerate (quotient, b) and read a off: no inverse is computed, so none can be wrong.
    quotient_PP, b_PP = np.indices((modulus, modulus), dtype=np.int64)
    quotient_by_ab_PP = np.zeros_like(b_PP)
    quotient_by_ab_PP[quotient_PP * b_PP % modulus, b_PP] = quotient_PP
    return quotient_by_ab_PP[a_N, b_N]


class Operation(NamedTuple):
    """One way to combine two residues."""

    token: str  # how an example writes it, between a and b
    formula: str  # what it means, for a reader
    apply: Callable[[Integers, Integers, int], Integers]  # (a_N, b_N, modulus) -> c_N, not yet reduced
    divides: bool = False  # a quotient exists and is unique only for a prime modulus


OPERATIONS: dict[str, Operation] = {
    "add": Operation("+", "a + b", lambda a, b, p: a + b),
    "subtract": Operation("-", "a - b", lambda a, b, p: a - b),
    "multiply": Operation("*", "a b", lambda a, b, p: a * b),
    "divide": Operation("/", "a / b, for b ≠ 0", _quotients, divides=True),
    "divide_or_subtract": Operation(
        "/-",
        "a / b if b is odd, else a - b",
        lambda a, b, p: np.where(b % 2 == 1, _quotients(a, b, p), a - b),
        divides=True,
    ),
    "square_sum": Operation("a²+b²", "a² + b²", lambda a, b, p: a**2 + b**2),
    "quadratic": Operation("a²+ab+b²", "a² + ab + b²", lambda a, b, p: a**2 + a * b + b**2),
    "quadratic_plus_a": Operation("a²+ab+b²+a", "a² + ab + b² + a", lambda a, b, p: a**2 + a * b + b**2 + a),
    "cubic_product": Operation("a³+ab", "a³ + ab", lambda a, b, p: a**3 + a * b),
    "cubic_mixed": Operation("a³+ab²+b", "a³ + ab² + b", lambda a, b, p: a**3 + a * b**2 + b),
    "cube_plus_b": Operation("a³+b", "a³ + b", lambda a, b, p: a**3 + b),
}


def equations(operation: str, modulus: int) -> tuple[Integers, Integers, Integers]:
    """Every equation of an operation, once, by ascending a and then ascending b.

    Args:
        operation: A name in `OPERATIONS`.
        modulus: 2 to `MAX_MODULUS`; a prime where the operation divides.

    Returns:
        a_N, b_N, c_N with c = a ∘ b, all in 0 .. modulus - 1. N is modulus ** 2, or modulus * (modulus - 1)
        for `divide`, which leaves b = 0 out.

    Raises:
        SpecError: The operation is unknown, or has no such equations for this modulus.

    Example:
        >>> a_N, b_N, c_N = equations("divide", 3)
        >>> [f"{a} / {b} = {c}" for a, b, c in zip(a_N, b_N, c_N)]
        ['0 / 1 = 0', '0 / 2 = 0', '1 / 1 = 1', '1 / 2 = 2', '2 / 1 = 2', '2 / 2 = 1']

    Source:
        Power et al. (2022), arXiv:2201.02177, appendix A.1.1.
    """
    if operation not in OPERATIONS:
        raise SpecError(f"operation = {operation!r} is unknown.{did_you_mean(operation, OPERATIONS)}")
    if not 2 <= modulus <= MAX_MODULUS:
        raise SpecError(f"modulus = {modulus}; expected 2 to {MAX_MODULUS}. 97 is the usual choice.")
    if problem := why_not_prime(operation, modulus):
        raise SpecError(f"modulus = {problem}")
    a_N, b_N = np.indices((modulus, modulus), dtype=np.int64).reshape(2, -1)
    if operation == "divide":
        a_N, b_N = a_N[b_N > 0], b_N[b_N > 0]
    return a_N, b_N, OPERATIONS[operation].apply(a_N, b_N, modulus) % modulus


def why_not_prime(operation: str, modulus: int) -> str | None:
    """The reason why an operation cannot have this modulus, or None if primality is no obstacle.

    Example:
        >>> why_not_prime("divide", 96)
        '96 is not prime; division needs a prime modulus. The nearest are 89 and 97.'
        >>> why_not_prime("add", 96) is None
        True
    """
    if not OPERATIONS[operation].divides or is_prime(modulus):
        return None
    below, above = nearest_primes(modulus)
    return f"{modulus} is not prime; division needs a prime modulus. The nearest are {below} and {above}."


def is_prime(n: int) -> bool:
    """Whether n has exactly two divisors, by trial division; instant up to about 1e12.

    Example:
        >>> [n for n in range(20) if is_prime(n)]
        [2, 3, 5, 7, 11, 13, 17, 19]
    """
    return n > 1 and all(n % divisor for divisor in range(2, math.isqrt(n) + 1))


def nearest_primes(n: int) -> tuple[int, int]:
    """The largest prime below n and the smallest prime above n.

    Raises:
        DataError: n < 3, below which there is no prime.

    Example:
        >>> nearest_primes(96)
        (89, 97)
    """
    if n < 3:
        raise DataError(f"n = {n} has no prime below it; expected n >= 3.")
    below, above = n - 1, n + 1
    while not is_prime(below):
        below -= 1
    while not is_prime(above):
        above += 1
    return below, above
