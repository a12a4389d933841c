"""What chance alone does: resamples of the runs for intervals, rearrangements of the arms for tests.

Intervals are bootstrap intervals whose quantiles are moved outwards, to where they would have to be for a mean of n
normal values. Plain 95 % quantiles held the truth in 83 to 90 % of simulated comparisons with 5 to 8 runs an arm, the
moved ones in 92 to 97 %. Tests are exact where all arrangements can be gone through.
Source: Hesterberg (2015), doi:10.1080/00031305.2015.1089789 (expanded percentile interval); Phipson &
Smyth (2010), doi:10.2202/1544-6115.1585 (p of a random permutation test is never 0); Holm (1979), Scand. J. Stat. 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain, combinations
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import stdtrit

MOST_ARRANGEMENTS = 20_000  # gone through one by one; beyond, so many are drawn
RESAMPLES = 10_000
AT_ONCE = 2_000  # arrangements in memory together

Masks = NDArray[np.bool_]
"""(B, N): which of N runs are in the first arm, for B arrangements of them."""


class PermutationTest(NamedTuple):
    """Among all ways to hand the runs to the arms, how many show as much as the way it was."""

    p: float  # two-sided
    arrangements: int  # gone through, or drawn with the one that was
    is_exact: bool


def permutation_test(
    statistic: Callable[[Masks], NDArray[np.float64]], observed: float, masks_BN: Masks, *, is_exact: bool
) -> PermutationTest:
    """The share of arrangements whose statistic is as far from 0 as the observed one.

    Args:
        statistic: (B, N) masks -> (B,) values, of which the sign tells the direction.
        observed: Its value as things were.
        masks_BN: Arrangements, from `relabellings` or `sign_flips`.
        is_exact: Whether they are all there are. Drawn ones are counted together with the observed one.
    """
    parts = np.array_split(masks_BN, math.ceil(len(masks_BN) / AT_ONCE))
    drawn_B = np.abs(np.concatenate([statistic(part) for part in parts]))
    # Equal arrangements differ in their last bits, by the order in which they were summed.
    as_far = int(np.sum(drawn_B >= abs(observed) - 1e-9 * max(1.0, abs(observed))))
    if is_exact:
        return PermutationTest(as_far / len(drawn_B), len(drawn_B), True)
    return PermutationTest((as_far + 1) / (len(drawn_B) + 1), len(drawn_B) + 1, False)


def relabellings(first: int, runs: int, rng: Generator) -> tuple[Masks, bool]:
    """Ways to choose the `first` runs of one arm among all: all of them where they are few, else drawn.

    Returns:
        (B, runs) and whether it is all of them.
    """
    if is_exact := math.comb(runs, first) <= MOST_ARRANGEMENTS:
        chosen = np.fromiter(chain.from_iterable(combinations(range(runs), first)), np.int64).reshape(-1, first)
    else:
        chosen = rng.permuted(np.tile(np.arange(runs), (MOST_ARRANGEMENTS - 1, 1)), axis=1)[:, :first]
    masks_BN = np.zeros((len(chosen), runs), np.bool_)
    np.put_along_axis(masks_BN, chosen, True, axis=1)
    return masks_BN, is_exact


def sign_flips(pairs: int, rng: Generator) -> tuple[Masks, bool]:
    """Ways to swap the two runs of each pair: all of them where they are few, else drawn.

    Returns:
        (B, 2 * pairs), the first members of the pairs before the second ones, and whether it is all of them.
    """
    if is_exact := 2**pairs <= MOST_ARRANGEMENTS:
        kept_BP = (np.arange(2**pairs)[:, None] >> np.arange(pairs)) % 2 == 0
    else:
        kept_BP = rng.random((MOST_ARRANGEMENTS - 1, pairs)) < 0.5
    return np.concatenate([kept_BP, ~kept_BP], axis=1), is_exact


def resamples(runs: int, rng: Generator) -> NDArray[np.int64]:
    """How often each of the runs is drawn, with replacement as many as there are: (RESAMPLES, runs)."""
    counts_BN: NDArray[np.int64] = rng.multinomial(runs, np.full(runs, 1 / runs), size=RESAMPLES)
    return counts_BN


def interval(drawn_B: NDArray[np.float64], runs: int) -> tuple[float, float]:
    """The expanded 95 % percentile interval of a statistic's bootstrap values.

    Args:
        drawn_B: The statistic in each resample.
        runs: Runs (or pairs) that were resampled, at least 2; of two arms, those of the smaller.
    """
    widened = math.sqrt(runs / (runs - 1)) * float(stdtrit(runs - 1, 0.025))
    tail = NormalDist().cdf(widened)
    low, high = np.quantile(drawn_B, [tail, 1 - tail])
    return float(low), float(high)


def holm(ps: Sequence[float]) -> list[float]:
    """Each p, corrected for how many there are: below 0.05 with probability at most 0.05 for any true hypothesis.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted, so_far = list(ps), 0.0
    for done, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        so_far = max(so_far, min(1.0, (len(ps) - done) * ps[place]))
        adjusted[place] = so_far
    return adjusted
