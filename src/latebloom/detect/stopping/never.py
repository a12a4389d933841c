"""Train to the last step."""

from __future__ import annotations

from typing import Literal

from ...base.component import Component
from ..replay import Readings, State


class Never(Component):
    """Train to the last step."""

    kind: Literal["never"] = "never"

    def init(self) -> State:
        """Nothing to remember."""
        return {}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """No reason, ever."""
        return state, None
