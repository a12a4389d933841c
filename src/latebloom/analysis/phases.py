"""Phase diagrams: what became of the runs in each cell of a grid of two settings.

The phases are those of Liu et al. (2022), arXiv:2205.10343, table 1. With training and validation accuracy above
90 % and a budget of steps:

    comprehension   both reached, validation less than 1,000 steps after training
    grokking        both reached, validation 1,000 steps later or more
    memorization    only training reached
    confusion       training not reached

1,000 steps are many for one task and few for another, so our own verdict, which judges the ratio of the two times, is
counted beside it.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from ..base.errors import DataError
from ..detect import DelayDetector
from ..store import StoredRun
from .outcome import OVER, Crossed, outcome, outcome_of
from .published import PublishedRun

LiuPhase = Literal["comprehension", "grokking", "memorization", "confusion"]
LIU_LEVEL = 0.9
LIU_DELAY_STEPS = 1000


class Cell(NamedTuple):
    """The runs of one cell. Steps are medians over all its runs, None when less than half got there."""

    x: Any
    y: Any
    n: int  # runs that are over, or have generalized
    missing: int  # planned, not begun or not readable
    unfinished: (
        int  # not over, and not counted; or ended before their budget for another reason than having generalized
    )
    phase: LiuPhase | None  # that of most runs; of two equally frequent the less favourable
    phases: dict[str, int]
    verdicts: dict[str, int]  # our own
    generalized: int  # runs that reached the detector's level and held it
    generalized_steps: float | None
    delay_steps: float | None  # of validation after training
    horizon_steps: int  # until where runs that did not get there were watched; the shortest of them


class PhaseDiagram(NamedTuple):
    """A grid of cells, rows from small y to large."""

    x_key: str
    y_key: str
    xs: list[Any]
    ys: list[Any]
    cells: list[Cell]  # row by row; a combination that is not planned is absent

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {**self._asdict(), "cells": [cell._asdict() for cell in self.cells]}


def liu_phase(fit_step: int | None, generalized_step: int | None) -> LiuPhase:
    """The phase of one run, from the steps at which both accuracies reached 90 % (None: not within the budget).

    Example:
        >>> liu_phase(400, 4400), liu_phase(400, 900), liu_phase(400, None), liu_phase(None, None)
        ('grokking', 'comprehension', 'memorization', 'confusion')
    """
    if fit_step is None:
        return "confusion"
    if generalized_step is None:
        return "memorization"
    return "grokking" if generalized_step - fit_step >= LIU_DELAY_STEPS else "comprehension"


def phase_diagram(
    runs: Iterable[tuple[Mapping[str, Any], StoredRun | PublishedRun | None]], x_key: str, y_key: str
) -> PhaseDiagram:
    """The diagram of a study's runs.

    Args:
        runs: Label of each planned run, e.g. `{"optimizer.weight_decay": 1.0, "seed": 3}`, and the run if it exists.
        x_key: The label along x.
        y_key: The label along y.

    Raises:
        DataError: A key that the labels do not have, or labels that differ in more than these two and the seed.
    """
    runs = list(runs)
    keys = list(dict.fromkeys(key for label, _ in runs for key in label))
    if unknown := [key for key in (x_key, y_key) if key not in keys]:
        raise DataError(f"the runs have no {' and no '.join(unknown)}; they differ in {', '.join(keys) or 'nothing'}")
    if lacking := [label for label, _ in runs if x_key not in label or y_key not in label]:
        raise DataError(f"{len(lacking)} of the runs have no {x_key} or no {y_key}, e.g. {lacking[0]}; leave them out")
    others = {key: {str(label.get(key)) for label, _ in runs} for key in keys if key not in (x_key, y_key, "seed")}
    if varied := [key for key, values in others.items() if len(values) > 1]:
        raise DataError(f"the runs also differ in {', '.join(varied)}; a cell would mix them. Choose other axes.")
    xs, ys = (sorted({label[key] for label, _ in runs}, key=_order) for key in (x_key, y_key))
    cells = []
    for y in ys:
        for x in xs:
            found = [run for label, run in runs if label[x_key] == x and label[y_key] == y]
            if found:
                cells.append(_cell(x, y, found))
    return PhaseDiagram(x_key, y_key, xs, ys, cells)


def _cell(x: Any, y: Any, found: list[StoredRun | PublishedRun | None]) -> Cell:
    begun = [(run, outcome_of(run, "")) for run in found if run is not None and run.status != "damaged"]
    known = [(run, one) for run, one in begun if one.last_step or one.status == "diverged"]
    decided = [(run, one) for run, one in known if one.happened or one.status in OVER]
    read, ours = [run for run, _ in decided], [one for _, one in decided]
    liu = [outcome(run.records(), run=run.id, arm="", seed=run.seed, detector=_at_liu_level(run)) for run in read]
    phases: Counter[LiuPhase] = Counter(liu_phase(_step(one.memorized), _step(one.happened)) for one in liu)
    generalized = [one.happened.step for one in ours if one.happened]
    delays = [one.happened.step - one.memorized.step for one in ours if one.happened and one.memorized]
    short = [one for one in ours if not one.happened and one.last_step < one.budget_steps and one.status != "diverged"]
    watched = [one.last_step for one in ours if not one.happened]
    later = get_args(LiuPhase)  # of two equally frequent phases the less favourable is shown
    by_frequency = sorted(phases, key=lambda one: (phases[one], later.index(one)))
    return Cell(
        x=x,
        y=y,
        n=len(ours),
        missing=len(found) - len(known),
        unfinished=len(short) + len(known) - len(decided),
        phase=by_frequency[-1] if by_frequency else None,
        phases={str(phase): count for phase, count in phases.items()},
        verdicts=dict(Counter(one.verdict for one in ours)),
        generalized=len(generalized),
        generalized_steps=_median(generalized, len(ours)),
        delay_steps=_median(delays, len(ours)),
        horizon_steps=min(watched, default=max((one.budget_steps for one in ours), default=0)),
    )


def _at_liu_level(run: StoredRun | PublishedRun) -> DelayDetector:
    settings = {k: v for k, v in (run.spec.get("detector") or {}).items() if v is not None}
    return DelayDetector(**{**settings, "memorized_at": LIU_LEVEL, "generalized_at": LIU_LEVEL})


def _step(crossed: Crossed | None) -> int | None:
    return None if crossed is None else crossed.step


def _median(steps: list[int], n: int) -> float | None:
    """Runs that did not get there are later than any that did."""
    ordered: list[float] = [*sorted(steps), *[float("inf")] * (n - len(steps))]
    middle = statistics.median_low(ordered) if ordered else float("inf")
    return None if middle == float("inf") else middle


def _order(value: Any) -> tuple[bool, Any]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return not is_number, value if is_number else str(value)
