"""Stop when nothing can come any more: no numbers, a loss far above its first value, weights that rest or are gone.

Weights that are gone: of their largest norm a hundredth is left, and the loss has stopped moving at the same value for
training and validation examples. Then no answer depends on what is asked. It happens where decay or a penalty pulls
harder than the loss. Neither sign is enough alone: a network that starts from small weights stands still before it
learns, and one that normalizes its layers can work with small weights.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from ...base.component import Component
from ..gauge import gauge
from ..replay import Readings, State

COLLAPSED = "collapsed: "  # begins every reason; a comparison knows by it that the run can never get there
NOT_FINITE = 3  # evaluations in a row
GONE = 0.01  # share of the largest weight norm
ALIKE = 1e-3  # relative difference of two losses
NORM, LOSSES = "weight_norm/l2", ("train/loss", "val/loss")


class Collapsed(Component):
    """Stop after some evaluations in a row that say: not a number, diverged, dead, or without weights.

    Not a number takes 3 of them, of a loss, a norm or what was a number before: a correlation has no value while all
    answers are equal. Diverged is a training loss so many times its first value. Dead is a run whose every reading is
    the same to the last bit, among them a loss or a norm that is not 0: accuracies and a loss of 0 may stand still
    while weights move.
    Without weights is a run that reads its weight norm (`weight_norm/l2`, `train/loss` and `val/loss` are needed) and
    has lost 99% of it, with one loss for both sets that no longer moves by a thousandth.
    """

    kind: Literal["collapsed"] = "collapsed"
    for_evaluations: int = Field(20, ge=3, json_schema_extra={"unit": "evaluations"})
    """How many evaluations in a row must say so."""
    factor: float = Field(10.0, gt=1)
    """Multiple of its first value beyond which a training loss has diverged."""

    def init(self) -> State:
        """Nothing read."""
        return {"first": {}, "last": {}, "same": 0, "far": 0, "broken": 0, "norm": 0.0, "level": None, "gone": 0}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The state after one evaluation, and the reason to stop, if there is one."""
        state, why = self._judged(state, readings)
        return state, why and COLLAPSED + why

    def _judged(self, state: State, readings: Readings) -> tuple[State, str | None]:
        if not readings:
            return state, None
        values = {name: float(value) for name, value in readings.items() if math.isfinite(value)}
        losses = {
            name: value for name, value in values.items() if name.startswith("train") and gauge(name).scale.is_loss
        }
        first = {**losses, **state["first"]}
        far = [name for name, value in losses.items() if value > self.factor * first[name] > 0]
        tells = any(value != 0 and _is_of_weights(name) for name, value in values.items())
        same = bool(values) and tells and all(state["last"].get(name) == value for name, value in values.items())
        broken = sorted(name for name in set(readings) - set(values) if name in state["last"] or _is_of_weights(name))
        norm = max(state["norm"], values.get(NORM, 0.0))
        level, gone = self._gone(state, norm, values)
        state = {
            "first": first,
            "last": {**state["last"], **values},
            "same": state["same"] + 1 if same else 0,
            "far": state["far"] + 1 if far else 0,
            "broken": state["broken"] + 1 if broken else 0,
            "norm": norm,
            "level": level,
            "gone": gone,
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
        if gone >= self.for_evaluations:
            return state, (
                f"{NORM} is {values[NORM] / norm:.2g} of its largest, and {' and '.join(LOSSES)} have stood at "
                f"{level:.4g} for {gone} evaluations: no answer depends on its question. Less decay or penalty may help"
            )
        return state, None

    def _gone(self, state: State, norm: float, values: dict[str, float]) -> tuple[float | None, int]:
        """The loss at which a network without weights stands, and for how many evaluations in a row."""
        if not {NORM, *LOSSES} <= set(values):
            return state["level"], state["gone"]
        train, val = (values[name] for name in LOSSES)
        if values[NORM] > GONE * norm or not math.isclose(train, val, rel_tol=ALIKE):
            return None, 0
        if state["level"] is not None and math.isclose(train, state["level"], rel_tol=ALIKE):
            return state["level"], state["gone"] + 1
        return train, 1


def _is_of_weights(name: str) -> bool:
    """Whether a reading moves with every weight: a loss, or a norm."""
    return gauge(name).scale.is_loss or "norm" in name
