"""From landmarks to chances: a hazard for each interval, corrected by what it says of configurations it has not seen.

Suffixes: N landmarks, D signs, K horizons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.seeds import stream
from ...detect.chances import HORIZONS, Chances
from .landmarks import Table
from .logistic import Floats, Logistic, fit_logistic

RIDGE = 1.0  # on standardised signs
FOLDS = 10
INNER_FOLDS = 5  # for the correction
FARTHEST = 0.99  # share of the landmarks that lie nearer than what is still judged
RANGE = (0.01, 0.99)
OLDEST = 0.98  # share of the landmarks of an interval that are younger than what is still judged


class Hazards(NamedTuple):
    """A regression for each interval, before it is corrected."""

    center_D: Floats
    scale_D: Floats
    fits: list[Logistic]

    def logits(self, signs_ND: Floats) -> Floats:
        """(N, K)."""
        z_ND = (signs_ND - self.center_D) / self.scale_D
        return np.stack([fit.logit(z_ND) for fit in self.fits], axis=1)


def calibrate(rows: Table, seed: int = 0) -> Chances:
    """The chances that fit a table.

    Args:
        rows: Landmarks.
        seed: Decides the folds of configurations for the correction.
    """
    hazards = _hazards(rows)
    logits_NK = _unseen_logits(rows, folds(rows.configuration_N, INNER_FOLDS, seed, "recalibration"))
    corrections = [
        _correction(logits_NK[risk_N, k : k + 1], rows.happened_NK[risk_N, k]) for k, risk_N in enumerate(at_risk(rows))
    ]
    z_ND = (rows.signs_ND - hazards.center_D) / hazards.scale_D
    spread_DD = np.cov(z_ND.T).reshape(len(rows.names), -1) + 1e-3 * np.eye(len(rows.names))
    precision_DD = np.asarray(np.linalg.inv(spread_DD), np.float64)
    distance_N = np.sqrt(np.einsum("nd,de,ne->n", z_ND, precision_DD, z_ND))
    low_D, high_D = np.quantile(rows.signs_ND, RANGE, axis=0)
    oldest = [float(np.quantile(rows.age_N[risk_N], OLDEST)) if risk_N.any() else -1.0 for risk_N in at_risk(rows)]
    return Chances(
        signs=rows.names,
        center_D=hazards.center_D,
        scale_D=hazards.scale_D,
        intercept_K=np.array([fit.intercept for fit in hazards.fits]),
        weights_KD=np.stack([fit.weights_D for fit in hazards.fits]),
        bias_K=np.array([one.intercept for one in corrections]),
        gain_K=np.array([one.weights_D[0] for one in corrections]),
        precision_DD=precision_DD,
        farthest=float(np.quantile(distance_N, FARTHEST)),
        lowest_D=low_D,
        highest_D=high_D,
        oldest_K=np.minimum.accumulate(oldest),
    )


def at_risk(rows: Table) -> list[NDArray[np.bool_]]:
    """For each interval the landmarks that reached it without the event and were watched to its end."""
    before = [np.zeros(len(rows.age_N), np.bool_), *rows.happened_NK.T[:-1]]
    return [known_N & ~before_N for known_N, before_N in zip(rows.known_NK.T, before, strict=True)]


def folds(configuration_N: NDArray[np.int64], count: int, seed: int, purpose: str) -> NDArray[np.int64]:
    """A fold for each row: all rows of a configuration in the same one, configurations at random."""
    configurations = np.unique(configuration_N)
    order = stream(seed, f"forecast/{purpose}").permutation(len(configurations))
    fold = dict(zip(configurations[order].tolist(), (np.arange(len(order)) % count).tolist(), strict=True))
    return np.array([fold[one] for one in configuration_N.tolist()], np.int64)


def _correction(logit_N1: Floats, happened_N: NDArray[np.bool_]) -> Logistic:
    """What the logits of unseen configurations must be turned into; the rate, if they say the opposite of what is."""
    line = fit_logistic(logit_N1, happened_N, ridge=0.0)
    return line if line.weights_D[0] >= 0 else fit_logistic(np.zeros_like(logit_N1), happened_N)


def _hazards(rows: Table) -> Hazards:
    center_D, scale_D = rows.signs_ND.mean(axis=0), rows.signs_ND.std(axis=0)
    scale_D = np.where(scale_D > 1e-9, scale_D, 1.0)
    z_ND = (rows.signs_ND - center_D) / scale_D
    fits = [fit_logistic(z_ND[risk_N], rows.happened_NK[risk_N, k], RIDGE) for k, risk_N in enumerate(at_risk(rows))]
    return Hazards(center_D, scale_D, fits)


def _unseen_logits(rows: Table, fold_N: NDArray[np.int64]) -> Floats:
    """What hazards fitted on the other folds say of each row."""
    logits_NK = np.zeros((len(fold_N), len(HORIZONS)))
    for fold in np.unique(fold_N):
        out_N = fold_N == fold
        logits_NK[out_N] = _hazards(rows.where(~out_N)).logits(rows.signs_ND[out_N])
    return logits_NK
