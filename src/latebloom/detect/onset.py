"""The onset of delayed generalization: validation leaves its floor while the training set is fitted.

Since the training set was fitted, and while it is, validation rose 0.20 (for a loss: halved) and 8 times its noise
above the lowest level, above all it held before that, and to a progress of 0.2; 3 readings in a row.
"""

from __future__ import annotations

from ..base.record import Event
from .replay import State
from .scale import Scale

IN_A_ROW = 3  # readings
SIGMAS = 8.0  # noise that an onset must exceed
LEARNED = 0.2  # progress that it must reach
NOT_YET = 0.8  # progress; a run that had more when it was fitted has nothing to rise to


def rise(state: State, step: int, x: float, one: Scale, events: list[Event]) -> None:
    """Bring a state, in place, up to one more validation reading since the training set was fitted.

    Args:
        state: Of a `Watch`.
        step: Of the reading.
        x: Its level.
        one: What the level means.
        events: The onset is added to it.
    """
    traces = state["traces"]
    if traces["train"]["level"] < state["still_fitted"]:
        state["rise"] = None
        return
    floor, rising, needed, is_risen = state["floor"], state["rise"], 0.0, False
    if floor is None or x < floor + max(0.5 * one.rise, 4 * state["calm"]):
        state["calm"] = traces["val"]["noise"]
    if floor is not None and x >= floor + one.rise:
        start = traces["val"]["start"]
        needed = max(one.rise, SIGMAS * state["calm"])
        is_risen = (
            x >= floor + needed
            and x >= state["peak"]
            and one.progress(x, start) >= LEARNED
            and one.progress(floor, start) < NOT_YET
        )
    if is_risen or rising is not None:
        rising = None if not is_risen else [step, 1] if rising is None else [rising[0], rising[1] + 1]
        state["rise"] = rising
    _follow_floor(state, x)
    if rising is not None and rising[1] == IN_A_ROW:
        state["onset"] = rising[0]
        evidence: dict[str, float | int | str] = {
            "reading": one.reading,
            "floor": one.value(floor),
            "value": one.value(x),
            "rise_needed": needed,
            "noise": state["calm"],
        }
        events.append(Event(rising[0], "onset", state["step"], evidence))


def has_risen(state: State, level: float, one: Scale) -> bool:
    """Whether there was an onset and a level is still up."""
    if state["onset"] is None:
        return False
    return bool(level >= state["floor"] + 0.5 * max(one.rise, SIGMAS * state["calm"]))


def _follow_floor(state: State, x: float) -> None:
    state["since_fit"] = since = [*state["since_fit"][-4:], x]
    floor, high = state["floor"], state["high"]
    if floor is None or x < floor or x > high:  # else the median of the last 5 can be neither lower nor higher
        level = sorted(since)[(len(since) - 1) // 2]
        state["high"] = high = level if high is None else max(high, level)
        if floor is None or level < floor:
            state["floor"], state["peak"] = level, high
