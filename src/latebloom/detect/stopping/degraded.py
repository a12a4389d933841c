"""Stop when what was reached is lost for good.

A validation reading counts as lost as it does for the verdicts of a watched run: worse than its best by what matters
and by ten times its noise, with something to lose. A reading that never got anywhere cannot be lost, so a run that
memorizes is left alone, however high its validation loss climbs.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...base.component import Component
from ..replay import Readings, State
from .followed import follow_run, unfollowed


class OnDegradation(Component):
    """Stop once a validation reading has been lost for some evaluations in a row, long after its best.

    The wait leaves room for a second descent, which comes about when the training set is fitted: before
    that the rule waits longer.
    """

    kind: Literal["on_degradation"] = "on_degradation"
    for_evaluations: int = Field(20, ge=1, json_schema_extra={"unit": "evaluations"})
    """How many evaluations in a row must find it lost."""
    times: float = Field(2.0, ge=1)
    """Never stop before this multiple of the steps to a best that came after the training set was fitted."""
    times_unfitted: float = Field(10.0, ge=1)
    """Never stop before this multiple of the steps to the fit where the best came before it, nor of the steps to the
    best while the training set is not fitted."""

    def init(self) -> State:
        """Nothing lost yet."""
        return {"run": unfollowed(), "in_a_row": 0}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The state after one evaluation, and the reason to stop, if there is one."""
        run, watch = follow_run(state["run"], step, readings)
        if watch is None:
            return {**state, "run": run}, None
        seen = run["watch"]
        lost = watch.lost(seen)
        count = state["in_a_row"] + 1 if lost else 0
        state = {"run": run, "in_a_row": count}
        if count < self.for_evaluations:
            return state, None
        for place in lost:
            one, trace = watch.gauges[place], seen["traces"][place]
            best_step = trace["best_step"]
            fit = seen["fit"]
            if fit is None:
                earliest = self.times_unfitted * best_step
            elif best_step < fit["step"]:  # what was lost was not learned yet: what comes of the fit is still to come
                earliest = self.times_unfitted * fit["step"]
            else:
                earliest = self.times * best_step
            if step >= earliest:
                best, now = one.value(trace["best"]), one.value(trace["level"])
                return state, (
                    f"{one.reading} has been worse than its best for {count} evaluations: {best:.4g} around step "
                    f"{best_step:,}, {now:.4g} at step {step:,}"
                )
        return state, None
