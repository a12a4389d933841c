"""A run as a claim sees it: its settings, its events, its readings by name, and how far it was watched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.record import Curve
from ..outcome import Crossed, Outcome, outcome_of

if TYPE_CHECKING:
    from ...store import StoredRun

POINTS = ("memorized", "generalized", "peak")
CROSSINGS = ("happened", "memorized", "possible")  # fields of an outcome
OLDEST = 0.15  # of a step: 20 readings per factor of ten, a usual cadence, are 12 % apart


class Witness(NamedTuple):
    """One run."""

    outcome: Outcome
    curves: Mapping[str, Curve]

    def names(self, pattern: str) -> list[str]:
        """The readings that a pattern means, layers in the order of their numbers.

        Args:
            pattern: A name, `feature_rank/layers.[5-9]`, `esd/*/tail_exponent`; several, separated by commas.
        """
        wanted = [one.strip() for one in pattern.split(",")]
        return sorted((n for n in self.curves if any(fnmatchcase(n, one) for one in wanted)), key=_natural)

    def at(self, name: str, step: int) -> tuple[float, int] | None:
        """The last reading at or before a step, with its own step; None if there is none that is recent enough."""
        steps, values = finite(self.curves[name])
        place = int(np.searchsorted(steps, step, side="right")) - 1
        if place < 0 or steps[place] < step * (1 - OLDEST):
            return None
        return float(values[place]), int(steps[place])

    def between(self, name: str, since: int, until: int) -> Curve:
        """The readings of these steps, both ends included."""
        steps, values = finite(self.curves[name])
        inside = (steps >= since) & (steps <= until)
        return Curve(steps[inside], values[inside])

    def step(self, point: int | str, name: str, until: int | None = None) -> int | str:
        """The step of a point of the run, or a sentence why there is none.

        Args:
            point: A step, or one of `POINTS`.
            name: The reading whose peak is meant.
            until: The peak is looked for up to here.
        """
        last = self.outcome.last_step
        if isinstance(point, int):
            return point if point <= last else f"watched until step {last:,} only"
        if point == "peak":
            curve = self.between(name, 0, last if until is None else until)
            return int(curve.steps[int(np.argmax(curve.values))]) if len(curve.steps) else f"{name} was not read"
        happened: Crossed | None = self.outcome.memorized if point == "memorized" else self.outcome.happened
        return happened.step if happened else f"not {point} by step {last:,}"

    def span(self, since: int | str, until: int | str, name: str) -> tuple[int, int] | str:
        """The steps of two points, see `step`; or a sentence why one of them is not known."""
        end = self.step(until, name)
        begin = self.step(since, name, end if isinstance(end, int) else None)
        if isinstance(end, str) or isinstance(begin, str):
            return end if isinstance(end, str) else str(begin)
        return begin, end

    def to_json(self, patterns: str) -> dict[str, Any]:
        """As plain data, with the readings that the patterns mean."""
        told = self.outcome._asdict()
        for event in CROSSINGS:
            told[event] = told[event] and list(told[event])
        together: dict[tuple[int, ...], dict[str, list[float]]] = {}  # readings by the steps they share
        for name in self.names(patterns):
            steps, values = finite(self.curves[name])
            together.setdefault(tuple(steps.tolist()), {})[name] = values.tolist()
        return {**told, "curves": [{"steps": list(steps), "readings": found} for steps, found in together.items()]}

    @staticmethod
    def from_json(fields: Mapping[str, Any]) -> Witness:
        """The witness that told this, with those readings."""
        told = {name: fields[name] for name in Outcome._fields if name in fields or name not in Outcome._field_defaults}
        for event in CROSSINGS:
            told[event] = Crossed(*told[event]) if told.get(event) else None
        curves = {
            name: Curve(np.array(group["steps"], np.int64), np.array(values, np.float64))
            for group in fields["curves"]
            for name, values in group["readings"].items()
        }
        return Witness(Outcome(**told), curves)


def witness_of(run: StoredRun) -> Witness:
    """A stored run, finished or not.

    Raises:
        DataError: Its description is damaged, or nobody read its validation accuracy.
    """
    return Witness(outcome_of(run, arm=""), run.curves())


def finite(curve: Curve) -> Curve:
    """The readings that are numbers."""
    known = np.isfinite(curve.values)
    return Curve(curve.steps[known], curve.values[known])


def values_at(curve: Curve, steps_S: NDArray[np.int64]) -> NDArray[np.float64]:
    """A curve at other steps: its last reading at or before each, NaN where there is none that is recent enough."""
    steps, values = finite(curve)
    place = np.searchsorted(steps, steps_S, side="right") - 1
    known = place >= 0
    known[known] = steps[place[known]] >= steps_S[known] * (1 - OLDEST)
    found = np.full(len(steps_S), np.nan)
    found[known] = values[place[known]]
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(word), "") if word.isdigit() else (-1, word) for word in re.split(r"(\d+)", name)]
