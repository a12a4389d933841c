"""Jumps of a loss-like reading: where it rises out of its own noise from one reading to the next.

A reading belongs to a jump if its logarithm is above the median of the 9 readings before the jump by ln 1.5 and by 8
times their noise (the median absolute difference between neighbours, as a standard deviation). Readings next to each
other make one jump, which is over when the logarithm has lost half of its rise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...base.record import Curve

LEAST = math.log(1.5)
SIGMAS = 8.0
BEFORE = 9  # readings
FEWEST = 4
TINY = 1e-300


class Jump(NamedTuple):
    """One jump of a reading, as far as its evaluations show it."""

    step: int  # of the highest reading
    first_step: int  # of the first reading that belongs to it
    previous_step: int  # of the reading before that
    before: float  # median of the readings before
    value: float  # the highest

    @property
    def rise(self) -> float:
        """In the unit of the reading."""
        return self.value - self.before


def find_jumps(curve: Curve) -> list[Jump]:
    """All jumps of a positive reading that is better when lower, in order.

    Example:
        >>> values = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 4.0, 3.0, 0.5, 0.4])
        >>> [(jump.previous_step, jump.step, jump.value) for jump in find_jumps(Curve(np.arange(10) * 10, values))]
        [(50, 60, 4.0)]
    """
    is_usable = np.isfinite(curve.values) & (curve.values >= 0)
    steps, values = curve.steps[is_usable], curve.values[is_usable]
    logs = np.log(np.maximum(values, TINY))
    found: list[Jump] = []
    place = FEWEST
    while place < len(logs):
        past = logs[max(0, place - BEFORE) : place]
        # Of a straight way down the median lies above its end: what came last counts as well.
        level = min(float(np.median(past)), float(past[-1]))
        noise = 1.4826 * float(np.median(np.abs(np.diff(past)))) / math.sqrt(2)
        if logs[place] - level < max(LEAST, SIGMAS * noise):
            place += 1
            continue
        end, top = place, place
        while end < len(logs) and logs[end] - level >= 0.5 * (logs[top] - level):
            top = end if logs[end] > logs[top] else top
            end += 1
        found.append(
            Jump(
                step=int(steps[top]),
                first_step=int(steps[place]),
                previous_step=int(steps[place - 1]),
                before=float(np.exp(level)),
                value=float(values[top]),
            )
        )
        place = end
        while place < len(logs) and logs[place] - level >= LEAST:  # on its way back it does not jump again
            place += 1
    return found
