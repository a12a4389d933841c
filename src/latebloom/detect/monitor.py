"""Watch a training in any loop: one `update` per epoch. Names and fields are those of an earlier project's detector.

    from latebloom import EpochMetrics, GrokDetector

    detector = GrokDetector()
    for epoch in range(epochs):
        analysis = detector.update(EpochMetrics(epoch, train_loss, val_loss, train_accuracy, val_accuracy))
        print(analysis.current_phase.value)

The rules are those of `watch` and `judge`. Accuracies decide where both are given, losses otherwise; correlation and
coverage are watched beside them. The epoch may as well be a step.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..base.plain import plain
from ..base.record import Event
from .advice import advice
from .epoch import EpochMetrics, GrokAnalysis, GrokDetectorConfig, TrainingPhase
from .forecast import Forecast, forecast
from .gauge import gauge
from .judge import judge
from .pair import pair
from .replay import State
from .verdict import Verdict
from .watch import Watch

_READINGS = {
    "train_loss": "train/loss",
    "val_loss": "val/loss",
    "train_accuracy": "train/accuracy",
    "val_accuracy": "val/accuracy",
    "correlation": "val/correlation",
    "coverage": "val/coverage",
    "weight_norm": "weight_norm/l2",
}
_PHASES = {phase.value: phase for phase in TrainingPhase}
_KEPT_EVENTS = 1000
_AHEAD = 4.0  # times the current epoch
_AGAIN = 1.02  # factor of epochs after which a probability is worked out anew: a tenth of a millisecond, rarely
_CHANGED = 1.5  # factor of the learning rate that counts as something changed on purpose


class GrokDetector:
    """Follow one training, epoch by epoch. Each update takes constant time; the metrics are kept for the report."""

    def __init__(self, config: GrokDetectorConfig | None = None) -> None:
        self.config = config or GrokDetectorConfig()
        self.history: list[EpochMetrics] = []
        self.events: list[Event] = []
        """What happened, the last thousand: memorized, onset, generalized, spikes, level shifts, and so on."""
        self.transitions: list[dict[str, Any]] = []
        self._declared: list[tuple[int, str]] = []
        self._seen: frozenset[str] = frozenset()
        self._watch = Watch()
        self._worse = 0.0  # loss of the validation level that matters
        self._state: State = {}
        self._chance = 0.0, math.nan  # the epoch from which it is worked out anew, the probability
        self._happened = 0  # events so far, those no longer kept included
        self._said: tuple[object, tuple[list[str], list[str]]] = (None, ([], []))  # what it is about, the sentences

    def update(self, metrics: EpochMetrics) -> GrokAnalysis:
        """Take in one epoch.

        Args:
            metrics: What it measured. An epoch that is not later than the last one is noted as a resume and skipped.
        """
        self.history.append(metrics)
        if metrics.learning_rate is not None and self._state:
            self._notice_learning_rate(metrics.epoch, metrics.learning_rate)
        readings = _readings(metrics)
        if self._state and readings.keys() <= self._seen:
            self._look(metrics.epoch, readings)
        else:  # at the first epoch, or when something is measured for the first time
            self._begin(self._seen | readings.keys())
            for past in self.history:
                self._look(past.epoch, _readings(past))
        return self._analysis(metrics)

    def declare(self, epoch: int, what: str) -> None:
        """Say that something is changed on purpose, e.g. `"beta 0 -> 0.3"`: a jump there will be attributed to it."""
        self._declared.append((epoch, what))
        if self._state:
            self._state = self._watch.declare(self._state, epoch, what)

    def verdict(self) -> Verdict:
        """What the training shows so far, with the numbers that decided and what would refute it."""
        return judge(self._watch, self._state or self._watch.init())

    def forecast(self) -> Forecast:
        """How likely validation is to reach its target by 2, 4 and 10 times this epoch; or why it is not told."""
        return forecast(self._watch, self._state or self._watch.init())

    def get_summary(self) -> dict[str, Any]:
        """The whole training as plain data."""
        if not self.history:
            return {"total_epochs": 0, "current_phase": TrainingPhase.WARMUP.value}
        fit = self._state["fit"]
        return {
            "total_epochs": len(self.history),
            "current_phase": self._state["phase"],
            "best_metrics": {
                name: self._best(name) for name in ("val_loss", "correlation", "coverage", "val_accuracy")
            },
            "phase_transitions": self.transitions,
            "memorization_started_at": fit and fit["step"],
            "final_metrics": self.history[-1].to_dict(),
            "verdict": self.verdict()._asdict(),
            "events": [event._asdict() for event in self.events],
        }

    def save_report(self, path: str | Path) -> None:
        """Write summary and history as JSON."""
        report = {"summary": self.get_summary(), "history": [metrics.to_dict() for metrics in self.history]}
        Path(path).write_text(json.dumps(plain(report), indent=2, allow_nan=False) + "\n", encoding="utf-8")

    def _begin(self, names: frozenset[str]) -> None:
        self._seen = names
        gauges = {name: gauge(name) for name in _READINGS.values() if name in names and name != "weight_norm/l2"}
        for name in ("val/correlation", "val/coverage"):
            if name in gauges:
                gauges[name] = gauges[name].but(matters=self.config.degradation_threshold)
        train, val = (gauges.pop(name) if name else None for name in pair(gauges))
        self._watch = Watch(train=train, val=val, also=tuple(gauges.values()))
        self._worse = val.scale.worse if val is not None else 0.0
        self._state = self._watch.init(tuple(self._declared))
        self.events, self.transitions = [], []
        self._chance = 0.0, math.nan

    def _look(self, epoch: int, readings: dict[str, float]) -> None:
        before = self._state["phase"]
        if new := self._watch.take(self._state, epoch, readings):
            self._happened += len(new)
            self.events = [*self.events, *new][-_KEPT_EVENTS:]
        now = self._state["phase"]
        if now != before:
            since = self._state["phase_since"]
            self.transitions.append({"from": before, "to": now, "epoch": since, "known_at": epoch})

    def _notice_learning_rate(self, epoch: int, now: float) -> None:
        before = self.history[-2].learning_rate
        if before and now > 0 and not 1 / _CHANGED < now / before < _CHANGED:
            self.declare(epoch, f"learning rate {before:g} -> {now:g}")

    def _analysis(self, metrics: EpochMetrics) -> GrokAnalysis:
        state = self._state
        phase, fit, val = state["phase"], state["fit"], state["traces"].get("val")
        waits = fit is not None and state["onset"] is None and state["gen"] is None
        best = val
        if phase == "degradation" and (lost := self._watch.lost(state)):
            best = state["traces"][lost[0]]
        recommendations, warnings = self._sentences()
        return GrokAnalysis(
            _PHASES[phase],
            self._probability(),
            metrics.epoch - fit["step"] if waits else 0,
            metrics.epoch if best is None else best["top_step"],
            _gap(metrics),
            "stable" if val is None else self._trend(val),
            recommendations.copy(),
            warnings.copy(),
        )

    def _sentences(self) -> tuple[list[str], list[str]]:
        """Recommendations and warnings, written anew only when what they are about has changed."""
        state = self._state
        about: object = state["phase"], self._happened, state["fit"] is None
        if state["lost"] or state["phase"] == "degradation":  # then they name the bests
            about = about, *((place, trace["best_step"], trace["top_step"]) for place, trace in state["traces"].items())
            about = *about, *state["lost"]
        if about != self._said[0]:
            self._said = about, advice(self._watch.scaled(state), state, self.events)
        return self._said[1]

    def _probability(self) -> float:
        state = self._state
        if state["gen"] is not None:
            return 0.0 if state["onset"] is None else 1.0
        if state["fit"] is not None and state["step"] >= self._chance[0]:
            p = self.forecast().at(_AHEAD)
            self._chance = _AGAIN * state["step"], math.nan if p is None else p
        return self._chance[1]

    def _trend(self, val: State) -> str:
        past, back = val["past"], self.config.short_window + 1
        change = val["level"] - (past[-back] if back <= len(past) else past[0])
        least = max(3 * val["noise"], 0.2 * self._worse)
        return "improving" if change > least else "degrading" if change < -least else "stable"

    def _best(self, name: str) -> dict[str, float | int] | None:
        reading = _READINGS[name]
        for place, one in self._watch.scaled(self._state).gauges.items():
            trace = self._state["traces"].get(place)
            if one.reading == reading and trace is not None:
                return {"value": one.value(trace["top"]), "epoch": trace["top_step"]}
        return None


def _readings(metrics: EpochMetrics) -> dict[str, float]:
    given = metrics.__dict__
    return {reading: value for name, reading in _READINGS.items() if (value := given[name]) is not None}


def _gap(metrics: EpochMetrics) -> float:
    """Training minus validation accuracy, else validation minus training loss."""
    if metrics.train_accuracy is not None and metrics.val_accuracy is not None:
        return metrics.train_accuracy - metrics.val_accuracy
    if metrics.train_loss is None or metrics.val_loss is None:
        return math.nan
    return metrics.val_loss - metrics.train_loss
