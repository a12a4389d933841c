"""Experiments whose answer is known: runs that fit at step 500 and generalize when they are told to."""

from __future__ import annotations

import numpy as np

from latebloom.analysis.outcome import outcome
from latebloom.base.record import Curve
from latebloom.report.comparison.compared import Accuracies, Gathered

DIVERGED = "diverged"


def records(at, last, every=100):
    """Readings of a run that generalizes at step `at`; None: it does not by step `last`."""
    return [
        (
            step,
            {"train/accuracy": min(1.0, step / 500), "val/accuracy": 1.0 if at is not None and step >= at else 0.1},
        )
        for step in range(0, last + 1, every)
    ]


def curve(rows, name):
    return Curve(np.array([step for step, _ in rows]), np.array([readings[name] for _, readings in rows]))


def gathered(arms, *, budget=10_000, is_paired=True, title="study test", lasts=None, notes=()):
    """Runs by arm, one for each seed.

    Args:
        arms: By name, when each run generalizes; None: never, "diverged": never, and its numbers are lost half way.
        budget: Where runs end that do not stop before.
        is_paired: Whether equal seeds began alike.
        lasts: By arm and seed, where a run ends sooner.
    """
    outcomes, curves = [], {}
    for arm, times in arms.items():
        for seed, at in enumerate(times):
            diverged = at == DIVERGED
            at = None if diverged else at
            last = (lasts or {}).get((arm, seed)) or (budget // 2 if diverged else budget if at is None else at + 400)
            rows, run = records(at, last), f"{arm}/{seed}"
            outcomes.append(
                outcome(
                    rows,
                    run=run,
                    arm=arm,
                    seed=seed,
                    budget_steps=budget,
                    status="diverged" if diverged else "finished",
                    evaluated="every 100 steps",
                    start_key=f"start {seed}" if is_paired else None,
                    settings={"task.kind": "modular", "interventions.0.kind": arm, "steps": budget},
                )
            )
            curves[run] = Accuracies(curve(rows, "train/accuracy"), curve(rows, "val/accuracy"))
    return Gathered(title, outcomes, curves, list(notes))
