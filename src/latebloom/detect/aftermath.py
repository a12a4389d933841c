"""What became of a run after it generalized, from the readings since then."""

from __future__ import annotations

from .milestones import LOSS_STILL_FITTED, STILL_FITTED
from .onset import IN_A_ROW
from .standing import FINAL, Standing, end_level
from .verdict import After

FEWEST_AFTER = 8  # readings since generalized, to say what came after
SLACK = 0.02  # accuracy below the target that is still there; for a loss, what matters of it
DIPS = 3  # times that half the target was lost and found again


def aftermath(run: Standing) -> After | None:
    """What became of it; without generalization only a training collapse."""
    watch, state = run.watch, run.state
    if any(state["broken"].get(place, 0) >= IN_A_ROW for place in ("train", "val")):
        return "training_collapse"  # to no number at all
    train_lost = False
    if run.train is not None and run.fit is not None:
        goal = watch.gauges["train"].goal(run.train["start"], STILL_FITTED, LOSS_STILL_FITTED)
        train_lost = goal is not None and max(end_level(run.train), run.train["level"]) < goal  # a mean lags behind
    if run.gen is None:
        return "training_collapse" if train_lost else None
    since = run.val["n"] - run.gen["reading"]
    if since < FEWEST_AFTER:
        return "too_early"
    target = watch.target("val", state)
    target = run.adaptive_level() if target is None else target
    n = run.val["n"]
    risen = next(end for end in run.course.ends if end >= run.gen["reading"])  # the part of the course with the rise
    if risen >= n:
        return "too_early"
    final = run.course.mean(max(risen, n - max(3, since // 4, n // (2 * FINAL))))
    if run.g(final) < 0.5 * run.g(target):
        train_lost = train_lost or (run.train is not None and run.fit is None and run.has_fallen("train"))
        return "training_collapse" if train_lost else "anti_grokking"
    if state["dips"][0] >= DIPS:
        return "unstable"
    slack = run.one.worse if run.one.is_loss or run.adaptive else SLACK
    return "degraded" if final < target - slack else "stable"
