"""How the values of one reading become levels, of which the higher is the better, and progress from the floor.

accuracy, correlation, coverage    x = value          g = (x - floor) / (ceiling - floor)
loss                               x = -ln(value)     g = 1 - value / floor
custom, higher or lower            x = +-value        g as for accuracies, or from the first value to the best
"""

from __future__ import annotations

import math
from typing import Literal

Kind = Literal["accuracy", "loss", "correlation", "coverage", "custom"]

TINY = 1e-30  # a loss of zero, as a logarithm
LOSS_MATTERS = 0.02  # share of the uninformed loss that is missed

_DELTA = {"accuracy": 0.05, "correlation": 0.1, "coverage": 0.1, "loss": math.log(1.2), "custom": 0.1}
_RISE = {"loss": math.log(2.0)}
_JUMP = {"loss": math.log(1.5)}
_SWING = {"loss": math.log(1.5)}
_FINEST = {"loss": 0.005}


class Scale:
    """A `Gauge` worked out once. Plain attributes, because all of them are asked for at every evaluation."""

    __slots__ = (
        *("reading", "kind", "is_loss", "sign", "unit", "floor", "ceiling", "standard_error"),
        *("worse", "rise", "jump", "swing", "finest", "_top", "_has_top"),
    )

    def __init__(
        self,
        reading: str,
        kind: Kind,
        better: Literal["higher", "lower"],
        floor: float | None,
        ceiling: float | None,
        standard_error: float | None,
        matters: float | None,
        unit: float,
    ) -> None:
        self.reading, self.kind, self.unit = reading, kind, unit
        self.is_loss = kind == "loss"  # levels are logarithms
        self.sign = 1.0 if better == "higher" else -1.0
        self.floor, self.ceiling, self.standard_error = floor, ceiling, standard_error
        self.worse = _DELTA[kind] if matters is None else matters  # loss of level that matters in practice
        self.rise = _RISE.get(kind, 0.20)  # gain of level that counts as an onset
        self.jump = _JUMP.get(kind, 0.10)  # change from one reading to the next that is an event
        self.swing = _SWING.get(kind, 0.30)  # rise or fall that makes a run unstable if it happens again and again
        given = 0.0 if standard_error is None or self.is_loss else standard_error * unit
        self.finest = max(_FINEST.get(kind, 0.002), given)  # noise of the level below which none is told apart
        self._top = 1.0 if ceiling is None else self.level(ceiling)
        self._has_top = kind != "custom" or ceiling is not None

    def level(self, value: float) -> float:
        """x of a value."""
        if self.is_loss:
            return -math.log(value * self.unit) if value > TINY else -math.log(TINY)
        return self.sign * value * self.unit

    def value(self, x: float) -> float:
        """The value of a level, in the unit of the reading, per cent as a fraction."""
        return math.exp(-x) if self.is_loss else self.sign * x

    def start(self, x: float) -> float:
        """Level of the floor, if `x` is the first reading's."""
        if self.floor is not None:
            return self.level(self.floor)
        if self.kind == "accuracy":
            return min(max(x, 0.0), 0.5)
        return 0.0 if self.kind in ("correlation", "coverage") else x

    def progress(self, x: float, start: float) -> float:
        """g of a level."""
        if self.is_loss:
            return 1.0 - math.exp(min(start - x, 50.0))
        span = self._top - start if self._has_top else max(abs(start), 1e-12)
        return (x - start) / span if span > 0 else 0.0

    def goal(self, start: float, share: float, loss_share: float) -> float | None:
        """The level at `share` of the way, or at `loss_share` of the uninformed loss; None if the end is not known."""
        if self.is_loss:
            return start - math.log(loss_share)
        if self.kind == "accuracy":
            return share * self._top
        return None if self.ceiling is None else start + share * (self._top - start)

    def same(self, better: float, worse: float, start: float) -> bool:
        """Whether the step from a better to a worse level is too small to matter, whatever the noise."""
        if better - worse < self.worse * (max(abs(start), 1e-12) if self.kind == "custom" else 1.0):
            return True
        # At a loss of 1e-6 a factor of ten is nothing that anybody would miss.
        return self.is_loss and math.exp(-worse) - math.exp(-better) < LOSS_MATTERS * math.exp(-start)
