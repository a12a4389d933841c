"""Landmarks: the moments of a run at which somebody might have asked, with what could be seen then and what came of it.

From the reading at which fitting became known, each landmark is sqrt(2) times as late as the one before, until the
run has generalized. Whatever a forecast would refuse to judge is no landmark. The outcome by H s counts only if the
run's budget reached that far, whether or not it generalized before: otherwise runs that did would be kept more often
than those that did not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...detect import Watch, gauge
from ...detect.chances import HORIZONS
from ...detect.forecast import NOT_MOVED, SIGNS, not_yet
from ...detect.signs import signs
from .corpus import CorpusRun

GROWTH = math.sqrt(2)

_LOSSES = (gauge("train/loss"), gauge("val/loss"))
WATCHES = {
    "accuracy and loss": Watch(also=_LOSSES, norm=None),
    "accuracy": Watch(norm=None),
    "loss": Watch(train=_LOSSES[0], val=_LOSSES[1], norm=None),
}
"""How each kind of log is watched."""


class Landmark(NamedTuple):
    """One moment of one run."""

    run: CorpusRun
    step: int
    signs: dict[str, float]
    generalized_at: int | None  # known only afterwards; None: not while it was watched


class Table(NamedTuple):
    """Landmarks as arrays: N rows, D signs, K horizons."""

    signs_ND: NDArray[np.float64]
    happened_NK: NDArray[np.bool_]  # by H s
    known_NK: NDArray[np.bool_]  # whether the run was watched to H s
    configuration_N: NDArray[np.int64]
    age_N: NDArray[np.float64]
    names: tuple[str, ...]  # of the signs

    def where(self, chosen_N: NDArray[np.bool_] | NDArray[np.int64]) -> Table:
        """Some of the rows, by a mask or by their numbers."""
        return Table(
            self.signs_ND[chosen_N],
            self.happened_NK[chosen_N],
            self.known_NK[chosen_N],
            self.configuration_N[chosen_N],
            self.age_N[chosen_N],
            self.names,
        )


def landmarks(run: CorpusRun, kind: str, *, moved: bool = True) -> list[Landmark]:
    """All landmarks of a run, as a log of one kind.

    Args:
        run: The run.
        kind: A key of `detect.forecast.SIGNS`.
        moved: False: the moments before validation moved, which no forecast judges, instead.
    """
    watch = WATCHES[kind]
    state, found, due = watch.init(), list[tuple[int, dict[str, float]]](), 0.0
    for step, readings in run.records():
        watch.take(state, step, readings)
        if state["gen"] is not None:
            break
        if state["fit"] is None or step < due:
            continue
        seen = signs(watch, state)
        if not_yet(watch, state) == (None if moved else NOT_MOVED) and seen.keys() >= set(SIGNS[kind]):
            found.append((step, seen))
            due = step * GROWTH
    generalized_at = state["gen"] and state["gen"]["step"]
    return [Landmark(run, step, seen, generalized_at) for step, seen in found]


def table(rows: Iterable[Landmark], names: Iterable[str]) -> Table:
    """Landmarks as arrays.

    Args:
        rows: The landmarks.
        names: The signs to take, in this order.
    """
    rows, names = list(rows), tuple(names)
    step_N1 = np.array([row.step for row in rows], np.float64)[:, None]
    at_N1 = np.array([math.inf if r.generalized_at is None else r.generalized_at for r in rows])[:, None]
    until_N1 = np.array([row.run.watched_until for row in rows], np.float64)[:, None]
    by_NK = step_N1 * np.array(HORIZONS)
    return Table(
        signs_ND=np.array([[row.signs[name] for name in names] for row in rows]).reshape(len(rows), len(names)),
        happened_NK=at_N1 <= by_NK,
        known_NK=by_NK <= until_N1,
        configuration_N=np.array([row.run.configuration for row in rows], np.int64),
        age_N=np.array([row.signs["age"] for row in rows]),
        names=names,
    )
