"""The detector on curves whose story is known: right families, dates, false alarms in noise, and the time of an update.

A date is right within two evaluations of where the curve without noise lies within two standard deviations of noise of
the level in question: where a noisy curve crosses a level is no sharper than that.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from latebloom import EpochMetrics, GrokDetector
from latebloom.base.record import Event
from latebloom.detect import DelayDetector, Verdict, Watch, gauge, judge

from .result import write
from .shapes import CADENCES, SHAPES, Made, Records, as_accuracy, as_correlation, as_loss, expected, made, stationary

SEEDS = 3
NOISE = {"accuracy": (0.0, 0.01, 0.03), "loss": (0.0, 0.03, 0.1), "correlation": (0.0, 0.01, 0.03)}
CURVES: dict[str, Callable[[Made, float, int], Records]] = {
    "accuracy": as_accuracy,
    "loss": as_loss,
    "correlation": as_correlation,
}
WATCHES = {
    "accuracy": Watch(),
    "loss": Watch(train=gauge("train/loss"), val=gauge("val/loss")),
    "correlation": Watch(train=gauge("train/loss"), val=gauge("val/correlation")),
}
DATED = ("classic", "gradual", "grokking, then anti-grokking")
STATIONARY = ("normal", "heavy-tailed", "autocorrelated 0.5", "autocorrelated 0.9", "autocorrelated 0.97")
LONG = 1000  # evaluations of a stationary run
RUNS = 6  # of each kind


def main() -> None:
    """Measure and write."""
    timed = update_time()  # before thousands of runs have filled the caches
    measured = {**families(SEEDS), "dates": dates(SEEDS), "false_alarms_per_1000": false_alarms(RUNS), **timed}
    write("detector", measured)


def watched(watch: Watch, records: Records, declared: tuple[tuple[int, str], ...] = ()) -> tuple[Verdict, list[Event]]:
    """The verdict on a log and all events."""
    state, events = watch.init(declared), list[Event]()
    for step, readings in records:
        state, new = watch.update(state, step, readings)
        events += new
    return judge(watch, state), events


def corpus(
    seeds: int, readings: tuple[str, ...] = tuple(CURVES)
) -> Iterator[tuple[str, str, int, float, Made, Records]]:
    """Reading, shape, evaluations, noise, the run, its records."""
    for reading in readings:
        for shape in SHAPES:
            for evaluations in CADENCES:
                for seed in range(seeds):
                    run = made(shape, evaluations, seed)
                    for noise in NOISE[reading]:
                        yield reading, shape, evaluations, noise, run, CURVES[reading](run, noise, seed)


def families(seeds: int) -> dict[str, Any]:
    """How often the family and the aftermath are right, and what was said of each shape."""
    right, after_right, after_asked, total = 0, 0, 0, 0
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for reading, shape, _, _, run, records in corpus(seeds):
        judged, _ = watched(WATCHES[reading], records, run.declared)
        allowed, after = expected(run, reading)
        total, right = total + 1, right + (judged.family in allowed)
        if after is not None and judged.family in allowed:
            after_asked, after_right = after_asked + 1, after_right + (judged.after == after)
        said[f"{shape} ({reading})"][judged.family] += 1
    return {
        "runs": total,
        "right_family": right / total,
        "right_aftermath": after_right / after_asked,
        "said": {shape: dict(counts) for shape, counts in said.items()},
    }


def dates(seeds: int) -> dict[str, Any]:
    """The share of memorized, onset and generalized that are dated right."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for reading, shape, _, noise, run, records in corpus(seeds, ("accuracy", "loss")):
        if shape not in DATED:
            continue
        _, events = watched(WATCHES[reading], records)
        dated = {event.kind: event.step for event in events}
        for kind, (first, last) in windows(run, reading, noise).items():
            key = f"{kind}, {reading}, noise {noise:g}"
            total[key] += 1
            place = np.searchsorted(run.steps, dated[kind]) if kind in dated else math.inf
            right[key] += bool(first - 2 <= place <= last + 2)
    return {key: right[key] / total[key] for key in total}


