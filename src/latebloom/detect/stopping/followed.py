"""A watch of whatever a run reads: the first evaluation that has two readings to judge by settles which they are."""

from __future__ import annotations

from ..gauge import gauge
from ..pair import pair, side
from ..replay import Readings, State
from ..watch import Watch


def unfollowed() -> State:
    """Nothing read."""
    return {"train": None, "val": None, "also": [], "watch": None}


def follow_run(state: State, step: int, readings: Readings) -> tuple[State, Watch | None]:
    """The state after one more evaluation, and the watch that belongs to it; None while there is nothing to judge."""
    if state["watch"] is None:
        train, val = pair(readings)
        if train is None or val is None:
            return state, None
        also = [one for one in readings if side(one) == "val" and one != val and not gauge(one).scale.is_loss]
        state = {"train": train, "val": val, "also": also, "watch": None}
    watch = Watch(
        train=gauge(state["train"]), val=gauge(state["val"]), also=tuple(gauge(name) for name in state["also"])
    )
    followed, _ = watch.update(state["watch"] or watch.init(), step, readings)
    return {**state, "watch": followed}, watch.scaled(followed)
