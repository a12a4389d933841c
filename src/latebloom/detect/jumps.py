"""Sudden changes of one reading: a spike comes back, a level shift stays.

A jump is a reading that is away from the level before it by more than `Scale.jump` and 8 times the jitter, while the 8
readings before had moved by less than a quarter of that: a steep slope is no jump. It is a spike if one of the next 5
readings is back within a fifth of it, and a level shift if none is and their median is still away.
"""

from __future__ import annotations

from typing import Any

from ..base.record import Event
from .replay import State
from .scale import Scale

SIGMAS = 8.0
WAIT = 5  # readings
BACK = 0.2  # share of the jump
SLOPE = 0.25  # share of the jump that the readings before may have moved
BEFORE = 8  # readings

Pending = list[Any]
"""[step, previous step, level before, farthest level, levels since]."""


def begins(before: State, step: int, x: float, gauge: Scale) -> Pending | None:
    """The jump that this reading may be, with the trace as it was before it."""
    level = before["level"]
    past, size = before["past"][-BEFORE:], abs(x - level)
    if size < gauge.jump or len(past) < BEFORE or abs(level - past[0]) > SLOPE * size:
        return None
    # Early in a run the jitter still remembers how steep the beginning was.
    if size < SIGMAS * min(before["jitter"], max(past) - min(past)):
        return None
    return [step, before["steps"][-1], level, x, [x]]


def goes_on(pending: Pending, step: int, x: float, gauge: Scale) -> tuple[Pending | None, Event | None]:
    """The jump after one more reading, or what it turned out to be; an improvement that comes back is nothing."""
    began, previous, level, farthest, since = pending
    sign = 1 if farthest > level else -1
    farthest = max(farthest, x, key=lambda one: sign * one)
    since = [*since, x]
    evidence: dict[str, float | int | str] = {
        "reading": gauge.reading,
        "before": gauge.value(level),
        "farthest": gauge.value(farthest),
        "previous_step": previous,
    }
    if sign * (x - level) <= BACK * abs(farthest - level):
        back = {**evidence, "back_after_evaluations": len(since) - 1, "value": gauge.value(x)}
        return None, Event(began, "spike", step, back) if sign < 0 else None
    if len(since) < WAIT:
        return [began, previous, level, farthest, since], None
    middle = sorted(since)[WAIT // 2]
    if sign * (middle - level) < gauge.jump:
        return None, None
    after = gauge.value(middle)
    evidence |= {"after": after, "direction": "better" if sign > 0 else "worse"}
    if gauge.is_loss:
        evidence["factor"] = after / gauge.value(level)
    return None, Event(began, "level_shift", step, evidence)
