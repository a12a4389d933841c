"""Stop when nothing can come any more: no numbers, a training loss far above its first value, or weights that rest."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from ...base.component import Component
from ..gauge import gauge
from ..replay import Readings, State

NOT_FINITE = 3  # evaluations in a row


class Collapsed(Component):
    """Stop after some evaluations in a row that say: not a number, diverged, or dead.

    Not a number takes 3 of them. Diverged is a training loss so many times its first value. Dead is a run whose every
    reading is the same to the last bit, a loss or a norm among them: accuracies may stand still while weights move.
    """

    kind: Literal["collapsed"] = "collapsed"
    for_evaluations: int = Field(20, ge=3, json_schema_extra={"unit": "evaluations"})
    """How many evaluations in a row must say so."""
    factor: float = Field(10.0, gt=1)
    """Multiple of its first value beyond which a training loss has diverged."""

    def init(self) -> State:
        """Nothing read."""
        return {"first": {}, "last": {}, "same": 0, "far": 0, "broken": 0}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The state after one evaluation, and the reason to stop, if there is one."""
        if not readings:
            return state, None
        values = {name: float(value) for name, value in readings.items() if math.isfinite(value)}
        losses = {
            name: value for name, value in values.items() if name.startswith("train") and gauge(name).scale.is_loss
        }
        first = {**losses, **state["first"]}
        far = [name for name, value in losses.items() if value > self.factor * first[name] > 0]
        tells = any(gauge(name).kind not in ("accuracy", "coverage") for name in values)
        same = bool(values) and tells and all(state["last"].get(name) == value for name, value in values.items())
        broken = sorted(set(readings) - set(values))
        state = {
            "first": first,
            "last": {**state["last"], **values},
            "same": state["same"] + 1 if same else 0,
            "far": state["far"] + 1 if far else 0,
            "broken": state["broken"] + 1 if broken else 0,
        }
        if state["broken"] >= NOT_FINITE:
            return state, f"{', '.join(broken[:3])} is no number in {state['broken']} evaluations in a row"
        if state["far"] >= self.for_evaluations:
            return state, (
                f"{far[0]} has been above {self.factor:g} times its first value for {state['far']} evaluations: "
                f"{losses[far[0]]:.4g}, {first[far[0]]:.4g} at first"
            )
        if state["same"] >= self.for_evaluations:
            return state, f"no reading has changed in its last bit for {state['same']} evaluations in a row"
        return state, None
