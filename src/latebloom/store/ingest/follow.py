"""A log that grows, read as it grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...base.record import Curve
from .growing import GrowingLog

Batch = list[tuple[int, dict[str, float]]]

_NOTHING = Curve(np.zeros(0, np.int64), np.zeros(0))


def follow(path: Path | str, *, mapping: Mapping[str, str] | None = None, format: str | None = None) -> Iterator[Batch]:
    """What is new in a log, each time it is asked; without end, and without waiting: the caller decides how often.

    A batch holds (step, readings) in step order and is empty if nothing is new. The newest step is held back until a
    later one comes or the log has not grown since the last look, since its readings may not all be there yet. A batch
    that begins at a step that was handed out before takes the place of all from there on: the log went back there, or
    what has come since changes what is known of the earlier readings, e.g. that they are per cent.

    Args:
        path: As for `read_log`. It may not exist yet, or hold nothing readable yet.
        mapping: As for `read_log`.
        format: As for `read_log`.

    Raises:
        DataError: When one of several runs has to be chosen.
        StoreError: When the disk fails.
    """
    growing = GrowingLog(path, dict(mapping or {}), format)
    handed: dict[str, Curve] = {}
    while True:
        has_grown, log = growing.look()
        if log is None:
            yield []
            continue
        curves = _without_newest(log.curves) if has_grown else log.curves
        first = _first_change(handed, curves)
        handed = curves
        yield [] if first is None else replace(log, curves=curves).rows(after=first - 1)


def _without_newest(curves: dict[str, Curve]) -> dict[str, Curve]:
    newest = max(int(curve.steps[-1]) for curve in curves.values())
    before = {name: int(curve.steps.searchsorted(newest)) for name, curve in curves.items()}
    return {name: Curve(curve.steps[: before[name]], curve.values[: before[name]]) for name, curve in curves.items()}


def _first_change(old: dict[str, Curve], new: dict[str, Curve]) -> int | None:
    """The first step with a reading that is new or another one than before; None if there is none."""
    firsts = list[int]()
    for name in old.keys() | new.keys():
        before, now = old.get(name, _NOTHING), new.get(name, _NOTHING)
        count = min(len(before.steps), len(now.steps))
        same = (before.steps[:count] == now.steps[:count]) & (
            (before.values[:count] == now.values[:count])
            | np.isnan(before.values[:count]) & np.isnan(now.values[:count])
        )
        place = count if same.all() else int(same.argmin())
        firsts += [int(steps[place]) for steps in (before.steps, now.steps) if place < len(steps)]
    return min(firsts, default=None)
