"""A sustained crossing: a reading reaches a threshold and stays there.

The crossing is dated at the earliest evaluation i at or above the threshold for which at least `share` of the
evaluations i, i+1, ..., i + window_evaluations - 1 are at or above it. One lucky evaluation is no crossing, one
unlucky evaluation does not undo it.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal

from pydantic import Field

from ..base.component import Component
from ..base.record import Event
from .replay import Readings, State, finite


class Crossing(Component):
    """Announce once that a reading has reached a threshold and held it."""

    kind: Literal["crossing"] = "crossing"
    event: str
    """Kind of the event announced, e.g. `memorized`."""
    reading: str
    """Name of the reading, e.g. `train/accuracy`."""
    at_least: float
    """The threshold, in the unit of the reading."""
    window_evaluations: int = Field(5, ge=1, json_schema_extra={"unit": "evaluations"})
    """How many evaluations, the first included, must speak for it."""
    share: float = Field(0.8, gt=0, le=1)
    """Share of these evaluations that must be at or above the threshold."""

    @cached_property
    def _needed(self) -> int:
        # 0.7 * 30 is 21.000000000000004 in floating point; nobody means 22.
        return math.ceil(self.share * self.window_evaluations - 1e-9)

    def init(self) -> State:
        """Nothing seen. `window` holds [step, value] of the last evaluations, one more than the rule looks at."""
        return {"evaluations": 0, "window": [], "crossed": None}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, list[Event]]:
        """Look at one evaluation; the event comes as soon as enough of its window is known.

        An evaluation without this reading is none; a NaN or infinite reading is an evaluation below the threshold.
        """
        if state["crossed"] is not None or self.reading not in readings:
            return state, []
        value = finite(readings[self.reading])
        window = [*state["window"], [step, value]][-self.window_evaluations - 1 :]
        new = {"evaluations": state["evaluations"] + 1, "window": window, "crossed": None}
        if not self._above(value):
            return new, []  # only an evaluation above can complete a window
        # The earliest candidate has at least as many evaluations above in its window as any later one,
        # so the first that suffices is the one the definition asks for.
        for place in range(max(0, len(window) - self.window_evaluations), len(window)):
            above = sum(self._above(later) for _, later in window[place:])
            if self._above(window[place][1]) and above >= self._needed:
                first_step, first_value = window[place]
                crossed = {
                    "step": first_step,
                    "known_at": step,
                    "value": first_value,
                    "evaluation": new["evaluations"] - (len(window) - place),  # counted from 0
                    "previous_step": window[place - 1][0] if place else None,
                }
                evidence: dict[str, float | int | str] = {
                    "reading": self.reading,
                    "at_least": self.at_least,
                    "value": first_value,
                    "evaluations_above": above,
                    "evaluations_seen": len(window) - place,
                }
                if crossed["previous_step"] is not None:
                    evidence["previous_step"] = crossed["previous_step"]
                return {**new, "window": [], "crossed": crossed}, [Event(first_step, self.event, step, evidence)]
        return new, []

    def possible(self, state: State) -> State | None:
        """The earliest crossing that further evaluations could still confirm: `step`, `previous_step`, `known_at`."""
        window = state["window"]
        for place in range(max(0, len(window) - self.window_evaluations + 1), len(window)):
            below = sum(not self._above(later) for _, later in window[place:])
            if self._above(window[place][1]) and below <= self.window_evaluations - self._needed:
                previous_step = window[place - 1][0] if place else None
                return {"step": window[place][0], "previous_step": previous_step, "known_at": window[-1][0]}
        return None

    def pending(self, state: State) -> bool:
        """Whether the last two evaluations were above, but too few have followed to call it sustained."""
        last_two = state["window"][-2:]
        return state["crossed"] is None and len(last_two) == 2 and all(self._above(value) for _, value in last_two)

    def _above(self, value: float | None) -> bool:
        return value is not None and value >= self.at_least
