"""The phase of a watched training, with hysteresis.

The first line that holds for 3 readings in a row; a sustained crossing, which has waited already, counts at once:

    degradation   validation is worse than its best median of 5 by what matters (0.05 accuracy, 0.1 correlation or
                  coverage, 20 % and 2 % of the uninformed loss) and by 10 times its noise, and there was something to
                  lose (progress 0.3); until half of it is back. A loss is left out where an accuracy is watched: it
                  grows with confidence alone.
    converged     generalized, and still there; or flat, something learned, and no gap to the training reading
    grokking      fitted, and risen as for an onset
    plateau       fitted with a gap of 0.10 and flat; or flat without ever fitting
    memorization  fitted, with a gap of 0.10
    warmup        anything else
"""

from __future__ import annotations

from typing import Literal

from .onset import IN_A_ROW, LEARNED, has_risen
from .replay import State
from .scale import Scale

WatchPhase = Literal["warmup", "memorization", "plateau", "grokking", "degradation", "converged"]

GAP = 0.10  # progress
STALLED = 50  # readings without fitting, and flat


def follow_phase(state: State, step: int, train: Scale | None, val: Scale | None, at_once: bool) -> None:
    """Bring the phase of a state, in place, up to its last readings.

    Args:
        state: Of a `Watch`.
        step: Of the readings.
        train: The gauge of the training reading.
        val: The gauge of the validation reading.
        at_once: A sustained crossing became known by these readings.
    """
    wanted = _wanted(state, train, val)
    if state["phase_since"] is None:
        state["phase_since"] = step
    waiting = state["next_phase"]
    if wanted is None or wanted == state["phase"]:
        if waiting is not None:
            state["next_phase"] = None
        return
    waiting = [wanted, step, 1] if waiting is None or waiting[0] != wanted else [*waiting[:2], waiting[2] + 1]
    if waiting[2] >= IN_A_ROW or (at_once and wanted != "degradation"):
        state["phase"], state["phase_since"], waiting = waiting[0], waiting[1], None
    state["next_phase"] = waiting


def _wanted(state: State, train: Scale | None, val: Scale | None) -> WatchPhase | None:
    """The first line of the table that holds; None to stay as it is."""
    traces = state["traces"]
    of_train, of_val = traces.get("train"), traces.get("val")
    if of_val is None or val is None:
        return "plateau" if of_train["flat"] and of_train["n"] >= STALLED else "warmup"
    if state["lost"]:
        return "degradation"
    level, is_flat = of_val["level"], of_val["flat"]
    if state["gen"] is not None:
        return "converged" if of_val["target"] is None or level >= of_val["target"] - val.worse else None
    is_stalled = is_flat and of_val["n"] >= STALLED
    if of_train is None or train is None:
        return "plateau" if is_stalled else "warmup"
    if state["fit"] is None and not (is_stalled and of_train["flat"]):
        return "warmup"
    progress = val.progress(level, of_val["start"])
    has_learned = progress >= LEARNED
    if state["rise"] is not None or (has_learned and not is_flat and has_risen(state, level, val)):
        return "grokking"
    phase = state["phase"]
    least = GAP * (0.5 if phase in ("memorization", "plateau") else 1.5 if phase == "converged" else 1.0)
    gap = train.progress(of_train["level"], of_train["start"]) - progress
    if gap < least and is_flat and has_learned:
        return "converged"
    if state["fit"] is None:
        return "plateau"
    return None if gap < least else "plateau" if is_flat else "memorization"
