"""The chance of an event by 2, 4 and 10 times the current step, from signs of the state at that step.

What is fitted is the hazard of each interval, between s and 2 s, 2 s and 4 s, 4 s and 10 s: the chance that the event
falls into it, given that it has not happened before. So a longer horizon is never less likely, and a run that was
watched to 3 s says what it knows about the first interval and nothing about the second.

    logit h_k = bias_k + gain_k * (intercept_k + weights_k . z),   z = (signs - center) / scale
    P(event by H_k s) = 1 - (1 - h_1) ... (1 - h_k)

`bias` and `gain` correct what the regression says of configurations it has not seen.

Suffixes: N states, D signs, K horizons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HORIZONS = (2.0, 4.0, 10.0)  # times the current step
NEVER = -1.0  # an `oldest` below every age: the horizon is not told at all


class Chances(NamedTuple):
    """A calibrated model, and where it holds."""

    signs: tuple[str, ...]
    center_D: Floats
    scale_D: Floats
    intercept_K: Floats
    weights_KD: Floats
    bias_K: Floats
    gain_K: Floats
    precision_DD: Floats  # inverse covariance of z
    farthest: float  # Mahalanobis distance from the center; beyond it nothing was calibrated
    lowest_D: Floats  # range of each sign, without the outermost hundredth on either side
    highest_D: Floats
    oldest_K: Floats  # highest `age` at which the interval up to the horizon was still observed

    def probabilities(self, signs_ND: Floats) -> Floats:
        """P(event by H s), (N, K)."""
        z_ND = (signs_ND - self.center_D) / self.scale_D
        logit_NK = self.bias_K + self.gain_K * (self.intercept_K + z_ND @ self.weights_KD.T)
        staying_NK = 1 / (1 + np.exp(np.clip(logit_NK, -500, 500)))
        return np.asarray(1 - np.cumprod(staying_NK, axis=1), np.float64)

    def distance(self, signs_ND: Floats) -> Floats:
        """Mahalanobis distance of states from the center of those that were calibrated on, (N,)."""
        z_ND = (signs_ND - self.center_D) / self.scale_D
        return np.asarray(np.sqrt(np.einsum("nd,de,ne->n", z_ND, self.precision_DD, z_ND)), np.float64)

    def row(self, signs: Mapping[str, float]) -> Floats:
        """The signs of one state as (1, D)."""
        return np.array([[signs[name] for name in self.signs]])

    def strangest(self, signs: Mapping[str, float]) -> tuple[str, float, float, float]:
        """The sign that lies farthest out, its value, and the range it was calibrated on."""
        x_D = self.row(signs)[0]
        out_D = np.maximum(self.lowest_D - x_D, x_D - self.highest_D) / self.scale_D
        worst = int(np.argmax(out_D))
        return self.signs[worst], float(x_D[worst]), float(self.lowest_D[worst]), float(self.highest_D[worst])

    def plain(self) -> dict[str, Any]:
        """As JSON data; `Chances.from_plain` gives it back bit for bit."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in zip(self._fields, self, strict=True)
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The model that told this."""
        told: dict[str, Any] = {name: _revived(plain[name]) for name in cls._fields}
        return cls(**told)


def _revived(value: float | Sequence[Any]) -> Any:
    if isinstance(value, float | int):
        return value
    return tuple(value) if value and isinstance(value[0], str) else np.array(value, np.float64)
