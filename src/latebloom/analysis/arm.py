"""One arm of an experiment up to a horizon: how many runs got there, when, and what became of the others."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..base.seeds import stream
from .outcome import Crossed, Outcome
from .resampling import interval, resamples
from .survival import Sample, SurvivalCurve, kaplan_meier, median, restricted_mean, wilson


class Counts(NamedTuple):
    """Where each run of an arm stood at the horizon; every run is in one of these."""

    happened: int  # the event was known
    memorized_only: int  # watched to the horizon: the training set fitted, the event not known
    never_fitted: int  # watched to the horizon: neither
    diverged: int  # left the finite numbers before the event, or were ended by the rule `collapsed`
    unfinished: int  # observation ended sooner, for another reason


class Times(NamedTuple):
    """When an event happened in an arm."""

    happened: int  # runs
    share: float  # of runs by the horizon, from the survival curve
    share_low: float  # 95 %, as if no unfinished run would have come to it
    share_high: float  # 95 %, as if every one would have
    median_steps: int | None  # None: less than half of the runs by the horizon
    restricted_mean_steps: float | None  # mean of min(time, horizon); None if no run without it was watched that far
    restricted_mean_low: float | None  # 95 %; None if no two runs differ, or it never happened
    restricted_mean_high: float | None
    curve: SurvivalCurve


class ArmSummary(NamedTuple):
    """One arm in numbers. Accuracies are shares between 0 and 1."""

    arm: str
    n: int
    seeds: tuple[int, ...]
    counts: Counts
    event: Times
    fit: Times | None  # the same for `memorized`; None if that was never read
    lateness: float | None  # median of (event + 1) / (fit + 1) over fitted runs; None: not seen for half of them
    best_val: float | None  # median over all runs
    final_val: float | None  # median over those in which it happened
    lost: int  # of these, how many had lost it at the end


def observe(outcome: Outcome, crossed: Crossed | None, horizon_steps: int) -> tuple[int, bool]:
    """A step, and whether the event happened there or had only not happened by then, as known at the horizon.

    A diverged run can never come to it, so it is watched to the horizon; to call it unknown after its last step
    would count it with runs that may still get there.
    """
    if crossed is not None and crossed.known_at <= horizon_steps:
        return crossed.step, True
    return horizon_steps if outcome.status == "diverged" else min(outcome.last_step, horizon_steps), False


def watched_until(seen: Sequence[tuple[int, bool]]) -> float:
    """How far the survival curve of observations is known: without end once it is 0."""
    last_event = max((step for step, happened in seen if happened), default=-1)
    last_open = max((step for step, happened in seen if not happened), default=-1)
    return math.inf if last_event > last_open else last_open


def sample(seen: Sequence[tuple[int, bool]]) -> Sample:
    """Observations as arrays, in their order."""
    return Sample(np.array([step for step, _ in seen], np.float64), np.array([happened for _, happened in seen], bool))


def summarize(arm: str, outcomes: Sequence[Outcome], horizon_steps: int, seed: int) -> ArmSummary:
    """An arm in numbers; `seed` decides the resamples of its intervals."""
    seen = [observe(one, one.happened, horizon_steps) for one in outcomes]
    fitted = [observe(one, one.memorized, horizon_steps) for one in outcomes]
    got_there = [one for one, (_, happened) in zip(outcomes, seen, strict=True) if happened]
    return ArmSummary(
        arm=arm,
        n=len(outcomes),
        seeds=tuple(sorted(one.seed for one in outcomes)),
        counts=_counts(outcomes, seen, fitted, horizon_steps),
        event=_times(arm, seen, horizon_steps, seed),
        fit=_times(arm, fitted, horizon_steps, seed) if any(happened for _, happened in fitted) else None,
        lateness=_lateness(seen, fitted),
        best_val=_median([one.best_val for one in outcomes]),
        final_val=_median([one.final_val for one in got_there]),
        lost=sum(one.is_lost for one in got_there),
    )


def _counts(
    outcomes: Sequence[Outcome], seen: list[tuple[int, bool]], fitted: list[tuple[int, bool]], horizon_steps: int
) -> Counts:
    tally = dict.fromkeys(Counts._fields, 0)
    for one, (step, happened), (_, has_fitted) in zip(outcomes, seen, fitted, strict=True):
        if happened:
            tally["happened"] += 1
        elif one.status == "diverged":
            tally["diverged"] += 1
        elif step < horizon_steps:
            tally["unfinished"] += 1
        else:
            tally["memorized_only" if has_fitted else "never_fitted"] += 1
    return Counts(**tally)


def _times(arm: str, seen: list[tuple[int, bool]], horizon_steps: int, seed: int) -> Times:
    ordered = sample(sorted(seen))  # so that the order in which runs are given changes no resample
    curve = kaplan_meier(ordered)
    n, happened = len(seen), sum(did for _, did in seen)
    unfinished = sum(not did and step < horizon_steps for step, did in seen)
    is_watched = watched_until(seen) >= horizon_steps
    low = high = None
    if is_watched and happened and len(set(seen)) > 1:
        drawn = restricted_mean(*ordered, horizon_steps, resamples(n, stream(seed, f"bootstrap/{arm}")))
        low, high = interval(drawn, n)
    return Times(
        happened=happened,
        share=1 - curve.survival[-1] if happened else 0.0,
        share_low=wilson(happened, n)[0],
        share_high=wilson(happened + unfinished, n)[1],
        median_steps=median(curve),
        restricted_mean_steps=float(restricted_mean(*ordered, horizon_steps)[0]) if is_watched else None,
        restricted_mean_low=low,
        restricted_mean_high=high,
        curve=curve,
    )


def _lateness(seen: list[tuple[int, bool]], fitted: list[tuple[int, bool]]) -> float | None:
    """A run that fitted and did not get there is later than any that did: to leave it out would flatter the arm."""
    ratios = sorted(
        (step + 1) / (fit_step + 1) if happened else math.inf
        for (step, happened), (fit_step, has_fitted) in zip(seen, fitted, strict=True)
        if has_fitted
    )
    middle = statistics.median_low(ratios) if ratios else math.inf
    return middle if math.isfinite(middle) else None


def _median(levels: Sequence[float | None]) -> float | None:
    known = [level for level in levels if level is not None]
    return statistics.median(known) if known else None
