"""What the figure of one run shows, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...analysis.story import PhaseSpan, Story
from ...base.record import Curve
from ...detect import scored

BLIND = {
    "blind/one_constant": "blind: one constant",
    "blind/part_means": "blind: table of group means",
}
"""Readings of the training labels alone, see `measures.evaluation`, and what they are called."""
MOST_PARTS = 8  # more are not told apart by look, nor named one by one
MOST_POINTS = 2000  # per curve; more cannot be told apart at the width of a page


class Series(NamedTuple):
    """One curve, thinned if it was long."""

    name: str  # of the reading
    label: str
    role: Literal["train", "val", "part"]  # part: validation on one task of a mixture
    steps: NDArray[np.int64]  # (K,), K <= MOST_POINTS
    values: NDArray[np.float64]  # (K,) NaN where nothing finite was read


class Mark(NamedTuple):
    """One event on the step axis."""

    step: int
    label: str


class Level(NamedTuple):
    """A loss that needs no knowledge of an example."""

    label: str
    value: float


class CurvesData(NamedTuple):
    """Both panels, everything on them, and the axis they share."""

    title: str
    subtitle: str
    accuracy: list[Series]
    loss: list[Series]  # values > 0 only: its axis is logarithmic
    phases: list[PhaseSpan]
    marks: list[Mark]
    delay: tuple[int, int] | None  # memorized, generalized; only if that is what grokking looks like
    first_step: int  # first evaluated step > 0: the axis is linear from 0 to here, logarithmic beyond
    last_step: int
    axis: str = "optimizer step"  # what the steps count
    score: str = "accuracy"  # what the upper panel shows
    blind: tuple[Level, ...] = ()  # drawn through the panel of the losses


def curves_data(story: Story) -> CurvesData:
    """The accuracies and losses of a run over its steps, with its phases and events."""
    train, val = story.detector.train_reading, story.detector.val_reading
    positive = [int(curve.steps[curve.steps > 0][0]) for curve in story.curves.values() if (curve.steps > 0).any()]
    first_step = min(positive, default=1)
    accuracy = _panel(story.curves, train, val, first_step)
    loss = _panel(story.curves, "train/loss", "val/loss", first_step)
    family = story.verdict.family.replace("_", " ")
    delay = story.memorized and story.generalized and (story.memorized.step, story.generalized.step)
    return CurvesData(
        title=story.name or story.id,
        subtitle=f"{family} · {story.status} at step {story.step:,} · seed {story.seed}",
        accuracy=accuracy,
        loss=[one._replace(values=np.where(one.values > 0, one.values, np.nan)) for one in loss],
        phases=story.phases,
        marks=[Mark(event.step, event.kind) for event in story.events],
        delay=delay if delay and story.verdict.family == "grokking" else None,
        first_step=first_step,
        last_step=max([story.step, first_step, *(int(one.steps[-1]) for one in accuracy + loss)]),
        score=scored("", val),
        blind=tuple(Level(label, value) for label, value in blind_losses(story.curves).items()),
    )


def blind_losses(curves: Mapping[str, Curve]) -> dict[str, float]:
    """What those lose who know nothing of an example, by what they answer; nothing unless numbers are asked for."""
    told = {text: curves[name].values for name, text in BLIND.items() if name in curves}
    return {text: float(values[-1]) for text, values in told.items() if len(values) and values[-1] > 0}


def _panel(curves: dict[str, Curve], train: str, val: str, first_step: int) -> list[Series]:
    parts = sorted(name for name in curves if name.startswith(f"{val}/"))
    few, crowd = len(parts) <= MOST_PARTS, f"val: each of {len(parts)} parts"
    wanted: list[tuple[str, str, Literal["train", "val", "part"]]] = [
        (train, "training", "train"),
        (val, "validation", "val"),
        *((name, f"val: {name.removeprefix(f'{val}/')}" if few else crowd, "part") for name in parts),
    ]
    drawn = []
    for name, label, role in wanted:
        if name in curves and len(curves[name].steps):
            steps, values = curves[name]
            thin = thinned(steps, np.where(np.isfinite(values), values, np.nan), first_step)
            drawn.append(Series(name, label, role, *thin))
    return drawn


def thinned(
    steps_K: NDArray[np.int64], values_K: NDArray[np.float64], first_step: int, most: int = MOST_POINTS
) -> Curve:
    """At most `most` points that keep every peak: lowest and highest of each slot of the drawn axis, and both ends.

    Args:
        steps_K: Steps, increasing.
        values_K: Readings; NaN among them are dropped if the curve has to be thinned.
        first_step: Where the drawn axis turns from linear to logarithmic.
        most: Greatest number of points returned, >= 4.

    Example:
        >>> steps = np.arange(10_000)
        >>> curve = thinned(steps, (steps == 777).astype(float), first_step=1, most=100)
        >>> len(curve.steps) <= 100, 777 in curve.steps
        (True, True)
    """
    if len(steps_K) <= most:
        return Curve(steps_K, values_K)
    seen = np.isfinite(values_K)
    if not seen.any():
        return Curve(steps_K[:1], values_K[:1])
    steps, values = steps_K[seen], values_K[seen]
    # Slots are equally wide where they are drawn, so that a linear cadence keeps its few early points.
    place = np.log1p(steps / first_step)
    slots = (most - 2) // 2
    slot = np.minimum((place / max(place[-1], 1e-12) * slots).astype(np.int64), slots - 1)
    order = np.lexsort((values, slot))  # by slot, then by value: its first is its lowest, its last its highest
    edge = np.flatnonzero(np.diff(slot[order])) + 1
    kept = np.unique(np.concatenate([order[[0, *edge]], order[[*(edge - 1), -1]], [0, len(steps) - 1]]))
    return Curve(steps[kept], values[kept])
