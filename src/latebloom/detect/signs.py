"""What a run's curves look like from where it stands now, in numbers that no unit of steps or losses changes.

A run fitted its training set at step t_fit; now is step s. Slopes are least squares over the readings since s / 2, per
factor e of steps. g is the progress of validation accuracy (`gauge`), L a loss, L0 that of knowing nothing:

    age               ln(s / t_fit)
    val_progress      g now, the median of the last 3 readings
    val_slope         slope of g
    val_loss          ln(L / L0) of validation, now
    val_loss_slope    slope of ln L of validation

They are worked out from what a `Watch` remembers anyway, when somebody asks: following them costs nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left

from .pair import side
from .replay import State
from .trace import course
from .watch import Watch

WINDOW = 2.0  # factor of steps that a slope looks back over
FEWEST_IN_WINDOW = 4  # readings
_LEAST, _MOST = -16.0, 16.0  # of a logarithm: a loss of 1e-30 tells no more than one of 1e-7


def signs(watch: Watch, state: State) -> dict[str, float]:
    """The signs that the readings allow, for a run that has fitted its training set; empty before.

    Args:
        watch: The watch that follows the run.
        state: Its state after the last reading.
    """
    if state["fit"] is None:
        return {}
    step, fit = state["step"], state["fit"]["step"]
    found = {"age": math.log((step + 1) / (fit + 1))}
    places = {(side(one.reading), one.kind): place for place, one in reversed(watch.gauges.items())}
    if (trace := state["traces"].get(places.get(("val", "accuracy")))) is not None:
        span = 1 - trace["start"]
        found["val_progress"] = (trace["level"] - trace["start"]) / span
        _add_slope(found, "val_slope", course(trace), step, 1 / span)
    if (trace := state["traces"].get(places.get(("val", "loss")))) is not None:
        found["val_loss"] = _bounded(trace["start"] - trace["level"])
        _add_slope(found, "val_loss_slope", course(trace), step, -1.0)
    return found


def _add_slope(found: dict[str, float], name: str, rows: list[list[float]], step: int, factor: float) -> None:
    """Least squares of the level over ln step; nothing is added with too few readings."""
    count = x_sum = y_sum = xx = xy = 0.0
    recent = rows[bisect_left(rows, [max(step / WINDOW, 1)]) :]
    for at, y, weight in recent:
        x = math.log(at / step)
        wx = weight * x
        count, x_sum, y_sum, xx, xy = count + weight, x_sum + wx, y_sum + weight * y, xx + wx * x, xy + wx * y
    if count >= FEWEST_IN_WINDOW and len(recent) > 1:
        found[name] = _bounded(factor * (count * xy - x_sum * y_sum) / (count * xx - x_sum**2))


def _bounded(x: float) -> float:
    return min(max(x, _LEAST), _MOST)
