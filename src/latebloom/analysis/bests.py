"""The bests of a stored run: several at once, the checkpoint kept of each, and the way back when one was lost."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..detect import Watch, gauge, percent
from ..detect.pair import pair, side
from ..store import StoredRun

SLOWER = 3  # times, in the command that goes back: the same settings would do the same again, bit for bit


class BestKept(NamedTuple):
    """The best of one reading."""

    reading: str
    better: str  # `lower` or `higher`
    value: float
    step: int
    last: float  # the reading's last value
    is_lost: bool  # worse at the end by what matters and by more than noise
    checkpoint_step: int | None  # the checkpoint with the best value of this reading; None if there is none
    checkpoint_value: float | None


def bests(stored: StoredRun) -> list[BestKept]:
    """The best of every reading that the run keeps checkpoints by, and of every validation reading.

    Args:
        stored: The run; its records are watched as they would have been while it trained.
    """
    curves = stored.curves()
    wanted = {one["reading"]: one.get("better", "lower") for one in _kept_by(stored.spec)}
    wanted |= {name: gauge(name).better for name in curves if side(name) == "val" and name not in wanted}
    lost, saved = _lost(stored, list(curves)), stored.checkpoints()
    found = []
    for reading, better in wanted.items():
        sign = 1 if better == "higher" else -1
        if reading not in curves or not np.isfinite(values := curves[reading].values).any():
            continue
        place = int(np.nanargmax(np.where(np.isfinite(values), sign * values, np.nan)))
        kept = {c.step: c.readings[reading] for c in saved if np.isfinite(c.readings.get(reading, np.nan))}
        at = max(kept, key=lambda step: sign * kept[step], default=None)
        found.append(
            BestKept(
                reading=reading,
                better=better,
                value=float(values[place]),
                step=int(curves[reading].steps[place]),
                last=float(values[-1]),
                is_lost=reading in lost,
                checkpoint_step=at,
                checkpoint_value=None if at is None else kept[at],
            )
        )
    return found


def ways_back(stored: StoredRun, found: list[BestKept]) -> list[str]:
    """A sentence for each best that was lost: what is kept of it, and the command that goes on from there."""
    sentences = []
    for one in found:
        if not one.is_lost:
            continue
        told = f"{one.reading} was {_shown(one, one.value)} at step {one.step:,} and is {_shown(one, one.last)}"
        if one.checkpoint_step is None:
            told += "; no checkpoint has it. Next time keep one: checkpoints.best in the recipe."
        else:
            told += (
                f". The checkpoint of step {one.checkpoint_step:,} has {_shown(one, one.checkpoint_value)}; a new run "
                f"from there, this one untouched: {command(stored, one)}"
            )
        sentences.append(told)
    return sentences


def command(stored: StoredRun, one: BestKept) -> str | None:
    """The command that makes a new run from the best checkpoint, more slowly; None if there is no checkpoint."""
    if one.checkpoint_step is None:
        return None
    words = f"latebloom resume {stored.words} --from {one.checkpoint_step}"
    rate = stored.spec.get("optimizer", {}).get("learning_rate")
    return words if rate is None else f"{words} optimizer.learning_rate={rate / SLOWER:.3g}"


def _shown(one: BestKept, value: float | None) -> str:
    if value is None:
        return "nothing"
    return percent(value) if gauge(one.reading).kind in ("accuracy", "coverage") else f"{value:.4g}"


def _kept_by(spec: dict[str, Any]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = spec.get("checkpoints", {}).get("best", [])
    return kept


def _lost(stored: StoredRun, names: list[str]) -> set[str]:
    """The readings that are degraded at the end."""
    train, val = pair(names)
    if val is None:
        return set()
    also = tuple(gauge(name) for name in names if side(name) == "val" and name != val)
    watch = Watch(train=gauge(train) if train else None, val=gauge(val), also=also)
    state = watch.init()
    for step, readings in stored.records():
        watch.take(state, step, readings)
    return {watch.gauges[place].reading for place in watch.scaled(state).lost(state)}
