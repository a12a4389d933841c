"""What happens to a watched training beside its phases: each function brings a state up to date and adds events.

spike, level_shift      see `jumps`; with what was declared there, if anything was
slingshot               a spike of a fitted training loss within 2 readings of a jump of the weight norm, more than 6
                        times what is usual (Thilak et al. 2022, arXiv:2206.04817); cyclic from the third
float32_loss_collapse   a spike of a fitted training loss from about the smallest value float32 cross-entropy can
                        tell from 0; gone if the loss is computed in float64
double_descent          a validation loss that was better than uninformed, got worse, and came half way back
not_finite              3 readings in a row that are no number
"""

from __future__ import annotations

import math

from ..base.record import Event
from . import jumps
from .onset import IN_A_ROW
from .replay import State
from .scale import Scale
from .trace import is_lost

FLOAT32 = 1.2e-6  # mean loss of about ten times 2 ** -23
NORM_USUAL, NORM_LEAST = 6 * 1.4826, 0.01  # times the median change of the logarithm; and at least so much
STEP = 0.05  # by which that median is followed
LONG = 5  # readings between the two descents
EASE = 0.8  # of the rule for a fall, to notice the way up between two descents


def jump(new: State, place: str, before: State, step: int, x: float, one: Scale, events: list[Event]) -> None:
    """A reading away from the level before it, or one after such a reading."""
    pending, event = new["jumps"].get(place), None
    if pending is None:
        pending = jumps.begins(before, step, x, one)
        if pending is None:
            return
    else:
        pending, event = jumps.goes_on(pending, step, x, one)
    new["jumps"] = {**new["jumps"], place: pending}
    if event is None:
        return
    since = int(event.evidence["previous_step"])
    what = [str(text) for at, text in new["declared"] if since <= at <= event.step]
    events.append(event._replace(evidence={**event.evidence, "declared": "; ".join(what) or "nothing"}))
    if event.kind == "spike" and place == "train" and new["fit"] is not None:
        _explain(new, event, one, events)


def _explain(new: State, spike: Event, one: Scale, events: list[Event]) -> None:
    at, previous = new["norm"][2], int(spike.evidence["previous_step"])
    if at is not None and at >= previous - (spike.step - previous):
        new["slingshots"] += 1
        count: dict[str, float | int | str] = {"slingshots": new["slingshots"], "norm_jumped_at": at}
        count["cyclic"] = "yes" if new["slingshots"] >= 3 else "no"
        events.append(Event(spike.step, "slingshot", spike.known_at, {**spike.evidence, **count}))
    if one.is_loss and not new["float32"] and float(spike.evidence["before"]) <= FLOAT32:
        new["float32"] = True
        events.append(Event(spike.step, "float32_loss_collapse", spike.known_at, spike.evidence))


def follow_norm(new: State, step: int, norm: float) -> None:
    """Remember the weight norm and when it jumped."""
    if not (math.isfinite(norm) and norm > 0):
        return
    last, usual, jumped = new["norm"]
    level = math.log(norm)
    if last is not None:
        change = abs(level - last)
        if usual is None:
            usual = max(change, 1e-6)
        else:
            if change > NORM_USUAL * usual and change > NORM_LEAST:
                jumped = step
            usual = usual * (1 + STEP) if change > usual else max(usual / (1 + STEP), 1e-6)
    new["norm"] = [level, usual, jumped]


def descend(new: State, place: str, step: int, val: State, one: Scale, events: list[Event]) -> None:
    """Follow a validation loss through a first descent, a fall and a second descent."""
    descent, level = new["descents"].get(place), val["level"]
    if descent is None:
        if is_lost(val, one, EASE):
            new["descents"] = {**new["descents"], place: [val["best"], val["best_step"], level, 1, False]}
        return
    early, at, worst, below, is_over = descent
    if is_over:
        return
    worst, below = min(worst, level), below + 1
    is_over = level >= early - 0.5 * (early - worst) and below >= LONG
    new["descents"] = {**new["descents"], place: [early, at, worst, below, is_over]}
    if is_over:
        evidence: dict[str, float | int | str] = {
            "reading": one.reading,
            "early_best": one.value(early),
            "early_best_step": at,
            "worst": one.value(worst),
            "value": one.value(level),
        }
        events.append(Event(step, "double_descent", step, evidence))


def not_finite(new: State, step: int, place: str, one: Scale, events: list[Event]) -> None:
    """A reading that is no number."""
    count = new["broken"].get(place, 0) + 1
    new["broken"] = {**new["broken"], place: count}
    if count == IN_A_ROW:
        events.append(Event(step, "not_finite", step, {"reading": one.reading, "evaluations_in_a_row": count}))
