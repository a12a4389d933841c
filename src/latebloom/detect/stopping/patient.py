"""Stop when fitting is long past and validation has shown no sign of following: a run that is then right-censored.

Grokking has been published at a thousand times the steps that fitting took. So this rule never says that a run would
not have generalized; it says until when it was watched.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...base.component import Component
from ..replay import Readings, State
from .followed import follow_run, unfollowed

SIGN = 0.25  # share of the rise that counts as an onset
SIGMAS = 4.0  # noise


class Patient(Component):
    """Stop at a multiple of the steps that fitting took, unless there was a sign; a sign starts the wait again.

    A sign is a validation level above all it had since the training set was fitted, by a quarter of an onset's rise and
    four times its noise. Before the training set is fitted the rule never stops.
    """

    kind: Literal["patient"] = "patient"
    times: float = Field(100.0, gt=1)
    """Multiple of the steps until fitted, or until the last sign if that came later."""
    at_least_steps: int = Field(0, ge=0, json_schema_extra={"unit": "steps"})
    """Never stop before this step."""

    def init(self) -> State:
        """Nothing fitted yet."""
        return {"run": unfollowed(), "highest": None, "sign": None}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The state after one evaluation, and the reason to stop, if there is one."""
        run, watch = follow_run(state["run"], step, readings)
        state = {**state, "run": run}
        if watch is None or run["watch"]["fit"] is None or run["watch"]["gen"] is not None:
            return state, None
        seen, one = run["watch"], watch.gauges["val"]
        trace, fit = seen["traces"]["val"], seen["fit"]["step"]
        level = trace["level"]
        if state["highest"] is None:
            state |= {"highest": level, "sign": fit}
        elif level >= state["highest"] + max(SIGN * one.rise, SIGMAS * trace["noise"]) or seen["rise"] is not None:
            state |= {"highest": max(level, state["highest"]), "sign": step}
        # A first evaluation that finds it fitted dates that by the distance to the one before.
        since = max(state["sign"], 1)
        if step < max(self.times * since, self.at_least_steps):
            return state, None
        return state, (
            f"right-censored at step {step:,}: the training set was fitted at step {fit:,}, and {one.reading} has "
            f"shown no sign of following since step {state['sign']:,}; this is {step / since:.3g} times as long. "
            "Whether it would is not known"
        )
