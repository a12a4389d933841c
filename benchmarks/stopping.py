"""Stopping rules on curves whose story is known: how many runs that generalize they would have ended before that.

And how much of the other runs they spare. Ordinary early stopping is the control.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from latebloom.detect import AfterGeneralization, AnyOf, Collapsed, OnDegradation, Patient, State, Watch, gauge
from latebloom.detect.pair import pair
from latebloom.detect.replay import Readings
from latebloom.store.ingest import read_log

from .result import write
from .shapes import CLASSES, SHAPES, Records, as_accuracy, as_loss, made

SEEDS, CADENCES, NOISE = 3, (60, 300), {"accuracy": (0.0, 0.02), "loss": (0.0, 0.05)}
CURVES = {"accuracy": as_accuracy, "loss": as_loss}
LEFT_OUT = ("three rows", "constant")
REACHED = 0.95  # progress of validation without noise
LOGS = Path(__file__).parent.parent / "tests" / "detect" / "logs"


class Rule(Protocol):
    """As `latebloom.detect.stopping` has them."""

    def init(self) -> State:
        """Nothing read."""

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The state after one evaluation, and the reason to stop."""


class EarlyStopping:
    """The control: stop after so many evaluations without a new best of the validation reading."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def init(self) -> State:
        """Nothing read."""
        return {"best": None, "since": 0}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The usual rule of training libraries."""
        name = pair(readings)[1]
        if name is None:
            return state, None
        value = readings[name] if gauge(name).kind == "accuracy" else -readings[name]
        if state["best"] is None or value > state["best"]:
            return {"best": value, "since": 0}, None
        since = state["since"] + 1
        return {**state, "since": since}, "no new best" if since >= self.patience else None


RULES: dict[str, Rule] = {
    "early stopping, patience 10": EarlyStopping(10),
    "early stopping, patience 50": EarlyStopping(50),
    "on_degradation": OnDegradation(),
    "patient, 10 times": Patient(times=10),
    "patient, 30 times": Patient(times=30),
    "patient": Patient(),
    "collapsed": Collapsed(),
    "any_of": AnyOf(rules=(OnDegradation(), Patient(), Collapsed())),
    "after_generalization": AfterGeneralization(at_least=REACHED),
}


def main() -> None:
    """Measure and write."""
    write("stopping", {"made": on_made(SEEDS), "recorded": on_recorded()})


def stopped_at(rule: Rule, records: Records) -> int | None:
    """The step at which a rule ends a run; None if it runs to its end."""
    state = rule.init()
    for step, readings in records:
        state, why = rule.update(state, step, readings)
        if why:
            return step
    return None


def runs(seeds: int) -> Iterator[tuple[str, str, int | None, Records]]:
    """Shape, reading, the step at which the run generalizes, its records."""
    for shape in SHAPES:
        if shape in LEFT_OUT:
            continue
        for evaluations in CADENCES:
            for seed in range(seeds):
                run = made(shape, evaluations, seed)
                there = np.flatnonzero(run.val >= REACHED)
                for reading, curve in CURVES.items():
                    for noise in NOISE[reading]:
                        yield shape, reading, int(run.steps[there[0]]) if len(there) else None, curve(run, noise, seed)


def on_made(seeds: int) -> dict[str, Any]:
    """Of each rule: runs ended before they generalized, by shape; of the others the median share of steps spared."""
    reached: dict[str, int] = defaultdict(int)
    killed: dict[str, dict[str, int]] = {name: defaultdict(int) for name in RULES}
    spared: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in RULES}
    for shape, reading, generalized, records in runs(seeds):
        reached[shape] += generalized is not None
        last = records[-1][0]
        for name, rule in RULES.items():
            if name == "after_generalization" and reading != "accuracy":
                continue
            at = stopped_at(rule, records)
            if generalized is None:
                spared[name][shape].append(0.0 if at is None else 1 - at / last)
            elif at is not None and at < generalized:
                killed[name][shape] += 1
    return {
        "runs_that_generalize": sum(reached.values()),
        "by_shape": {shape: count for shape, count in reached.items() if count},
        "ended_before": {name: {"all": sum(of.values()), **of} for name, of in killed.items()},
        "spared": {
            name: {shape: round(statistics.median(shares), 3) for shape, shares in of.items()}
            for name, of in spared.items()
        },
        "classes": CLASSES,
    }


def on_recorded() -> dict[str, Any]:
    """The same of logs that somebody recorded: when each generalized by the whole log, and when each rule ends it."""
    found: dict[str, Any] = {}
    for path in sorted(LOGS.glob("*.jsonl")):
        log = read_log(path)
        records = _records(log.curves)
        watch = Watch()
        state = watch.init()
        for step, readings in records:
            state, _ = watch.update(state, step, readings)
        ends = {name: stopped_at(rule, records) for name, rule in RULES.items()}
        crossing = state["gen"]
        found[path.stem] = {"last_step": records[-1][0], "generalized": crossing and crossing["step"], "ended_at": ends}
    return found


def _records(curves: Any) -> Records:
    rows: dict[int, dict[str, float]] = defaultdict(dict)
    for name, curve in curves.items():
        for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
            rows[step][name] = value
    return sorted(rows.items())
