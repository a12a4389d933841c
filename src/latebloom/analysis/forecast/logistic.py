"""Logistic regression with a ridge: few coefficients, a unique solution, no random start.

    p = 1 / (1 + exp(-(intercept + weights . z)))

The weights minimise the negative log-likelihood + ridge / 2 * |weights|^2, found by Newton's method. The intercept is
not shrunk, so the mean of the fitted probabilities is the share of the events.

Suffixes: N rows, D columns.
Source: le Cessie & van Houwelingen (1992), doi:10.2307/2347628.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

MOST_STEPS = 100

Floats = NDArray[np.float64]


class Logistic(NamedTuple):
    """A fitted regression."""

    intercept: float
    weights_D: Floats

    def logit(self, z_ND: Floats) -> Floats:
        """ln(p / (1 - p)) of rows."""
        return np.asarray(self.intercept + z_ND @ self.weights_D, np.float64)


def fit_logistic(z_ND: Floats, happened_N: NDArray[np.bool_], ridge: float = 1.0) -> Logistic:
    """The regression of rows.

    Args:
        z_ND: Columns, of which the scale matters to the ridge: standardise them.
        happened_N: Whether the event happened. With only one kind of rows the intercept is that of (k + 1) / (n + 2).
        ridge: How strongly the weights are pulled to 0; 0 is plain maximum likelihood.
    """
    n, d = z_ND.shape
    count = int(happened_N.sum())
    prior = (count + 1) / (n + 2)
    beta = np.zeros(d + 1)
    beta[0] = np.log(prior / (1 - prior))
    if count in (0, n):
        return Logistic(float(beta[0]), beta[1:])
    rows = np.hstack([np.ones((n, 1)), z_ND])
    shrink = np.full(d + 1, float(ridge))
    shrink[0] = 0.0
    cost = _cost(rows @ beta, happened_N, beta, shrink)
    for _ in range(MOST_STEPS):
        p = expit(rows @ beta)
        slope = rows.T @ (p - happened_N) + shrink * beta
        curvature = (rows * (p * (1 - p))[:, None]).T @ rows + np.diag(shrink + 1e-12)
        move = np.linalg.solve(curvature, slope)
        size = 1.0
        while (
            new := _cost(rows @ (beta - size * move), happened_N, beta - size * move, shrink)
        ) > cost and size > 1e-6:
            size /= 2  # far from the solution a whole Newton step may overshoot
        beta, gained, cost = beta - size * move, cost - new, new
        if gained < 1e-11 * max(1.0, abs(cost)):
            break
    return Logistic(float(beta[0]), beta[1:])


def _cost(logit_N: Floats, happened_N: NDArray[np.bool_], beta: Floats, shrink: Floats) -> float:
    signed = np.where(happened_N, -logit_N, logit_N)
    likelihood = np.logaddexp(0.0, signed).sum()
    return float(likelihood + 0.5 * (shrink * beta**2).sum())
