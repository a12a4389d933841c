"""What the page on choosing settings takes from published studies: which settings generalized, one row for each."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from latebloom.analysis.outcome import Outcome, outcome_of
from latebloom.analysis.published import PublishedRun

from . import studies

STUDIES = (
    "grokfast-l1-division",
    "grokfast-ema-rates",
    "grokfast-weight-decay",
    "grokfast-l1-s5",
    "task-diversity",
    "code-symmetry",
)
DECIDES = ("task", "model", "loss", "optimizer", "schedule", "batch")  # parts of a spec that change a training
OPERATIONS = {"divide": "x / y", "multiply": "x * y", "add": "x + y", "subtract": "x - y"}


class Settings(NamedTuple):
    """What a reader would set, in words."""

    task: str
    model: str
    optimizer: str
    rate: float
    decay: float
    batch: str
    fraction: float


def table() -> str:
    """Every setting without interventions of these studies: how many runs of it generalized, and when."""
    found: dict[Settings, dict[int, Outcome]] = {}
    whole: dict[Settings, list[Any]] = {}
    for name in filter(studies.is_published, STUDIES):
        for run in _runs(name):
            row, trained = settings(run.spec), [run.spec[part] for part in DECIDES]
            assert whole.setdefault(row, trained) == trained, f"{row} of {name} was trained differently elsewhere"
            found.setdefault(row, {}).setdefault(run.seed, outcome_of(run, name))  # a run may be in two
    rows = [
        "| task | model | optimizer, rate | weight decay | batch | trained on | fitted at | generalized | at |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
        *(_row(*one) for one in sorted(found.items(), key=lambda one: one[0])),
    ]
    files = ", ".join(f"[{name}](findings/data/{name}.json)" for name in filter(studies.is_published, STUDIES))
    return "\n".join([*rows, "", f"From the runs of {files} that are finished and have no intervention.", ""])


def settings(spec: Mapping[str, Any]) -> Settings:
    """The words for a run's settings."""
    task, model, optimizer = spec["task"], spec["model"], spec["optimizer"]
    return Settings(
        _task(task),
        _model(model),
        str(optimizer["kind"]),
        optimizer["learning_rate"],
        optimizer["weight_decay"],
        f"{spec['batch']['size']}" if spec["batch"]["size"] else "all",
        task["train_fraction"],
    )


def _runs(name: str) -> Iterable[PublishedRun]:
    one = studies.study(name)
    runs = (run for run in map(one.run, one.planned) if run is not None and run.status == "finished")
    return (run for run in runs if not run.spec["interventions"] and run.spec["task"]["kind"] != "mixture")


def _task(task: Mapping[str, Any]) -> str:
    match task["kind"]:
        case "modular":
            return f"{OPERATIONS[task['operation']]} mod {task['modulus']}"
        case "permutation":
            return f"composition in S_{task['degree']}"
        case "small_codes":
            return f"classes of small codes, cut by {task['cut_by']}"
    raise AssertionError(f"no words for {task['kind']}")


def _model(model: Mapping[str, Any]) -> str:
    match model["kind"]:
        case "transformer":
            return f"transformer, {model['layers']} x {model['width']}"
        case "mlp":
            return f"perceptron, {model['depth']} x {model['width']}"
    raise AssertionError(f"no words for {model['kind']}")


def _row(of: Settings, runs: Mapping[int, Outcome]) -> str:
    steps = sorted(one.happened.step if one.happened else float("inf") for one in runs.values())
    fits = [one.memorized.step for one in runs.values() if one.memorized]
    happened = sum(step < float("inf") for step in steps)
    horizon = min((one.last_step for one in runs.values() if not one.happened), default=0)
    middle = statistics.median_low(steps)
    when = f"{middle:,.0f} ({steps[0]:,.0f} to " if middle < float("inf") else ""
    when += f"{steps[-1]:,.0f}" if happened == len(runs) else f"later than {horizon:,}"
    when += ")" * ("(" in when)
    fit = f"{statistics.median_low(fits):,}" if len(fits) == len(runs) else "–"
    return (
        f"| {of.task} | {of.model} | {of.optimizer}, {of.rate:g} | {of.decay:g} | {of.batch} | {of.fraction:.0%} "
        f"| {fit} | {happened} of {len(runs)} | {when} |"
    )
