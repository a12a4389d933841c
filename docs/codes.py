"""What the page on learning m-heights takes from published studies: of each arm, numbers and their spread over runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np

from latebloom.analysis.published import PublishedRun
from latebloom.base.component import from_dict
from latebloom.spec import RunSpec

from . import studies

Number = Callable[[PublishedRun], float | None]
Column = tuple[str, str, Number]  # title, format of a number, the number of a run
Arm = Callable[[PublishedRun], str]


def summary(name: str, axis: str, columns: Iterable[Column], arm: Arm) -> str:
    """The table of a study, and where its numbers come from."""
    return f"{table(name, axis, columns, arm)}\n\n{studies.ran(name)}\n"


def table(name: str, axis: str, columns: Iterable[Column], arm: Arm) -> str:
    """One row for each arm: the median over its finished runs, and the lowest and highest in brackets."""
    one, columns = studies.study(name), list(columns)
    arms: dict[str, list[PublishedRun]] = {}
    for run in (run for run in map(one.run, one.planned) if run is not None and run.status == "finished"):
        arms.setdefault(arm(run), []).append(run)
    rows = [f"| {axis} | runs | " + " | ".join(title for title, _, _ in columns) + " |"]
    rows.append("|---|---:" + "|---:" * len(columns) + "|")
    for value, runs in arms.items():
        cells = [_cell([number(run) for run in runs], form) for _, form, number in columns]
        rows.append(f"| {value} | {len(runs)} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(numbers: list[float | None], form: str) -> str:
    found = [number for number in numbers if number is not None]
    if not found:
        return "never"
    middle, low, high = (format(value, form) for value in (statistics.median(found), min(found), max(found)))
    told = middle if low == high else f"{middle} ({low} to {high})"
    return told if len(found) == len(numbers) else f"{told}, in {len(found)} of {len(numbers)}"


def at(reading: str, when: Number | None = None) -> Number:
    """A reading as last seen at a step, or at the end of a run."""

    def number(run: PublishedRun) -> float | None:
        curve = run.curves().get(reading)
        step = run.step if when is None else when(run)
        if curve is None or step is None or not (seen := curve.steps <= step).any():
            return None
        return float(curve.values[seen][-1])

    return number


def best(reading: str, choose: Callable[[Iterable[float]], float] = max) -> Number:
    """The highest, or the lowest, of a reading."""

    def number(run: PublishedRun) -> float | None:
        curve = run.curves().get(reading)
        return None if curve is None else choose(curve.values.tolist())

    return number


def first(reading: str, reached: Callable[[PublishedRun, np.ndarray], np.ndarray]) -> Number:
    """The first step at which a reading is as asked for."""

    def number(run: PublishedRun) -> float | None:
        curve = run.curves()[reading]
        steps = curve.steps[reached(run, curve.values)]
        return float(steps[0]) if len(steps) else None

    return number


FITTED = first("train/accuracy", lambda run, values: values >= run.spec["detector"]["memorized_at"])


@cache
def _commonest(task: str, seed: int) -> float:
    spec: RunSpec = from_dict(RunSpec, json.loads(task))
    split = spec.task.split(seed)
    answer = np.bincount(split.labels_N[split.train_M]).argmax()
    return float((split.labels_N[split.val_M] == answer).mean())


def commonest(run: PublishedRun) -> float:
    """What always answering the commonest training class scores in validation."""
    return _commonest(json.dumps({"task": run.spec["task"]}, sort_keys=True), run.seed)


CUTS = {"element": "single matrices", "orbit": "whole orbits"}


def symmetry(name: str) -> str:
    """Cut by matrix and by orbit."""
    columns: list[Column] = [
        ("training set fitted at", ",.0f", FITTED),
        ("validation then", ".1%", at("val/accuracy", FITTED)),
        ("validation at the end", ".1%", at("val/accuracy")),
        ("commonest class", ".1%", commonest),
        ("images that disagree, when fitted", ".1%", at("orbit_disagreement/mean", FITTED)),
        ("at the end", ".1%", at("orbit_disagreement/mean")),
    ]
    return summary(name, "task.cut_by", columns, lambda run: CUTS[run.label["task.cut_by"]])


def _always(step: int) -> Number:
    return lambda run: step


def symmetry_course(name: str) -> str:
    """The same over the training; a run that ended goes on as it was last read."""
    one = studies.study(name)
    arms: dict[str, list[PublishedRun]] = {}
    for run in filter(None, map(one.run, one.planned)):
        arms.setdefault(CUTS[run.label["task.cut_by"]], []).append(run)
    seen = ("training", "train/accuracy"), ("validation", "val/accuracy"), ("disagree", "orbit_disagreement/mean")
    titles = [f"{arm}: {title}" for arm in arms for title, _ in seen]
    rows = [f"| step | {' | '.join(titles)} |", "|---:" * (len(titles) + 1) + "|"]
    for step in (0, 100, 300, 1000, 2000, 4000, 6000, 10000):
        cells = [
            statistics.median(at(reading, _always(step))(run) or 0.0 for run in runs)
            for runs in arms.values()
            for _, reading in seen
        ]
        rows.append(f"| {step:,} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |")
    return "\n".join([*rows, ""])


def _blind(run: PublishedRun, losses: np.ndarray) -> np.ndarray:
    return losses <= float(run.curves()["blind/part_means"].values[0])


HEADS: list[Column] = [
    ("outputs dead at step 0", ".0%", at("dead_outputs/train", lambda run: 0)),
    ("at the end", ".2%", at("dead_outputs/train")),
    ("weight norm at step 0", ".0f", at("weight_norm/l2", lambda run: 0)),
    ("at the end", ".0f", at("weight_norm/l2")),
    ("training loss as low as the group means at", ",.0f", first("train/loss", _blind)),
    ("validation loss so low at", ",.0f", first("val/loss", _blind)),
    ("validation loss, lowest", ".2f", best("val/loss", min)),
    ("explained within groups, highest", ".2f", best("val/r2")),
]
DECAY: list[Column] = [
    ("training loss, lowest", ".3g", best("train/loss", min)),
    ("validation loss, lowest", ".2f", best("val/loss", min)),
    ("at the end", ".2f", at("val/loss")),
    ("one constant loses", ".2f", at("blind/one_constant")),
    ("the group means lose", ".2f", at("blind/part_means")),
    ("explained within groups, highest", ".3f", best("val/r2")),
    ("outputs dead at step 0", ".1%", at("dead_outputs/train", lambda run: 0)),
    ("weight norm from", ".0f", at("weight_norm/l2", lambda run: 0)),
    ("to", ".0f", at("weight_norm/l2")),
]


def heads(name: str) -> str:
    """What an output means, on the same network."""
    words = {"raw": "h itself, raised to 1e-9", "at_least_one": "h = 1 + softplus", "log2_at_least_zero": "log2 h"}

    def arm(run: PublishedRun) -> str:
        dead = run.curves()["dead_outputs/train"].values[0] == 1
        return words[run.label["loss.head"]] + (", all dead at step 0" if dead else "")

    return summary(name, "loss.head", HEADS, arm)


def decay(name: str) -> str:
    """The earlier project's experiment."""
    return summary(name, "optimizer.weight_decay", DECAY, lambda run: f"{run.label['optimizer.weight_decay']:g}")


def ladder(name: str) -> str:
    """How much of the exact algorithm the input holds, group by group."""
    words = {
        "entries": "entries of P",
        "sorted_entries": "sorted magnitudes, singular values",
        "minors": "logarithms of all minors",
        "sorted_minors": "the same, sorted",
    }

    def arm(run: PublishedRun) -> str:
        return words[run.label["task.sees"]]

    parts = []
    for group in ("9-6-3", "9-5-3", "10-4-2"):
        columns: list[Column] = [
            ("training, at the end", ".2f", at(f"train/r2/{group}")),
            ("validation, highest", ".2f", best(f"val/r2/{group}")),
            ("validation, at the end", ".2f", at(f"val/r2/{group}")),
        ]
        n, k, m = group.split("-")
        parts.append(
            f"Explained variance of log2 h_{m} of [{n}, {k}] codes:\n\n{table(name, 'task.sees', columns, arm)}"
        )
    return "\n\n".join([*parts, studies.ran(name), ""])
