"""One run as a comparison sees it: when something happened, or until when it had not."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from ..base.component import from_dict
from ..base.errors import DataError
from ..detect import DelayDetector, Readings, verdict
from ..detect.stopping.collapsed import COLLAPSED
from ..detect.verdict import LOST

if TYPE_CHECKING:
    from ..store import StoredRun
    from .published import PublishedRun

Scalar = bool | int | float | str

OVER = ("finished", "diverged")  # the statuses after which nothing comes


class Crossed(NamedTuple):
    """A sustained crossing. It lies after `previous_step` and not after `step`."""

    step: int  # first evaluation at or above the threshold
    previous_step: int | None  # the evaluation before; None if `step` was the first
    known_at: int  # the evaluation at which it could be called sustained


class Outcome(NamedTuple):
    """What one run says about the time of one event. Everything but the event's time may be unknown."""

    run: str  # its id
    arm: str  # the arm of the experiment it belongs to
    seed: int
    event: str  # what is timed: `generalized`, `memorized`, `generalized/divide`
    happened: Crossed | None  # None: not known by `last_step`
    memorized: Crossed | None  # None: not by `last_step`, or nobody read the training accuracy
    last_step: int  # the last evaluation; where observation ends
    budget_steps: int  # how long the run was to train
    status: str  # as the store has it, or `diverged` where a rule found a collapse; that counts as never, other ends
    # before the budget as not known
    verdict: str  # family, see `detect.verdict`
    best_val: float | None  # highest validation accuracy held for 3 evaluations
    final_val: float | None  # median of the last 3 evaluations
    final_train: float | None  # median of the last 3 evaluations
    is_lost: bool  # it happened, and the last median of 3 is 0.05 or more below the threshold
    evaluated: str  # when the run was read, in words, e.g. `every 100 steps`
    start_key: str | None  # equal for runs with the same split and initial weights; None: not known
    settings: dict[str, Scalar]  # what decided the run, flat: {"optimizer.learning_rate": 0.001}; empty: not known
    possible: Crossed | None = None  # where it did not happen: a crossing that the last evaluations leave undecided


def outcome_of(run: StoredRun | PublishedRun, arm: str, event: str = "generalized") -> Outcome:
    """What a stored or published run says, finished or not. Replays its detector over its records; writes nothing.

    Args:
        run: The run.
        arm: The arm it belongs to.
        event: `generalized`, `memorized`, or `generalized/<part>` for one part of a mixture, which is then judged by
            its own training and validation accuracy.

    Raises:
        DataError: The run's description is damaged, or it has no reading that could tell of the event.
        SpecError: The stored `spec["detector"]` is not a detector this version knows.
    """
    spec = run.spec
    if not spec:
        raise DataError(f"run {run.id} has no readable description: {' '.join(run.damage)} Leave it out.")
    extended = [int(entry["steps"]) for entry in run.journal() if entry.get("what") == "extended"]
    return outcome(
        run.records(),
        run=run.id,
        arm=arm,
        seed=run.seed,
        event=event,
        detector=from_dict(DelayDetector, spec.get("detector") or {}, "detector"),
        budget_steps=max([int(spec.get("steps", run.step)), *extended]),
        status="diverged" if run.reason.startswith(COLLAPSED) else run.status,
        evaluated=_cadence(spec.get("evaluation") or {}),
        start_key=_start_key(spec, run.seed),
        settings=dict(_flat(spec)),
    )


