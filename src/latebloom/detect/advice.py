"""What to do and what to beware of, in sentences, from the state of a `Watch`."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.record import Event
from .replay import State
from .verdict import percent
from .watch import Watch

_SHOWN = 3  # the last events of a kind that warn


def advice(watch: Watch, state: State, events: Sequence[Event]) -> tuple[list[str], list[str]]:
    """Recommendations and warnings.

    Args:
        watch: With the unit that was found in the readings: `watch.scaled(state)`.
        state: After the last reading.
        events: All events so far, in order.
    """
    phase, lost = state["phase"], watch.lost(state)
    recommend, warn = list[str](), list[str]()
    if phase == "memorization" or (phase == "plateau" and state["fit"] is not None):
        recommend.append(
            "The training set is fitted and validation has not followed. Whether it will is not known: to find out, go "
            "on for several times as long as the fitting took, with weight decay, and keep checkpoints."
        )
    elif phase == "plateau":
        recommend.append(
            "Nothing moves and the training set is not fitted: try another learning rate or a larger model, or, where "
            "the weight norm has shrunk to nearly nothing, less decay or penalty."
        )
    elif phase == "grokking":
        recommend.append("Validation is rising late: keep going, change nothing, and save checkpoints more often.")
    elif phase == "converged":
        recommend.append("Validation holds its level: the run may stop. Keep this checkpoint and the best one.")
    elif phase == "degradation":
        recommend.append(f"Go back to a checkpoint of the best: {_bests(watch, state)}.")
    for place in lost:
        one, trace = watch.gauges[place], state["traces"][place]
        warn.append(
            f"{one.reading} has degraded since its best: {_shown(one.kind, one.value(trace['best']))} around "
            f"{trace['best_step']:,}. Bests: {_bests(watch, state)}."
        )
    for event in [event for event in events if event.kind in _WARNS][-_SHOWN:]:
        if event.kind != "level_shift" or event.evidence["direction"] == "worse":
            warn.append(_WARNS[event.kind].format(step=event.step, **{**_NOTHING, **event.evidence}))
    return recommend, warn


_NOTHING = {"declared": "nothing"}
_WARNS = {
    "level_shift": (
        "{reading} shifted at {step:,} from {before:.4g} to {after:.4g} and stayed (declared there: {declared})."
    ),
    "spike": "{reading} had a spike at {step:,}: {before:.4g}, then {farthest:.4g}, then back.",
    "slingshot": (
        "A spike of {reading} at {step:,} came with a jump of the weight norm: a slingshot of an adaptive optimizer."
    ),
    "float32_loss_collapse": (
        "A spike of {reading} at {step:,} from a level that float32 cross-entropy cannot resolve: compute the loss in "
        "float64."
    ),
    "not_finite": "{reading} is no number since {step:,}: lower the learning rate.",
}


def _bests(watch: Watch, state: State) -> str:
    bests = []
    for place, one in watch.gauges.items():
        trace = state["traces"].get(place)
        if trace is not None and place != "train" and not one.reading.startswith("train"):
            bests.append(f"{one.reading} {_shown(one.kind, one.value(trace['top']))} at {trace['top_step']:,}")
    return ", ".join(bests)


def _shown(kind: str, value: float) -> str:
    return percent(value) if kind in ("accuracy", "coverage") else f"{value:.4g}"
