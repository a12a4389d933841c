"""The runs of a study, or single runs of a store, each with its arm, and a sentence for whatever is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...analysis.outcome import OVER, Outcome, outcome_of
from ...analysis.published import PublishedRun, PublishedStudy
from ...base.component import did_you_mean
from ...base.errors import DataError, LatebloomError, SpecError
from ...base.record import Curve
from ...detect import DelayDetector
from ...store import Store, StoredRun, StoredStudy
from .arms import MISSING, SEED, arm_of, is_wanted, split_seed, text_of, value_of
from .compared import Accuracies, Gathered
from .readings import chosen

Where = Mapping[str, Sequence[str]]
"""By key of a label or the settings, the values of which a run must have one, e.g. {"seed": ["0..3"]}."""


class Member(NamedTuple):
    """A run of an arm."""

    run: StoredRun | PublishedRun
    label: Mapping[str, Any]  # what distinguishes it, e.g. {"arm": "l1", "seed": 3}
    arm: str


def of_study(
    study: StoredStudy | PublishedStudy,
    *,
    event: str = "generalized",
    by: Sequence[str] = (),
    where: Where | None = None,
    readings: Sequence[str] = (),
) -> Gathered:
    """The runs of a study as they stand.

    Args:
        study: The study, finished or not, in a store or in a file.
        event: What is timed, see `analysis.outcome.outcome_of`.
        by: Keys of the labels or the settings that tell arms apart; by default all of a label but the seed.
        where: Which runs.
        readings: Patterns of readings to gather besides the accuracies.

    Raises:
        DataError: No run has begun.
        SpecError: A key of `by` or `where` is none, or an arm has several runs of one seed.
    """
    where = where or {}
    _check_keys([*by, *where], [(one.label, one.spec) for one in study.planned])
    planned = [one for one in study.planned if _is_meant(one.label, one.spec, where)]
    members, waiting = [], Counter[str]()
    for one in planned:
        arm, run = arm_of(one.label, one.spec, by), study.run(one)
        if run is None:
            waiting[arm] += 1
        else:
            members.append(Member(run, one.label, arm))
    if not planned:
        raise SpecError(f"--where leaves none of the {len(study.planned):,} runs of study {study.name!r}")
    if not members:
        raise DataError(
            f"none of the {len(planned):,} runs of study {study.name!r} has begun. Train them with the same "
            "`latebloom sweep` or `latebloom study run` again."
        )
    notes = []
    if waiting:
        arms = "; ".join(f"{arm} ({count})" for arm, count in waiting.items())
        notes.append(
            f"{waiting.total():,} of {len(planned):,} planned runs have not begun: {arms}. Conclusions before all are "
            "over are provisional: who looks again and again finds a small p more often."
        )
    return _gathered(f"study {study.name}", members, notes, event, by, readings)


def of_runs(
    store: Store,
    words: Sequence[str],
    *,
    event: str = "generalized",
    by: Sequence[str] = (),
    where: Where | None = None,
    readings: Sequence[str] = (),
) -> Gathered:
    """Single runs; their names without the seed are the arms, unless `by` says otherwise.

    A word is a name, which all runs of that name or of that name with a seed share, or what `Store.find` knows.

    Raises:
        StoreError: A word means no run.
        SpecError: As for `of_study`.
    """
    where, runs = where or {}, store.runs()[::-1]
    meant: dict[str, StoredRun] = {}
    for word in words:
        same = [run for run in runs if word in (run.name, _without_seed(run))] or [store.find(word)]
        meant |= {run.id: run for run in same}
    labels = {run.id: {"arm": _without_seed(run), SEED: run.seed} for run in meant.values()}
    _check_keys([*by, *where], [(labels[run.id], run.spec) for run in meant.values()])
    members = [
        Member(run, labels[run.id], arm_of(labels[run.id], run.spec, by))
        for run in meant.values()
        if _is_meant(labels[run.id], run.spec, where)
    ]
    return _gathered(f"{len(members):,} runs", members, [], event, by, readings)


def _gathered(
    title: str, members: Sequence[Member], notes: list[str], event: str, by: Sequence[str], patterns: Sequence[str]
) -> Gathered:
    outcomes, curves, stand_ins = list[Outcome](), dict[str, Accuracies](), dict[str, None]()
    readings, known = dict[str, dict[str, Curve]](), set[str]()
    left_out = dict[str, list[str]]()
    part = event.partition("/")[2]
    for run, _, arm in members:
        # Who trains on nothing but that part is judged by all of its validation, which is that of the part.
        stands_in = bool(part) and part == value_of("task.operation", {}, run.spec)
        try:
            one = outcome_of(run, arm, "generalized" if stands_in else event)
        except LatebloomError as error:
            left_out.setdefault(arm, []).append(str(error))
            continue
        outcomes.append(one._replace(event=event))
        all_curves = run.curves()
        curves[run.id] = accuracies(all_curves, one)
        readings[run.id] = chosen(all_curves, patterns)
        known |= set(all_curves)
        notes += [f"{run.id} of {arm} is damaged: {damage}" for damage in run.damage]
        stand_ins |= {arm: None} if stands_in else {}
    notes += [f"Left out of {arm}: {len(errors)}, because {errors[0]}" for arm, errors in left_out.items()]
    if stand_ins:
        notes.append(f"{'; '.join(stand_ins)}: trained on {part} alone, so its whole validation stands for that part.")
    if ends := Counter(one.status for one in outcomes if one.status not in OVER):
        told = ", ".join(f"{count} {status}" for status, count in sorted(ends.items()))
        notes.append(f"Not over, and counted as far as they are: {told}.")
    _check_repetitions(members, outcomes, by, notes)
    if event == "generalized":
        notes += _several_tasks(members)
    return Gathered(title, outcomes, curves, notes, readings, frozenset(known))


def accuracies(curves: Mapping[str, Curve], one: Outcome) -> Accuracies:
    """The two readings by which a run was judged."""
    part = one.event.partition("/")[2]
    suffix = f"/{part}" if part else ""
    names = (
        str(one.settings.get(f"detector.{name}", getattr(DelayDetector(), name))) + suffix
        for name in ("train_reading", "val_reading")
    )
    return Accuracies(*(curves.get(name) for name in names))


def _without_seed(run: StoredRun) -> str:
    name, seed = split_seed(run.name)
    return name if seed == run.seed else run.name


def _is_meant(label: Mapping[str, Any], spec: Mapping[str, Any], where: Where) -> bool:
    return all(any(is_wanted(value_of(key, label, spec), one) for one in told) for key, told in where.items())


def _check_keys(keys: Sequence[str], runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
    for key in keys:
        if all(value_of(key, label, spec) is MISSING for label, spec in runs):
            known = dict.fromkeys(word for label, spec in runs for word in (*label, *spec))
            raise SpecError(f"{key!r} is no label and no setting of these runs.{did_you_mean(key, known)}")


def _check_repetitions(
    members: Sequence[Member], outcomes: Sequence[Outcome], by: Sequence[str], notes: list[str]
) -> None:
    """Say what differs inside an arm; refuse where that makes one seed count several times."""
    for arm in dict.fromkeys(one.arm for one in members):
        labels = [one.label for one in members if one.arm == arm]
        told = {}
        for key in dict.fromkeys(key for label in labels for key in label if key != SEED and key not in by):
            values = dict.fromkeys(text_of(label.get(key)) for label in labels)
            if len(values) > 1:
                told[key] = f"{key} ({', '.join(values)})"
        if not told:
            continue
        starts = Counter(one.start_key for one in outcomes if one.arm == arm)
        starts.pop(None, None)
        if max(starts.values(), default=0) > 1:
            raise SpecError(
                f"by = {','.join(by)}: the runs of {arm!r} differ in {', '.join(told.values())} and share their seeds, "
                f"so that one seed would count several times. Add {next(iter(told))} to --by, or choose with --where."
            )
        notes.append(f"{arm} holds runs that differ in {', '.join(told.values())}.")


def _several_tasks(members: Sequence[Member]) -> list[str]:
    told = {one.arm: value_of("task.parts", {}, one.run.spec) for one in members}
    mixtures = {arm: parts for arm, parts in told.items() if isinstance(parts, Mapping)}
    shared = set.intersection(*map(set, mixtures.values())) if mixtures else set()
    return [
        f"{'; '.join(mixtures)}: several tasks, and generalized means all of them taken together; "
        f"--event generalized/{part} times one of them."
        for part in sorted(shared)[:1]
    ]
