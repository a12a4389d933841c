"""What a run shows, in one of a dozen families, with the numbers that decided and what would refute it.

`judge` reaches it from any readings, `delayed` from the accuracies that a `DelayDetector` followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Family = Literal[
    "grokking",
    "ordinary_learning",
    "memorization",
    "in_progress",
    "partial",
    "rose_then_fell",
    "confusion",
    "underfit",
    "unstable",
    "early_best_degradation",
    "insufficient_data",
]

After = Literal["too_early", "stable", "degraded", "unstable", "anti_grokking", "training_collapse"]

FEWEST_EVALUATIONS = 10
LATE_RATIO = 2.0
GAINED_BY_FIT = 0.8  # share of the validation gain; at or above it nothing was delayed
APART_EVALUATIONS = 2
CONFUSED_BELOW = 0.2  # training progress
PARTIAL_FROM = 0.3  # validation progress
LOST = 0.05  # accuracy below the target at which a generalized run counts as having lost it


class Verdict(NamedTuple):
    """A conclusion that carries its reasons."""

    family: Family
    headline: str  # one or two sentences
    evidence: dict[str, float | int | str | None]  # the numbers that decided
    refuted_by: str  # the observation that would overturn it
    delay_steps: int | None  # t_gen - t_fit; negative if validation came first; None unless both happened
    ratio: float | None  # (t_gen + 1) / (t_fit + 1)
    censored_at_step: int | None  # no generalization by this step, which says nothing about later ones
    after: After | None = None  # what became of it; without generalization only a training collapse
    shape: str | None = None  # of a grokking: sharp, gradual or between; of a partial one that came late: late

    def columns(self) -> dict[str, float | int | str | None]:
        """What a table of runs shows of it; stored as the run's summary."""
        return {
            "verdict": self.family,
            "memorized_step": self.evidence["memorized_at_step"],
            "generalized_step": self.evidence["generalized_at_step"],
            "grokking_delay_steps": self.delay_steps,
            "ratio": self.ratio,
            "censored_at_step": self.censored_at_step,
        }


REFUTED_BY: dict[Family, str] = {
    "grokking": (
        "Refuted if evaluating more often puts the two crossings less than a factor 2 apart; if "
        "validation had already gained 80% of its final level when training was fitted; or if training was "
        "read differently from validation (running mean, dropout, a different set)."
    ),
    "ordinary_learning": (
        "Refuted if evaluating more often, near the first crossing, shows the training set fitted at most half as late "
        "as the validation target was reached, with most of the validation gain still to come."
    ),
    "memorization": "Refuted by continuing the run: any later step from which validation holds the target.",
    "in_progress": "Decided by continuing the run until validation holds the target or stops rising.",
    "partial": "Refuted by continuing the run: a later rise to the target, or a fall.",
    "rose_then_fell": "Refuted by continuing the run: a recovery to the earlier level that lasts.",
    "confusion": (
        "Refuted by continuing the run, by a larger learning rate, or, where the weight norm has shrunk to nearly "
        "nothing, by less decay or penalty: a training reading that leaves chance."
    ),
    "underfit": (
        "Refuted by continuing the run, or by a smaller learning rate: a training reading that reaches the target and "
        "holds it."
    ),
    "unstable": (
        "Refuted by continuing the run: a level that lasts and is better than before the swings; or if the swings are "
        "those of the measurement (few validation examples, a set that changes)."
    ),
    "early_best_degradation": (
        "Refuted if the early best lies within the noise of a repeated evaluation at the same weights; if the reading "
        "was defined differently then; or by continuing the run to a better level that lasts."
    ),
    "insufficient_data": f"Decided by at least {FEWEST_EVALUATIONS} evaluations.",
}


def between(step: int, previous_step: int | None) -> str:
    """Where a crossing seen first at `step` can lie: it happened after the evaluation before.

    Example:
        >>> between(1000, 900), between(0, None)
        ('between 900 and 1,000', 'by step 0, the first evaluation')
    """
    return (
        f"by step {step:,}, the first evaluation"
        if previous_step is None
        else f"between {previous_step:,} and {step:,}"
    )


def percent(share: float) -> str:
    """A share as a percentage with at most one digit: 0.99 is `99%`, 0.995 is `99.5%`.

    Explained variance has no lowest value, and far below 0 it says no more than that: -7.2 is `below -100%`.
    """
    return "below -100%" if share < -1 else f"{round(100 * share, 1):g}%"


def not_delayed(numbers: Mapping[str, float | int | str | None]) -> str:
    """Why what generalized after it was fitted is not called delayed: the first condition that fails, in words."""
    ratio, gained, apart = (numbers.get(name) for name in ("ratio", "gained_by_fit", "evaluations_apart"))
    if not isinstance(ratio, (int, float)) or ratio < LATE_RATIO:
        return "That is not late enough to call it delayed."
    if isinstance(gained, (int, float)) and gained >= GAINED_BY_FIT:
        return f"Not called delayed: {percent(gained)} of the gain was there when the training set was fitted."
    if isinstance(apart, (int, float)) and apart < APART_EVALUATIONS:
        return f"Not called delayed: fewer than {APART_EVALUATIONS} evaluations lie between the two."
    return "Not called delayed: the rise is not clear of noise, or the second descent of a loss best before the fit."
