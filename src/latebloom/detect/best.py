"""The best value a reading has had, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from ..base.component import Component
from ..base.record import Event
from .gauge import gauge
from .replay import Readings, State, finite

SCORES = ("accuracy", "coverage", "correlation")


class Best(Component):
    """Remember the best finite value of a reading and its step; the earliest of equals. Announces nothing.

    Example:
        >>> best = Best(reading="val/loss")
        >>> state, _ = best.update(best.init(), 100, {"val/loss": 2.5})
        >>> best.update(state, 200, {"val/loss": float("nan")})[0]
        {'step': 100, 'value': 2.5}
    """

    kind: Literal["best"] = "best"
    reading: str
    """Name of the reading, e.g. `val/loss`."""
    better: Literal["lower", "higher"] = "lower"
    """Which direction is better; if not given, higher for an accuracy, coverage, correlation or r2."""

    @model_validator(mode="before")
    @classmethod
    def _by_its_name(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "better" in given or not isinstance(given.get("reading"), str):
            return given
        reading = given["reading"]
        is_score = gauge(reading).kind in SCORES or "r2" in reading.split("/")
        return {**given, "better": "higher" if is_score else "lower"}

    def init(self) -> State:
        """No best yet."""
        return {"step": None, "value": None}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, list[Event]]:
        """Take over `value` if it beats the best so far."""
        value, so_far = finite(readings.get(self.reading)), state["value"]
        if value is None:
            return state, []
        beats = so_far is None or (value < so_far if self.better == "lower" else value > so_far)
        return ({"step": step, "value": value} if beats else state), []
