"""A level held in the last readings of a trace: 4 of the last 5, dated by the first of them."""

from __future__ import annotations

from .replay import State
from .trace import SHORT


def crossed(trace: State, target: float) -> State | None:
    """The crossing that the last reading completes: 4 of the last 4 or 5 at the target, dated by the first of them."""
    past = trace["past"]
    if past[-1] < target or len(past) < SHORT - 1:
        return None
    xs = past[-SHORT:]
    if sum(x >= target for x in xs) < SHORT - 1:
        return None
    place = next(i for i, x in enumerate(xs) if x >= target)
    return _crossing(trace, place - len(xs), provisional=False)


def lately(trace: State, target: float) -> State | None:
    """A crossing that is too young to be sustained: at least the last two readings are at the target."""
    xs = trace["past"][-SHORT:]
    place = len(xs)
    while place and xs[place - 1] >= target:
        place -= 1
    return _crossing(trace, place - len(xs), provisional=True) if len(xs) - place >= 2 else None


def _crossing(trace: State, place: int, provisional: bool) -> State:
    """The crossing at one of the last readings, counted from the end: -1 is the last."""
    steps = trace["steps"]
    return {
        "step": steps[place],
        "previous_step": steps[place - 1] if len(steps) + place > 0 else None,
        "known_at": steps[-1],
        "reading": trace["n"] + place,  # counted from 0
        "provisional": provisional,
    }
