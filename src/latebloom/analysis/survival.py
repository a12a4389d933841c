"""Times of which some are only known to be later than a step: right-censored.

    at risk r_i       runs for which it had not happened, and which were still watched, just before time i
    survival S(t)     product over times i <= t of (1 - happened_i / r_i)                        Kaplan & Meier
    variance of S     S^2 * sum over the same times of happened_i / (r_i * (r_i - happened_i))   Greenwood
    interval          S ^ exp(+-z * se(ln(-ln S))), which stays between 0 and 1
    restricted mean   area under S from 0 to the horizon = mean of min(time, horizon)

Where an event and an end of observation share a step, the event comes first. Suffixes: N runs, B resamples.
Source: Kaplan & Meier (1958), doi:10.1080/01621459.1958.10501452; restricted mean: Royston & Parmar (2013),
doi:10.1186/1471-2288-13-152.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z_95 = NormalDist().inv_cdf(0.975)


class Sample(NamedTuple):
    """The runs of one arm, in one order."""

    steps_N: NDArray[np.float64]  # when it happened, or until when it had not; > 0
    happened_N: NDArray[np.bool_]


class SurvivalCurve(NamedTuple):
    """The share of runs for which it has not happened yet: 1 before the first step, constant between steps."""

    steps: tuple[int, ...]  # steps at which it happened for at least one run
    survival: tuple[float, ...]  # from that step on
    low: tuple[float | None, ...]  # 95 % interval; None where survival is 0 and the formula undefined
    high: tuple[float | None, ...]


def kaplan_meier(sample: Sample) -> SurvivalCurve:
    """The survival curve of an arm, with the log-log interval.

    Example:
        >>> curve = kaplan_meier(Sample(np.array([1300.0, 3300, 9000, 9000]), np.array([True, True, False, False])))
        >>> curve.steps, curve.survival
        ((1300, 3300), (0.75, 0.5))
    """
    times = np.unique(sample.steps_N[sample.happened_N])
    at_risk = np.array([np.sum(sample.steps_N >= time) for time in times])
    happened = np.array([np.sum(sample.steps_N[sample.happened_N] == time) for time in times])
    survival, low, high, spread = 1.0, list[float | None](), list[float | None](), 0.0
    levels = list[float]()
    for risk, count in zip(at_risk, happened, strict=True):
        survival *= 1 - count / risk
        levels.append(float(survival))
        if count == risk:
            low.append(None)
            high.append(None)
            continue
        spread += count / (risk * (risk - count))
        error = math.sqrt(spread) / -math.log(survival)
        low.append(float(survival ** math.exp(Z_95 * error)))
        high.append(float(survival ** math.exp(-Z_95 * error)))
    return SurvivalCurve(tuple(int(time) for time in times), tuple(levels), tuple(low), tuple(high))


def median(curve: SurvivalCurve) -> int | None:
    """The first step by which it has happened for half of the runs; None if that was not seen."""
    # The product of 23/24 to 12/13, which is one half, comes out as 0.5000000000000001.
    return next((step for step, level in zip(curve.steps, curve.survival, strict=True) if level <= 0.5 + 1e-12), None)


def restricted_mean(
    values_N: NDArray[np.float64],
    happened_N: NDArray[np.bool_],
    horizon: float,
    counts_BN: NDArray[np.integer] | NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Mean of min(value, horizon) under the Kaplan-Meier curve, for one or many weightings of the runs.

    It is the area under the curve when the values are steps, and the log of the restricted geometric mean when they
    are log steps: the curve depends on the order of the values alone. What has not happened when the last run leaves
    counts as the horizon, so for a restricted mean some run has to be watched that long.

    Args:
        values_N: Times on any increasing scale, none above the horizon.
        happened_N: Whether it happened then; else it had not by then.
        horizon: On the same scale.
        counts_BN: How often each run counts: 0 or 1 for membership of an arm, more in a bootstrap resample. By
            default every run once.

    Returns:
        (B,); the horizon where no run counts.

    Example:
        >>> values, happened = np.array([1300.0, 3300, 9000, 9000]), np.array([True, True, False, False])
        >>> restricted_mean(values, happened, 9000.0)      # (1300 + 3300 + 9000 + 9000) / 4
        array([5650.])
    """
    order = np.lexsort((~happened_N, values_N))
    values_N, happened_N = values_N[order], happened_N[order]
    weights_BN = np.ones((1, len(order))) if counts_BN is None else counts_BN[:, order].astype(np.float64)
    at_risk_BN = np.cumsum(weights_BN[:, ::-1], axis=1)[:, ::-1]
    # Tied runs one after the other: (r - 1) / r * (r - 2) / (r - 1) = (r - 2) / r, as if taken together.
    happening_BN = weights_BN * happened_N
    hazard_BN = np.divide(happening_BN, at_risk_BN, out=np.zeros_like(at_risk_BN), where=at_risk_BN > 0)
    after_BN = np.cumprod(1 - hazard_BN, axis=1)
    before_BN = np.concatenate([np.ones((len(after_BN), 1)), after_BN[:, :-1]], axis=1)
    values_N = np.where(happened_N, values_N, horizon)  # a run that leaves has no mass, whatever its value
    mean_B: NDArray[np.float64] = (before_BN - after_BN) @ values_N + after_BN[:, -1] * horizon
    return mean_B


def logrank_p(first: Sample, second: Sample) -> float | None:
    """Two-sided p of the log-rank test, by its normal approximation; None without an event to tell by.

    Source: Mantel (1966); Peto & Peto (1972), doi:10.2307/2344317.
    """
    surplus = variance = 0.0
    happened = np.concatenate([first.steps_N[first.happened_N], second.steps_N[second.happened_N]])
    for time, count in zip(*np.unique(happened, return_counts=True), strict=True):
        in_first, in_second = int(np.sum(first.steps_N >= time)), int(np.sum(second.steps_N >= time))
        at_risk = in_first + in_second
        surplus += np.sum(first.steps_N[first.happened_N] == time) - count * in_first / at_risk
        if at_risk > 1:
            variance += count * (in_first / at_risk) * (in_second / at_risk) * (at_risk - count) / (at_risk - 1)
    return math.erfc(abs(surplus) / math.sqrt(2 * variance)) if variance > 0 else None


def wilson(count: int, of: int) -> tuple[float, float]:
    """95 % interval of a share by Wilson's score: never empty, never outside 0 to 1, even for 0 of 5.

    Example:
        >>> [round(end, 3) for end in wilson(0, 5)]
        [0.0, 0.434]

    Source: Wilson (1927), doi:10.1080/01621459.1927.10502953.
    """
    share, weight = count / of, Z_95**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)
