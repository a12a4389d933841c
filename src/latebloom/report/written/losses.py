"""What a study's arms came to in numbers: losses beside those of the blind, and what else was read at the end."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping

import numpy as np

from ...analysis.claims.witness import finite
from ..comparison.compared import Gathered
from ..figures.curves import Level, blind_losses
from ..html import number
from .markdown import plain, table

TRAIN, VAL = "train/loss", "val/loss"
AT_THE_END = {
    "dead_outputs/val": "share of validation outputs without a gradient",
    "orbit_variance/mean": "orbit variance (0: the symmetry is learned, 1: not at all)",
    "orbit_disagreement/mean": "share of pairs of images with different answers",
    "weight_norm/l2": "norm of the weights",
}
"""Readings of which the last value says something by itself."""
WANTED = (TRAIN, VAL, "blind/*", *AT_THE_END)
"""Patterns of all readings that this needs."""


def levels(gathered: Gathered) -> tuple[Level, ...]:
    """The losses of the blind, medians over the runs; none unless numbers are asked for."""
    each: dict[str, list[float]] = {}
    for curves in gathered.readings.values():
        for label, value in blind_losses(curves).items():
            each.setdefault(label, []).append(value)
    return tuple(Level(label, statistics.median(values)) for label, values in each.items())


def losses(gathered: Gathered, names: Mapping[str, str]) -> list[str]:
    """A table of the arms, and how many runs were better than the best of the blind; nothing if no loss was read."""
    rows, better, read = [], 0, 0
    for arm, name in names.items():
        curves = [gathered.readings[one.run] for one in gathered.outcomes if one.arm == arm]
        train = [finite(one[TRAIN]) for one in curves if TRAIN in one]
        val = [finite(one[VAL]) for one in curves if VAL in one]
        train, val = ([one for one in side if len(one.steps)] for side in (train, val))
        if not val:
            continue
        lowest = [int(np.argmin(one.values)) for one in val]
        rows.append(
            (
                plain(name),
                _median(float(one.values[-1]) for one in train),
                _median(float(one.values[at]) for one, at in zip(val, lowest, strict=True)),
                _step(int(one.steps[at]) for one, at in zip(val, lowest, strict=True)),
                _median(float(one.values[-1]) for one in val),
            )
        )
        read += len(val)
        least = min((level.value for level in levels(gathered)), default=0.0)
        better += sum(float(one.values[-1]) < least for one in val)
    if not rows:
        return []
    head = ("arm", "training loss, last", "validation loss, lowest", "at step", "validation loss, last")
    blocks = [table(head, rows), "Losses are medians over the runs of an arm, each of single evaluations."]
    if blind := levels(gathered):
        told = "; ".join(f"{level.label.removeprefix('blind: ')} {level.value:.4g}" for level in blind)
        blocks.append(
            f"Who knows nothing of an example but its group loses, by the training labels: {told}. The last validation "
            f"loss was below the least of these in {better:,} of {read:,} runs."
        )
    return blocks


def ends(gathered: Gathered, names: Mapping[str, str]) -> list[str]:
    """A table of the last of those readings that were read; nothing if none was."""
    read = [name for name in AT_THE_END if name in gathered.known]
    rows = [
        (
            plain(shown),
            *(
                _median(
                    float(curve.values[-1])
                    for one in gathered.outcomes
                    if one.arm == arm and (curve := gathered.readings[one.run].get(name)) and len(curve.values)
                )
                for name in read
            ),
        )
        for arm, shown in names.items()
    ]
    head = ("arm", *(plain(AT_THE_END[name]) for name in read))
    return [table(head, rows), "The last reading of each run; medians over the runs of an arm."] if read else []


def _median(values: Iterable[float]) -> str:
    values = list(values)
    return number(statistics.median(values)) if values else "–"


def _step(steps: Iterable[int]) -> str:
    return f"{statistics.median(steps):,.0f}"
