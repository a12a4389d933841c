"""How good probabilities are: do they tell events apart, are they near the truth, do they mean what they say?

    auroc    chance that a row with the event got the higher probability than one without; ties count half
    brier    mean of (p - y)^2
    skill    1 - brier / brier of always saying the share of the events; 0 is knowing nothing, below it is worse
    slope    of a logistic regression of y on logit(p): 1 means what it says, below 1 too sure of itself

Source: Brier (1950), Monthly Weather Review 78; Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747;
Cox (1958), doi:10.1093/biomet/45.3-4.562.

Suffixes: N rows, G groups of rows that stand or fall together.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .logistic import Floats, fit_logistic

BINS = 10
RESAMPLES = 400
_NEVER_SURE = 1e-6


class Bin(NamedTuple):
    """The rows whose probability lay in one tenth of the range."""

    said: float  # mean probability
    happened: float  # share of events
    rows: int


class Scores(NamedTuple):
    """Of one set of rows. Intervals are the 95 % quantiles over resampled groups; None where they mean nothing."""

    rows: int
    groups: int
    rate: float  # share of events
    said: float  # mean probability
    auroc: float | None
    auroc_95: tuple[float, float] | None
    brier: float | None
    skill: float | None
    skill_95: tuple[float, float] | None
    slope: float | None
    reliability: list[Bin]


def auroc(p_N: Floats, happened_N: NDArray[np.bool_]) -> float:
    """Area under the receiver operating characteristic; nan without both kinds of rows.

    Example:
        >>> auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
        0.75
    """
    return float(_aurocs(p_N, happened_N, np.ones((1, len(p_N))))[0])


def brier(p_N: Floats, happened_N: NDArray[np.bool_]) -> float:
    """Mean squared distance between probability and outcome."""
    return float(np.mean((p_N - happened_N) ** 2))


def skill(p_N: Floats, happened_N: NDArray[np.bool_]) -> float:
    """What is gained over always saying the share of the events; nan where all rows ended alike."""
    rate = happened_N.mean()
    return 1 - brier(p_N, happened_N) / float(rate * (1 - rate)) if 0 < rate < 1 else math.nan


def reliability(p_N: Floats, happened_N: NDArray[np.bool_]) -> list[Bin]:
    """Tenths of the range of probabilities, each with how often the event happened; empty ones are left out."""
    place_N = np.minimum((p_N * BINS).astype(int), BINS - 1)
    of = [place_N == place for place in range(BINS)]
    return [Bin(float(p_N[one].mean()), float(happened_N[one].mean()), int(one.sum())) for one in of if one.any()]


def scores(p_N: Floats, happened_N: NDArray[np.bool_], group_N: NDArray[np.int64], rng: Generator) -> Scores:
    """Everything that is told of a set of probabilities.

    Args:
        p_N: Probabilities.
        happened_N: Outcomes.
        group_N: Which rows stand or fall together, e.g. those of one configuration: the intervals resample these.
        rng: Draws the resamples.
    """
    groups, place_N = np.unique(group_N, return_inverse=True)
    if len(groups) < 2 or not 0 < happened_N.mean() < 1:
        share = float(happened_N.mean()) if len(happened_N) else math.nan
        said = float(p_N.mean()) if len(p_N) else math.nan
        return Scores(len(p_N), len(groups), share, said, None, None, None, None, None, None, [])
    weight_BN = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=RESAMPLES)[:, place_N]
    drawn = np.stack([_aurocs(p_N, happened_N, weight_BN), _skills(p_N, happened_N, weight_BN)])
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=1)
    sure_N = np.clip(p_N, _NEVER_SURE, 1 - _NEVER_SURE)
    line = fit_logistic(np.log(sure_N / (1 - sure_N))[:, None], happened_N, ridge=0.0)
    return Scores(
        rows=len(p_N),
        groups=len(groups),
        rate=float(happened_N.mean()),
        said=float(p_N.mean()),
        auroc=auroc(p_N, happened_N),
        auroc_95=(float(low[0]), float(high[0])),
        brier=brier(p_N, happened_N),
        skill=skill(p_N, happened_N),
        skill_95=(float(low[1]), float(high[1])),
        slope=float(line.weights_D[0]),
        reliability=reliability(p_N, happened_N),
    )


def _aurocs(p_N: Floats, happened_N: NDArray[np.bool_], weight_BN: NDArray[Any]) -> Floats:
    """One for each set of weights of the rows."""
    values, place_N = np.unique(p_N, return_inverse=True)
    order_N = np.argsort(place_N, kind="stable")
    first_U = np.searchsorted(place_N[order_N], np.arange(len(values)))
    events_BU, others_BU = (
        np.add.reduceat((weight_BN * of_N)[:, order_N], first_U, axis=1) for of_N in (happened_N, ~happened_N)
    )
    below_BU = np.cumsum(others_BU, axis=1) - others_BU / 2
    with np.errstate(invalid="ignore"):
        found: Floats = (events_BU * below_BU).sum(axis=1) / (events_BU.sum(axis=1) * others_BU.sum(axis=1))
    return found


def _skills(p_N: Floats, happened_N: NDArray[np.bool_], weight_BN: NDArray[Any]) -> Floats:
    total_B = weight_BN.sum(axis=1)
    rate_B = weight_BN @ happened_N / total_B
    brier_B = weight_BN @ ((p_N - happened_N) ** 2) / total_B
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where((rate_B > 0) & (rate_B < 1), 1 - brier_B / (rate_B * (1 - rate_B)), np.nan)
    return found
