"""Which family a run belongs to: the first line of the table in `judge` that holds."""

from __future__ import annotations

from .replay import State
from .standing import Standing
from .verdict import (
    APART_EVALUATIONS,
    CONFUSED_BELOW,
    FEWEST_EVALUATIONS,
    GAINED_BY_FIT,
    LATE_RATIO,
    PARTIAL_FROM,
    Family,
)

TURNS = 4  # two rises and falls
LUCK_SIGMAS, GAINED_SIGMAS = 4.0, 5.0


def family_of(run: Standing) -> Family:
    """The family of a run."""
    if missing(run):
        return "insufficient_data"
    if run.fit is not None and _is_late(run, run.fit):
        return "grokking"
    if run.gen is not None and (run.fit is None or run.fit["step"] > run.gen["step"]) and _left_target(run):
        return "unstable" if _cycles(run) else "rose_then_fell"
    if run.gen is not None and run.train is not None:
        return "ordinary_learning"
    if _cycles(run):
        return "unstable"
    if run.fit is None and run.early_best() is not None:
        return "early_best_degradation"
    if run.has_fallen("val"):
        return "rose_then_fell"
    if run.train is None:
        return "insufficient_data"
    if run.fit is None:
        return "confusion" if _is_confused(run, run.train) else "underfit"
    target = run.watch.target("val", run.state)
    floor = run.state["floor"] if run.state["floor"] is not None else run.final
    risen = run.g_best >= PARTIAL_FROM or run.final - floor >= 0.5 * run.one.rise
    if (target is not None and run.val["past"][-1] >= target) or (risen and run.is_rising()):
        return "in_progress"
    return "partial" if run.g_best >= PARTIAL_FROM else "memorization"


def missing(run: Standing) -> str | None:
    """What a verdict would need first; None if nothing is missing."""
    if run.val["n"] < FEWEST_EVALUATIONS:
        return f"{run.val['n']} evaluations; {FEWEST_EVALUATIONS} are needed"
    is_constant = run.val["top"] == run.val["low"]
    if is_constant and (run.train is None or run.train["top"] == run.train["low"]):
        return "readings that never change"
    if is_constant and run.one.kind != "accuracy":
        return f"{run.one.reading} never changes"
    return None


def _is_late(run: Standing, fit: State) -> bool:
    if run.ratio is None or run.gained is None or run.apart is None:
        return False
    target = run.watch.target("val", run.state)
    target = run.best if target is None else target  # it was crossed, and the best, a median, may lag behind
    descent = run.state["descents"].get("val")  # its early best came before the fit: learning, not memorizing
    second_descent = descent is not None and descent[4] and descent[1] <= fit["step"]
    return bool(
        run.ratio >= LATE_RATIO
        and run.gained < GAINED_BY_FIT
        and run.apart >= APART_EVALUATIONS
        and max(run.best, target) - run.at_fit >= GAINED_SIGMAS * run.val["jitter"]
        and not second_descent
    )


def _left_target(run: Standing) -> bool:
    target = run.watch.target("val", run.state)
    return target is not None and run.final < target and run.has_fallen("val")


def _is_confused(run: Standing, train: State) -> bool:
    best = train["best"] if train["best"] is not None else train["top"]
    by_luck = best - train["start"] < LUCK_SIGMAS * train["jitter"]
    return bool(by_luck) or run.watch.progress("train", run.state, best) < CONFUSED_BELOW


def _cycles(run: Standing) -> bool:
    """Rises and falls that led nowhere."""
    n = run.val["n"]
    if run.val["turns"] < TURNS or run.g_best < PARTIAL_FROM:
        return False
    ends, levels = run.course.ends, run.course.levels
    before = max(level for end, level in zip(ends, levels, strict=True) if end <= max(n / 2, ends[0]))
    after = max(level for end, level in zip(ends, levels, strict=True) if end > n / 2)
    return after - before < run.one.worse
