"""Stop once it has generalized."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...base.component import Component
from ..replay import Readings, State, finite


class AfterGeneralization(Component):
    """Stop once a validation reading has held a level for some evaluations in a row."""

    kind: Literal["after_generalization"] = "after_generalization"
    reading: str = "val/accuracy"
    """Name of the reading."""
    at_least: float = 0.99
    """The level, in the unit of the reading."""
    for_evaluations: int = Field(5, ge=1, json_schema_extra={"unit": "evaluations"})
    """How many evaluations in a row must be at or above the level."""

    def init(self) -> State:
        """No evaluation above the level yet."""
        return {"in_a_row": 0, "since": None}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The state after one evaluation, and the reason to stop, if there is one."""
        if self.reading not in readings:
            return state, None
        value = finite(readings[self.reading])
        if value is None or value < self.at_least:
            return self.init(), None
        since = step if state["since"] is None else state["since"]
        state = {"in_a_row": state["in_a_row"] + 1, "since": since}
        if state["in_a_row"] < self.for_evaluations:
            return state, None
        return state, (
            f"{self.reading} was at least {self.at_least:g} in {state['in_a_row']} evaluations in a row, "
            f"from step {since:,} to {step:,}"
        )
