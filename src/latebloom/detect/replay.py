"""What a detector is, and how it is run over a finished log.

A detector is a frozen component with `init() -> State` and `update(state, step, readings) -> (State, events)`.
`update` never changes the state it was given, and a state is plain JSON data of bounded size: it goes into every
checkpoint. Watching a training and replaying its log are therefore the same function.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from ..base.record import Event

State = dict[str, Any]
"""Plain JSON data; never NaN or infinite, so that every JSON reader takes it."""

Readings = Mapping[str, float]
"""What one evaluation read, by name. An absent name was not evaluated; a NaN was evaluated and failed."""


class Detector(Protocol):
    """Records in, events out."""

    def init(self) -> State:
        """The state before the first evaluation."""
        ...

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, list[Event]]:
        """The state after one more evaluation, and what became known by it."""
        ...


def replay(detector: Detector, records: Iterable[tuple[int, Readings]]) -> tuple[State, list[Event]]:
    """The state and all events after a whole log of (step, readings), in step order."""
    state, events = detector.init(), list[Event]()
    for _, state, new in follow(detector, records):  # noqa: B007 (the last state is the result)
        events += new
    return state, events


def follow(detector: Detector, records: Iterable[tuple[int, Readings]]) -> Iterator[tuple[int, State, list[Event]]]:
    """Step, state and new events after each evaluation of a log."""
    state = detector.init()
    for step, readings in records:
        state, events = detector.update(state, step, readings)
        yield step, state, events


def finite(value: float | None) -> float | None:
    """The value, or None where there is no number to compare: absent, NaN, infinite."""
    return float(value) if value is not None and math.isfinite(value) else None