def windows(run: Made, reading: str, noise: float) -> dict[str, tuple[int, int]]:
    """First and last evaluation at which each event may be dated, from the curve without noise."""
    clean = CURVES[reading](run, 0.0, 0)
    train, val = (np.array([r[f"{side}/{reading}"] for _, r in clean]) for side in ("train", "val"))
    if reading == "accuracy":
        levels = {"memorized": (train, 0.99, noise / 3), "generalized": (val, 0.95, noise)}
        fit = int(np.argmax(train >= 0.99))
        onset = float(val[fit:].min() + 0.2)
    else:
        train, val = -np.log(train), -np.log(val)
        levels = {
            "memorized": (train, train[0] + math.log(20), noise),
            "generalized": (val, val[0] + math.log(10), noise),
        }
        fit = int(np.argmax(train >= train[0] + math.log(20)))
        onset = max(float(val[fit:].min()) + math.log(2), float(val[0]) - math.log(0.8))
    after_fit = np.where(np.arange(len(val)) >= fit, val, -math.inf)
    levels["onset"] = (after_fit, onset, noise)
    found = {}
    for kind, (curve, level, sigma) in levels.items():
        first, last = int(np.argmax(curve >= level - 2 * sigma)), int(np.argmax(curve >= level + 2 * sigma))
        # Where the noise reaches beyond the highest level, the latest date is soon after the curve is nearly there.
        last = last if (curve >= level + 2 * sigma).any() else int(np.argmax(curve >= curve.max() - 0.25 * sigma)) + 30
        found[kind] = (min(first, last), last)
    return found


def false_alarms(runs: int) -> dict[str, dict[str, float]]:
    """Times that GROKKING and DEGRADATION were entered per 1,000 evaluations that only fluctuate about a level."""
    rates: dict[str, dict[str, float]] = {}
    for kind in STATIONARY:
        entered: Counter[str] = Counter()
        evaluations: Counter[str] = Counter()
        for name, watch, records in _stationary(kind, runs):
            state, before = watch.init(), "warmup"
            for step, readings in records:
                state, _ = watch.update(state, step, readings)
                if state["phase"] != before:
                    before = state["phase"]
                    entered[f"{name} {before}"] += 1
            evaluations[name] += len(records)
        rates[kind] = {
            f"{name}: {phase}": round(1000 * entered[f"{name} {phase}"] / count, 2)
            for name, count in evaluations.items()
            for phase in ("grokking", "degradation")
        }
    return rates


def _stationary(kind: str, runs: int) -> Iterator[tuple[str, Watch, Records]]:
    for seed in range(runs):
        for sigma in (0.005, 0.02, 0.1, 0.3):
            for level in (0.01, 0.3, 0.6, 0.97):
                noise = stationary(kind, LONG, int(1e6 * seed + 1e4 * sigma + 100 * level))
                val = np.clip(level + sigma * noise, 0, 1).tolist()
                rows = [(i, {"train/accuracy": 1.0, "val/accuracy": x}) for i, x in enumerate(val)]
                yield f"accuracy, sd {sigma:g}", WATCHES["accuracy"], rows
        for sigma in (0.01, 0.1, 0.5, 1.0):
            for level in (8.0, 2.0, 0.3):
                noise = stationary(kind, LONG, int(1e6 * seed + 1e4 * sigma + 100 * level) + 1)
                val = (level * np.exp(np.clip(sigma * noise, -20, 20))).tolist()
                rows = [(0, {"train/loss": 4.6, "val/loss": 4.6})]
                rows += [(i + 1, {"train/loss": 0.01, "val/loss": x}) for i, x in enumerate(val)]
                yield f"log loss, sd {sigma:g}", WATCHES["loss"], rows


def update_time(evaluations: int = 20_000) -> dict[str, Any]:
    """Median microseconds of one update, early and after a long history, interleaved with the accuracy detector."""
    draw = np.random.default_rng(0)
    full, simple = GrokDetector(), DelayDetector()
    two, state = Watch(), Watch().init()
    simple_state = simple.init()
    taken: dict[str, list[float]] = defaultdict(list)
    for i in range(evaluations):
        a, b = draw.lognormal(0, 0.1, 2)
        readings = {"train/accuracy": 1.0, "val/accuracy": 0.1 + 0.01 * float(a)}
        metrics = EpochMetrics(i, 0.1 * float(a), 2 * float(b), 1.0, readings["val/accuracy"])
        t0 = time.perf_counter()
        full.update(metrics)
        t1 = time.perf_counter()
        state, _ = two.update(state, i, readings)
        t2 = time.perf_counter()
        simple_state, _ = simple.update(simple_state, i, readings)
        t3 = time.perf_counter()
        for name, seconds in (("monitor, four readings", t1 - t0), ("watch, two readings", t2 - t1)):
            taken[name].append(seconds)
        taken["accuracy detector"].append(t3 - t2)
    early, late = slice(500, 1500), slice(-1000, None)
    return {
        "update_us": {name: round(1e6 * statistics.median(seconds[late]), 1) for name, seconds in taken.items()},
        "late_over_early": {
            name: round(statistics.median(seconds[late]) / statistics.median(seconds[early]), 2)
            for name, seconds in taken.items()
        },
    }


if __name__ == "__main__":
    main()
