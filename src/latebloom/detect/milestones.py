"""When a watched run memorized and when it generalized, by sustained crossings, and how often it lost that again."""

from __future__ import annotations

from ..base.record import Event
from .onset import rise
from .replay import State
from .scale import Scale
from .sustained import crossed
from .trace import SHORT

STILL_FITTED, LOSS_STILL_FITTED = 0.9, 0.25  # of the accuracy, of the uninformed loss
DIP, BACK = 0.5, 0.9  # share of the target


def memorize(state: State, train: Scale, val: Scale | None, events: list[Event]) -> None:
    """Look, after a training reading, whether the training set is fitted by now; `state` is changed."""
    trace = state["traces"]["train"]
    target = trace["target"]
    if target is None or (found := crossed(trace, target)) is None:
        return
    least = train.goal(trace["start"], STILL_FITTED, LOSS_STILL_FITTED)
    state["fit"], state["still_fitted"] = found, target if least is None else least
    events.append(_crossing("memorized", found, train, target))
    seen = state["traces"].get("val")
    if seen is None or val is None:
        return
    pairs = list(zip(seen["steps"][-SHORT - 1 :], seen["past"][-SHORT - 1 :], strict=True))
    state["at_fit"] = next((x for at, x in reversed(pairs) if at <= found["step"]), pairs[0][1])
    for at, x in pairs:
        if found["step"] <= at < state["step"]:  # the reading of this step is still to come
            rise(state, at, x, val, events)


def generalize(state: State, step: int, val: Scale, events: list[Event]) -> None:
    """Look, after a validation reading, whether the run rises or has generalized by now; `state` is changed."""
    trace = state["traces"]["val"]
    x, target = trace["past"][-1], trace["target"]
    if state["fit"] is not None and state["onset"] is None:
        if state["at_fit"] is None:
            state["at_fit"] = x
        rise(state, step, x, val, events)
    if state["gen"] is not None:
        _dip(state, x, trace["start"], target, val)
    elif target is not None and (found := crossed(trace, target)) is not None:
        state["gen"] = found
        events.append(_crossing("generalized", found, val, target))


def _dip(state: State, x: float, start: float, target: float | None, val: Scale) -> None:
    count, is_inside = state["dips"]
    if not is_inside and target is not None and x >= target:
        return
    share = val.progress(x, start) / (1.0 if target is None else val.progress(target, start))
    if not is_inside and share < DIP:
        state["dips"] = [count, True]
    elif is_inside and share >= BACK:
        state["dips"] = [count + 1, False]


def _crossing(kind: str, found: State, one: Scale, target: float) -> Event:
    evidence: dict[str, float | int | str] = {"reading": one.reading, "target": one.value(target)}
    if found["previous_step"] is not None:
        evidence["previous_step"] = found["previous_step"]
    return Event(found["step"], kind, found["known_at"], evidence)
