"""Runs that somebody else logged with TensorBoard, with a sentence for whatever was taken for something else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...analysis.outcome import Outcome, outcome
from ...base.errors import DataError, StoreError
from ...base.record import Curve
from ...store.ingest import as_readings
from ...store.tensorboard import find_runs, read_scalars
from .arms import split_seed
from .compared import Accuracies, Gathered
from .readings import chosen
from .stored import accuracies


def of_folder(folder: Path, *, event: str = "generalized", readings: Sequence[str] = ()) -> Gathered:
    """The runs below a folder of event files; the names of their folders without the seed are the arms.

    Raises:
        StoreError: A folder cannot be listed.
    """
    notes, runs, said = list[str](), dict[str, dict[str, Curve]](), Counter[str]()
    for name, path in find_runs(folder).items():
        try:
            scalars = as_readings(read_scalars(path))
        except (DataError, StoreError) as error:
            notes.append(f"{name} was left out: {error}")
            continue
        runs[name] = scalars.curves
        said.update(scalars.report[1:])
    # A log does not say how long its run was to train, and one that ended early must not end the comparison there.
    records = {name: _records(curves) for name, curves in runs.items()}
    budget = max((rows[-1][0] for rows in records.values() if rows), default=0)
    outcomes, curves = list[Outcome](), dict[str, Accuracies]()
    for name, rows in records.items():
        arm, seed = split_seed(name)
        try:
            one = outcome(rows, run=name, arm=arm, seed=seed or 0, event=event, budget_steps=budget)
        except DataError as error:
            notes.append(f"{name} was left out: {error}")
            continue
        outcomes.append(one)
        curves[name] = accuracies(runs[name], one)
    notes += _seeds(list(curves))
    notes += [f"{text} ({count} of {len(runs)} runs)" for text, count in said.items()]
    if outcomes:
        notes.append(f"Logs do not say how long a run was to train; the longest, {budget:,} steps, is taken for all.")
    return Gathered(
        title=f"event files below {folder}",
        outcomes=outcomes,
        curves=curves,
        notes=notes,
        readings={name: chosen(runs[name], readings) for name in curves},
        known=frozenset(reading for name in curves for reading in runs[name]),
    )


def _records(curves: Mapping[str, Curve]) -> list[tuple[int, dict[str, float]]]:
    """Accuracies by step, as a stored run has them; all readings where there is none, for the error to name."""
    names = [name for name in curves if re.match("(train|val)/accuracy(/|$)", name)] or list(curves)
    rows: dict[int, dict[str, float]] = {}
    for name in names:
        for step, value in zip(curves[name].steps.tolist(), curves[name].values.tolist(), strict=True):
            rows.setdefault(step, {})[name] = value
    return sorted(rows.items())


def _seeds(runs: list[str]) -> list[str]:
    """What was taken for a seed."""
    split = {run: split_seed(run) for run in runs}
    notes = [
        f"Seeds are the ends of the names: {run!r} is seed {seed} of {arm!r}."
        for run, (arm, seed) in split.items()
        if seed is not None
    ][:1]
    without = [run for run, (_, seed) in split.items() if seed is None]
    return [
        *notes,
        *([f"No seed in the name, so seed 0 of an arm of its own: {', '.join(without)}."] if without else []),
    ]
