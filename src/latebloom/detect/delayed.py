"""The verdict on a run whose training and validation accuracy a `DelayDetector` followed.

See `judge` for any other readings, where `unstable` and `early_best_degradation` are told apart as well.

The first line that holds, with t_fit = step of `memorized`, t_gen = step of `generalized`, progress g = share of the
way from chance to 1, best = the highest level held for 3 evaluations, final = the last median of 3:

    insufficient_data      fewer than 10 validation evaluations
    grokking               t_fit and t_gen, ratio >= 2, gained_by_fit < 0.8, t_gen 2 or more evaluations after t_fit
    ordinary_learning      t_gen
    confusion              no t_fit, and g of the best training accuracy < 0.2
    underfit               no t_fit
    in_progress            the last two validation evaluations are at the target; or g(best) >= 0.3, held, and rising
    partial                g(best) >= 0.3 and g(final) >= 0.85 g(best)
    rose_then_fell         g(best) >= 0.3
    memorization           t_fit only

    ratio = (t_gen + 1) / (t_fit + 1)            gained_by_fit = g(validation at t_fit) / g(best validation)

Here / in the specification these were measured by: `gained_by_fit` is phi, `ratio` is R. On 358 public runs the
accuracy verdict agreed with a verdict from losses alone on 89 to 91 %, did not change when the step axis was scaled
by 1000, and changed for 0 to 5 % of runs under noise (sd 0.02 to 0.05) and fivefold thinning.
"""

from __future__ import annotations

from .grokking import STILL_FITTED, DelayDetector, lower_median
from .replay import State
from .scored import scored
from .verdict import (
    APART_EVALUATIONS,
    CONFUSED_BELOW,
    FEWEST_EVALUATIONS,
    GAINED_BY_FIT,
    LATE_RATIO,
    LOST,
    PARTIAL_FROM,
    REFUTED_BY,
    After,
    Family,
    Verdict,
    between,
    not_delayed,
    percent,
)

HELD = 0.85  # share of the best validation progress that is still there
RISING = 1.05  # final over the validation progress at 64 to 80 % of the run


def verdict(detector: DelayDetector, state: State, last_step: int) -> Verdict:
    """Judge a run by the state of its detector after the last evaluation.

    Args:
        detector: The detector that produced the state; its thresholds are quoted.
        state: As returned by `detector.update`, at any point of a run.
        last_step: Optimizer updates done; where the observation ends.
    """
    fit, gen = state["memorized"]["crossed"], state["generalized"]["crossed"]
    best, final = _levels(state, "val")
    best_train, final_train = _levels(state, "train")
    ratio = (gen["step"] + 1) / (fit["step"] + 1) if fit and gen else None
    delay = gen["step"] - fit["step"] if fit and gen else None
    val_at_fit = state["at_fit"][2] if state["at_fit"] else None
    gained = None
    if gen and val_at_fit is not None:
        gained = detector.progress(state, val_at_fit) / detector.progress(
            state, max(best or 0.0, detector.generalized_at)
        )
    apart = gen["evaluation"] + 1 - state["at_fit"][3] if fit and gen else None
    evidence: dict[str, float | int | str | None] = {
        "memorized_at_step": fit and fit["step"],
        "memorized_previous_evaluation": fit and fit["previous_step"],
        "generalized_at_step": gen and gen["step"],
        "generalized_previous_evaluation": gen and gen["previous_step"],
        "onset_at_step": state["onset"],
        "ratio": ratio,
        "gained_by_fit": gained,
        "evaluations_apart": apart,
        "val_at_fit": val_at_fit,
        "best_val": best,
        "best_val_at_step": state["val"]["best_step"],
        "final_val": final,
        "best_train": best_train,
        "final_train": final_train,
        "chance": state["chance"],
        "evaluations": state["val"]["evaluations"],
        "last_step": last_step,
    }
    family = _family(detector, state, ratio, gained, apart)
    return Verdict(
        family=family,
        headline=_headline(family, detector, state, evidence),
        evidence=evidence,
        refuted_by=REFUTED_BY[family],
        delay_steps=delay,
        ratio=ratio,
        censored_at_step=None if gen else last_step,
        after=_after(detector, state, final, final_train),
    )


