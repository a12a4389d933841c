"""The detector behind every adapter: rows of readings under anybody's names go in, conclusions come out.

What it knows follows from its rows alone. Saving the rows is saving all of it, and when a name turns out to stand for
something else, or a training goes back to an earlier step, the rows that stand are read again from the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from ..detect import EpochMetrics, GrokAnalysis, GrokDetector, State
from .names import Names

Row = tuple[int, dict[str, float]]  # step, readings under their own names

THIN_FROM = 1 << 14  # rows of training readings alone; of twice as many every second is looked at, and so on
_PER_CENT_FROM = 1.5
_FIELDS = {  # of `EpochMetrics`
    **{f"{split}/{measure}": f"{split}_{measure}" for split in ("train", "val") for measure in ("loss", "accuracy")},
    "val/correlation": "correlation",
    "val/coverage": "coverage",
    "weight_norm/l2": "weight_norm",
    "gradient_norm": "gradient_norm",
    "learning_rate": "learning_rate",
}


@runtime_checkable
class Rule(Protocol):
    """A stopping rule, as `latebloom.detect.AfterGeneralization` is one."""

    def init(self) -> State:
        """Nothing read."""
        ...

    def update(self, state: State, step: int, readings: Mapping[str, float]) -> tuple[State, str | None]:
        """The state after one more row, and the reason to stop, if there is one."""
        ...


Stop = Rule | Callable[[GrokAnalysis], bool]


class Follower:
    """Follow one training.

    Args:
        mapping: Our name -> theirs, where names do not say enough.
        stop: When the training may end: a rule, or a question about each analysis. Shares are given to it as fractions.

    Attributes:
        detector: What the readings went to.
        analysis: What it said last.
        rows: What it was given.
        why_stop: The reason to stop, once there is one.
    """

    def __init__(self, mapping: Mapping[str, str] | None = None, stop: Stop | None = None) -> None:
        self.names, self.stop = Names(mapping), stop
        self.rows: list[Row] = []
        self._training_rows = 0
        self._begin()

    def take(self, step: int, row: Mapping[str, float]) -> None:
        """All that was read at a step. Going back voids what was read from that step on."""
        is_changed = self.names.hear(row)
        if self.rows and step <= self.rows[-1][0]:
            self.rows = [one for one in self.rows if one[0] < step]
            is_changed = True
        if is_changed:
            self._again()
        if self._is_wanted(row):
            self.rows.append((step, dict(row)))
            self._look(*self.rows[-1])

    def state_dict(self) -> dict[str, Any]:
        """All that it knows, as plain data."""
        return {
            "names": list(self.names.seen),
            "rows": [[step, dict(row)] for step, row in self.rows],
            "training_rows": self._training_rows,
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Know what was saved, and nothing else."""
        self.names = Names(self.names.mapping)
        self.names.hear(saved["names"])
        self.rows = [(int(step), dict(row)) for step, row in saved["rows"]]
        self._training_rows = int(saved["training_rows"])
        self._again()

    def _is_wanted(self, row: Mapping[str, float]) -> bool:
        """Every evaluation is; rows of training readings alone, which may come with every step, less and less often."""
        if any(reading.startswith("val/") for reading in self.names.readings(row)):
            return True
        self._training_rows += 1
        return self._training_rows % (1 << (self._training_rows // THIN_FROM).bit_length()) == 0

    def _again(self) -> None:
        self._begin()
        for one in self.rows:
            self._look(*one)

    def _begin(self) -> None:
        self.detector = GrokDetector()
        self.analysis: GrokAnalysis | None = None
        self.why_stop: str | None = None
        self._begin_rule(1.0)

    def _begin_rule(self, unit: float) -> None:
        self._unit = unit
        self._rule_state = self.stop.init() if isinstance(self.stop, Rule) else {}

    def _look(self, step: int, row: Mapping[str, float]) -> None:
        readings = self.names.readings(row)
        given: dict[str, Any] = {_FIELDS[name]: value for name, value in readings.items() if name in _FIELDS}
        if not given:
            return
        self.analysis = self.detector.update(EpochMetrics(step, **{"train_loss": None, "val_loss": None, **given}))
        if self.stop is None or self.why_stop is not None:
            return
        if not isinstance(self.stop, Rule):
            self.why_stop = f"what was asked for holds at step {step:,}" if self.stop(self.analysis) else None
            return
        shares = {name for name in readings if name.endswith(("/accuracy", "/coverage"))}
        if self._unit == 1.0 and any(readings[name] > _PER_CENT_FROM for name in shares):
            self._begin_rule(0.01)
        scaled = {name: value * self._unit if name in shares else value for name, value in readings.items()}
        self._rule_state, self.why_stop = self.stop.update(self._rule_state, step, scaled)
