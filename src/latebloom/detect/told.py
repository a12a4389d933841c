"""A verdict on any readings in one or two sentences."""

from __future__ import annotations

from collections.abc import Mapping

from .onset import IN_A_ROW
from .replay import State
from .scale import Scale
from .verdict import Family, between, not_delayed, percent
from .watch import Watch

Numbers = Mapping[str, float | int | str | None]

_AFTER = {
    "anti_grokking": "It was lost again while the training set stayed fitted (anti-grokking)",
    "training_collapse": "It was lost again together with the training set (training collapse)",
    "unstable": "It was lost and found again several times (unstable)",
    "degraded": "It was partly lost again",
}

_END = "on average over the last eighth of the readings, up to"


def headline(
    family: Family, watch: Watch, state: State, numbers: Numbers, after: str | None = None, shape: str | None = None
) -> str:
    """What the run shows, by when, in the unit of its readings."""
    train, val = watch.gauges.get("train"), watch.gauges.get("val")
    last = f"step {numbers['last_step'] or 0:,}"
    fitted = _crossing(train, "train", numbers, "memorized")
    generalized = _crossing(val, "val", numbers, "generalized")
    final, best = (f"{_shown(val, numbers.get(key))}" for key in ("final_val", "best_val"))
    best_at = f"{best} at step {numbers.get('best_val_at_step') or 0:,}"
    name = val.reading if val else ""
    match family:
        case "insufficient_data":
            text = f"Not enough to judge by {last}: {numbers['why_not']}."
        case "grokking":
            how = f"Grokking ({shape})" if shape else "Grokking"
            text = f"{how}: {fitted}; {generalized}, {numbers['ratio']:.3g} times as late."
        case "ordinary_learning" if fitted:
            text = f"Ordinary learning: {fitted}; {generalized}. {not_delayed(numbers)}"
        case "ordinary_learning":
            text = (
                f"Ordinary learning: {generalized}, and {train.reading if train else 'training'} has not held "
                f"{_shown(train, numbers.get('train_target'))}. Nothing was memorized first."
            )
        case "memorization":
            text = (
                f"Memorization, right-censored at {last}: {fitted}; {name} had not reached "
                f"{_shown(val, numbers['val_target'])} and was {final}. Whether it would later is not known."
            )
        case "partial":
            late = numbers["late_by_ratio"]
            how = f"Partial grokking ({late:.3g} times as late as the fit)" if late else "Partial generalization"
            text = f"{how}, right-censored at {last}: {fitted}; {name} is {final}, short of the target."
        case "in_progress":
            text = f"Still rising at {last}: {fitted}; {name} is {final} and has not yet held its target."
        case "rose_then_fell":
            at, fit = numbers.get("abrupt_at_step"), numbers.get("memorized_at_step")
            before_fit = isinstance(at, int) and (not isinstance(fit, (int, float)) or fit > at)
            how = f"improved abruptly around step {at:,}" if at else "improved"
            when = " before the training set was fitted" if before_fit and train else ""
            return f"{name} {how}{when}, and got worse later: best {best_at}, {final} {_END} {last}. Not grokking."
        case "confusion":
            text = (
                f"Neither memorized nor generalized by {last}: {train.reading if train else 'training'} held "
                f"{_shown(train, numbers.get('best_train'))} at best, about what knowing nothing scores or less."
            )
        case "underfit":
            text = (
                f"The training set was not fitted by {last}: {train.reading if train else 'training'} held "
                f"{_shown(train, numbers.get('best_train'))} at best. Delayed generalization cannot be judged."
            )
        case "unstable":
            text = (
                f"Unstable by {last}: {name} swung up and down {numbers['turns']} times, with no lasting gain; "
                f"best {best_at}, {final} {_END} it. Not grokking."
            )
        case "early_best_degradation":
            one = watch.gauges.get(str(numbers.get("degraded_reading")), val)
            text = (
                f"Best early, worse since: {numbers['degraded_reading']} was {_shown(one, numbers['degraded_best'])} "
                f"at step {numbers['degraded_best_step']:,} and {_shown(one, numbers['degraded_final'])} "
                f"{_END} {last}. "
                "The training set was not fitted; this is no grokking and no memorization."
            )
    broken = [watch.gauges[place].reading for place, count in state["broken"].items() if count >= IN_A_ROW]
    if broken:
        text += f" At the end {' and '.join(broken)} was no number (training collapse)."
    elif after in _AFTER and generalized:
        text += f" {_AFTER[after]}: {name} was {final} {_END} {last}."
    elif after == "training_collapse":
        text += (
            f" The training set was lost again (training collapse): {_shown(train, numbers['final_train'])} "
            f"{_END} {last}."
        )
    if numbers.get("provisional") == "yes":
        text += " Provisional: the log ends before the crossing could be called sustained."
    return text


def _crossing(one: Scale | None, place: str, numbers: Numbers, event: str) -> str:
    at, before = numbers.get(f"{event}_at_step"), numbers.get(f"{event}_previous_evaluation")
    if one is None or at is None:
        return ""
    when = between(int(at), None if before is None else int(before))
    return f"{one.reading} reached {_shown(one, numbers.get(f'{place}_target'))} at step {int(at):,} ({when})"


def _shown(one: Scale | None, value: float | int | str | None) -> str:
    if not isinstance(value, (int, float)):
        return "its target"
    return percent(value) if one is not None and one.kind in ("accuracy", "coverage") else f"{value:.3g}"