def _family(
    detector: DelayDetector, state: State, ratio: float | None, gained: float | None, apart: int | None
) -> Family:
    if state["val"]["evaluations"] < FEWEST_EVALUATIONS:
        return "insufficient_data"
    if state["generalized"]["crossed"]:
        if ratio is None or gained is None or apart is None:
            return "ordinary_learning"  # without a fitted training set there is nothing it could be late for
        late = ratio >= LATE_RATIO and gained < GAINED_BY_FIT and apart >= APART_EVALUATIONS
        return "grokking" if late else "ordinary_learning"
    if not state["memorized"]["crossed"]:
        best_train, _ = _levels(state, "train")
        learned = best_train is not None and detector.progress(state, best_train) >= CONFUSED_BELOW
        return "underfit" if learned else "confusion"
    best, final = _levels(state, "val")
    if detector.generalizing.pending(state["generalized"]):
        return "in_progress"
    if best is None or final is None or detector.progress(state, best) < PARTIAL_FROM:
        return "memorization"
    progress = detector.progress(state, final)
    if progress < HELD * detector.progress(state, best):
        return "rose_then_fell"
    return "in_progress" if progress > RISING * detector.progress(state, state["landmarks"][0][1]) else "partial"


def _after(detector: DelayDetector, state: State, final: float | None, final_train: float | None) -> After | None:
    """From the last median of 3, which is all that a detector's state holds of the end."""
    fit, gen = state["memorized"]["crossed"], state["generalized"]["crossed"]
    train_lost = fit is not None and final_train is not None and final_train < STILL_FITTED
    if gen is None or final is None:
        return "training_collapse" if train_lost else None
    if detector.progress(state, final) < 0.5 * detector.progress(state, detector.generalized_at):
        return "training_collapse" if train_lost else "anti_grokking"
    return "degraded" if final < detector.generalized_at - LOST else "stable"


def _levels(state: State, which: str) -> tuple[float | None, float | None]:
    """The best level a reading held, and its last median of 3."""
    recent = state[which]["recent"]
    return state[which]["best"], lower_median(recent) if recent else None


def _headline(
    family: Family, detector: DelayDetector, state: State, numbers: dict[str, float | int | str | None]
) -> str:
    fit, gen = state["memorized"]["crossed"], state["generalized"]["crossed"]
    last = f"step {numbers['last_step']:,}"
    train, val = scored("training", detector.train_reading), scored("validation", detector.val_reading)
    target, final = percent(detector.generalized_at), _level(numbers["final_val"])
    fitted = fit and (
        f"{train} reached {percent(detector.memorized_at)} at step {fit['step']:,} "
        f"({between(fit['step'], fit['previous_step'])})"
    )
    generalized = gen and (
        f"{val} reached {target} at step {gen['step']:,} ({between(gen['step'], gen['previous_step'])})"
    )
    match family:
        case "insufficient_data":
            text = (
                f"Not enough to judge: {numbers['evaluations']} evaluations by {last}; {FEWEST_EVALUATIONS} are needed."
            )
        case "grokking":
            text = f"Grokking: {fitted}; {generalized}, {numbers['ratio']:.3g} times as late."
        case "ordinary_learning" if fit:
            text = f"Ordinary learning: {fitted}; {generalized}. {not_delayed(numbers)}"
        case "ordinary_learning":
            text = (
                f"Ordinary learning: {generalized}, and {train} has not held "
                f"{percent(detector.memorized_at)}. Nothing was memorized first."
            )
        case "confusion":
            text = (
                f"Neither memorized nor generalized by {last}: {train} held "
                f"{_level(numbers['best_train'])} at best, about what knowing nothing scores or less."
            )
        case "underfit":
            text = (
                f"The training set was not fitted by {last}: {train} held {_level(numbers['best_train'])} at "
                f"best and was {_level(numbers['final_train'])} at the end. Delayed generalization cannot be judged."
            )
        case "in_progress":
            text = f"Still rising at {last}: {fitted}; {val} was {final} and had not yet held {target}."
        case "partial":
            text = f"Partial generalization by {last}: {fitted}; {val} holds at {final}, below {target}."
        case "rose_then_fell":
            text = (
                f"Validation rose and fell by {last}: {fitted}; {val} held "
                f"{_level(numbers['best_val'])} at best and was {final} at the end."
            )
        case "memorization":
            text = (
                f"Memorization, right-censored at {last}: {fitted}; {val} had not reached {target} by "
                f"{last} and was {final}. Whether it would later is not known."
            )
    final_val = numbers["final_val"]
    if gen and isinstance(final_val, float) and final_val < detector.generalized_at - LOST:
        text += f" It was lost again: {val} was {final} at {last}."
    return text


def _level(accuracy: float | int | str | None) -> str:
    return percent(accuracy) if isinstance(accuracy, (int, float)) else "not measured"
