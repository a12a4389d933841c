"""Numbers between two ends, in equal steps or at equal ratios, rounded as a person would write them."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from ..base.errors import SpecError

Number = int | float


def lin(low: Number, high: Number, count: int) -> list[Number]:
    """`count` numbers in equal steps. The ends are exact; between them, 6 significant digits of the step are kept.

    Raises:
        SpecError: Fewer than 2 numbers, `low` not below `high`, or ends so close that no such numbers lie between.

    Example:
        >>> lin(0, 1, 4)
        [0, 0.333333, 0.666667, 1]
    """
    _check(low, high, count)
    start, step = Fraction(low), (Fraction(high) - Fraction(low)) / (count - 1)
    decimals = 5 - (Decimal(step.numerator) / step.denominator).adjusted()
    return _closed(low, [round(start + step * i, decimals) for i in range(1, count - 1)], high)


def log(low: Number, high: Number, count: int) -> list[Number]:
    """`count` numbers at equal ratios. The ends are exact; between them, 4 significant digits are kept.

    Where numbers lie so close that this would move one by more than 1 % of a gap, more digits are kept.

    Raises:
        SpecError: As for `lin`, or `low` is not above 0.

    Example:
        >>> log(0.01, 1, 5)
        [0.01, 0.03162, 0.1, 0.3162, 1]
    """
    _check(low, high, count)
    if low <= 0:
        raise SpecError(f"lo = {low}; equal ratios need a number > 0")
    start = Decimal(low).log10()
    step = (Decimal(high).log10() - start) / (count - 1)
    # The last of d digits is worth at most 10 ** (1 - d) of a number, and rounding errs by half of that.
    digits = max(4, math.ceil((500 / (10**step - 1)).log10()))
    return _closed(low, [Decimal(f"{10 ** (start + step * i):.{digits}g}") for i in range(1, count - 1)], high)


def _check(low: Number, high: Number, count: int) -> None:
    if count < 2:
        raise SpecError(f"n = {count}; expected a whole number >= 2")
    if not low < high:
        raise SpecError(f"lo = {low} is not below hi = {high}")


def _closed(low: Number, inner: list[Any], high: Number) -> list[Number]:
    """With the ends, and as whole numbers where both ends are and the number came out whole."""
    whole = isinstance(low, int) and isinstance(high, int)
    numbers = [low, *(int(x) if whole and x == int(x) else float(x) for x in inner), high]
    if not all(one < other for one, other in pairwise(numbers)):
        raise SpecError(f"there are no {len(numbers):,} different numbers from {low} to {high}")
    return numbers