def outcome(
    records: Iterable[tuple[int, Readings]],
    *,
    run: str,
    arm: str,
    seed: int,
    event: str = "generalized",
    detector: DelayDetector | None = None,
    budget_steps: int | None = None,
    status: str = "finished",
    evaluated: str = "",
    start_key: str | None = None,
    settings: Mapping[str, Scalar] | None = None,
) -> Outcome:
    """What a log of (step, readings) says, wherever it comes from; other arguments as the fields of `Outcome`.

    Args:
        detector: What counts as memorized and generalized; by default `DelayDetector()`.
        budget_steps: By default the last step of the log, as for a run that was trained to its end.
        evaluated: By default the median distance of the evaluations.

    Raises:
        DataError: No evaluation has the reading that tells of the event, or the event is none of the known ones.

    Example:
        >>> log = [(100 * i, {"val/accuracy": 1.0 if i >= 7 else 0.1}) for i in range(20)]
        >>> outcome(log, run="a", arm="plain", seed=0).happened
        Crossed(step=700, previous_step=600, known_at=1000)
    """
    detector = _judge(detector or DelayDetector(), event)
    watched = detector.train_reading if event == "memorized" else detector.val_reading
    state, steps, names = detector.init(), list[int](), set[str]()
    for step, readings in _in_order(records):
        state, _ = detector.update(state, step, readings)
        names.update(readings)
        if watched in readings:
            steps.append(step)
    if names and not steps:
        known = ", ".join(sorted(name for name in names if "accuracy" in name)) or ", ".join(sorted(names))
        raise DataError(f"run {run} has no reading {watched!r}, which tells of {event!r}. It has: {known}.")
    last_step = steps[-1] if steps else 0
    judged = verdict(detector, state, last_step)
    final_val, final_train = _number(judged.evidence["final_val"]), _number(judged.evidence["final_train"])
    memorized, generalized = _crossed(state["memorized"]), _crossed(state["generalized"])
    happened, possible, final, target = (
        (memorized, detector.memorizing.possible(state["memorized"]), final_train, detector.memorized_at)
        if event == "memorized"
        else (generalized, detector.generalizing.possible(state["generalized"]), final_val, detector.generalized_at)
    )
    return Outcome(
        run=run,
        arm=arm,
        seed=seed,
        event=event,
        happened=happened,
        memorized=memorized,
        last_step=last_step,
        budget_steps=last_step if budget_steps is None else budget_steps,
        status=status,
        verdict=judged.family,
        best_val=_number(judged.evidence["best_val"]),
        final_val=final_val,
        final_train=final_train,
        is_lost=happened is not None and final is not None and final < target - LOST,
        evaluated=evaluated or _typical(steps),
        start_key=start_key,
        settings=dict(settings or {}),
        possible=None if possible is None else Crossed(**possible),
    )


def _judge(detector: DelayDetector, event: str) -> DelayDetector:
    """The detector that dates the event; a part of a mixture is judged as if it were the task."""
    of, _, part = event.partition("/")
    if event in ("memorized", "generalized"):
        return detector
    if of != "generalized" or not part:
        raise DataError(f"event = {event!r}; expected generalized, memorized, or generalized/<part of a mixture>.")
    return detector.but(train_reading=f"{detector.train_reading}/{part}", val_reading=f"{detector.val_reading}/{part}")


def _in_order(records: Iterable[tuple[int, Readings]]) -> Iterator[tuple[int, Readings]]:
    seen = -1
    for step, readings in records:
        if step > seen:  # else a leftover of an interrupted write
            yield step, readings
            seen = step


def _crossed(state: Mapping[str, Any]) -> Crossed | None:
    crossed = state["crossed"]
    return crossed and Crossed(crossed["step"], crossed["previous_step"], crossed["known_at"])


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _cadence(evaluation: Mapping[str, Any]) -> str:
    told = [f"every {evaluation['every']:,} steps"] if evaluation.get("every") else []
    told += [f"{evaluation['per_decade']} times per factor of ten"] if evaluation.get("per_decade") else []
    told += [f"at {len(evaluation['at'])} given steps"] if evaluation.get("at") else []
    return " and ".join(told)


def _typical(steps: list[int]) -> str:
    return f"every {statistics.median(b - a for a, b in pairwise(steps)):,g} steps" if len(steps) > 1 else ""


def _start_key(spec: Mapping[str, Any], seed: int) -> str | None:
    """What the split and the initial weights are a function of."""
    if not spec.get("task") or not spec.get("model"):
        return None
    weights = [one["sha256"] for one in spec.get("weights") or ()]  # those of other runs; most begin with none
    start = json.dumps([spec["task"], spec["model"], seed, *weights], sort_keys=True)
    return hashlib.sha256(start.encode()).hexdigest()


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Scalar]]:
    """Every setting by its dotted key; null and empty are absent."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{key}.{place}")
    elif value is not None:
        yield key, value
