"""What a watched run shows, from the state of its `Watch` alone: the same at any point of a run and after its end.

The first line that holds; t_fit and t_gen are the sustained crossings, g the progress from the floor (`gauge`), best
the highest median of 5, final the mean level of the last eighth of the readings:

    insufficient_data        no validation reading, or fewer than 10, or readings that never change
    grokking                 t_fit and t_gen, ratio >= 2, gained_by_fit < 0.8, 2 or more readings apart
    rose_then_fell           t_gen before or without t_fit, and final is worse than best by what matters
    ordinary_learning        t_gen
    unstable                 4 or more turns (`Gauge.swing`), and the second half of the run brought no gain
    early_best_degradation   no t_fit, lost what it had, best in the first fifth of the readings
    rose_then_fell           lost what it had: g(best) >= 0.3, and final is worse by what matters
    confusion                no t_fit, and g of the best training level < 0.2
    underfit                 no t_fit
    in_progress              the last reading is at the target, or g rose by 0.05 in the last fifth of the readings
    partial                  g(best) >= 0.3
    memorization             t_fit only

Without a training reading only insufficient_data, rose_then_fell, unstable and early_best_degradation are possible.

    ratio = (t_gen + 1) / (t_fit + 1)            gained_by_fit = g(validation at t_fit) / g(best validation)

Where the best possible value is not known (a correlation, say), the target is 90 % of the way to the best level held,
if that is 0.3 or more and 85 % of it is still there at the end.
"""

from __future__ import annotations

from .aftermath import aftermath
from .family import family_of, missing
from .replay import State
from .standing import Standing, end_level
from .told import headline
from .verdict import FEWEST_EVALUATIONS, REFUTED_BY, Family, Verdict
from .watch import Watch

NO_VALIDATION = "no validation reading; a training reading never stands in for one"
NO_TRAINING = "no training reading, without which late and timely generalization are alike"
_NEVER: State = {"step": None, "previous_step": None, "provisional": False}


def judge(watch: Watch, state: State) -> Verdict:
    """The verdict after the last reading the state has seen.

    Args:
        watch: The watch that produced the state.
        state: As returned by `watch.update`, at any point of a run.
    """
    watch = watch.scaled(state)
    train, val, one = state["traces"].get("train"), state["traces"].get("val"), watch.gauges.get("val")
    if val is None or one is None or val["best"] is None:
        return _insufficient(watch, state, val["n"] if val is not None else None)
    run = Standing(watch, state, one, val, train)
    family, after = family_of(run), aftermath(run)
    evidence = _evidence(run, family)
    shape = run.shape() if family == "grokking" else "late" if family == "partial" and run.late_part() else None
    return Verdict(
        family=family,
        headline=headline(family, watch, state, evidence, after, shape),
        evidence=evidence,
        refuted_by=REFUTED_BY[family],
        delay_steps=run.gen["step"] - run.fit["step"] if run.fit and run.gen else None,
        ratio=run.ratio,
        censored_at_step=None if run.gen is not None else state["step"],
        after=after,
        shape=shape,
    )


def _insufficient(watch: Watch, state: State, evaluations: int | None) -> Verdict:
    """With fewer than three validation readings, or none."""
    too_few = f"{evaluations} evaluations; {FEWEST_EVALUATIONS} are needed"
    evidence: dict[str, float | int | str | None] = {
        "memorized_at_step": state["fit"] and state["fit"]["step"],
        "generalized_at_step": None,
        "last_step": state["step"] or 0,
        "evaluations": evaluations or 0,
        "why_not": NO_VALIDATION if evaluations is None else too_few,
    }
    told = headline("insufficient_data", watch, state, evidence)
    refuted_by = REFUTED_BY["insufficient_data"]
    return Verdict("insufficient_data", told, evidence, refuted_by, None, None, state["step"])


def _evidence(run: Standing, family: Family) -> dict[str, float | int | str | None]:
    """The numbers that decided."""
    state, fit, gen = run.state, run.fit or _NEVER, run.gen or _NEVER
    numbers: dict[str, float | int | str | None] = {
        "memorized_at_step": fit["step"],
        "memorized_previous_evaluation": fit["previous_step"],
        "generalized_at_step": gen["step"],
        "generalized_previous_evaluation": gen["previous_step"],
        "onset_at_step": state["onset"],
        "ratio": run.ratio,
        "gained_by_fit": run.gained,
        "evaluations_apart": run.apart,
        "last_step": state["step"],
        "evaluations": run.val["n"],
        "provisional": "yes" if fit["provisional"] or gen["provisional"] else "no",
        "val_at_fit": run.one.value(run.at_fit) if run.fit else None,
        "val_floor_since_fit": None if state["floor"] is None else run.one.value(state["floor"]),
        "noise": run.val["noise"],
        "turns": run.val["turns"],
        "dips_since_generalized": state["dips"][0],
        "why_not": (missing(run) or NO_TRAINING) if family == "insufficient_data" else None,
    }
    for place, trace in (("train", run.train), ("val", run.val)):
        if trace is None:
            continue
        one = run.watch.gauges[place]
        target = run.watch.target("train" if place == "train" else "val", state)
        numbers |= {
            f"{place}_reading": one.reading,
            f"{place}_target": None if target is None else one.value(target),
            f"{place}_floor": one.value(trace["start"]),
            f"best_{place}": None if trace["best"] is None else one.value(trace["best"]),
            f"best_{place}_at_step": trace["best_step"],
            f"final_{place}": one.value(end_level(trace)),
        }
    if run.adaptive:
        numbers["val_target"] = run.one.value(run.adaptive_level())
    degraded = run.early_best() if family == "early_best_degradation" else None
    if degraded is not None:
        one, trace = run.watch.gauges[degraded], state["traces"][degraded]
        numbers |= {"degraded_reading": one.reading, "degraded_best": one.value(trace["top"])}
        numbers |= {"degraded_best_step": trace["top_step"], "degraded_final": one.value(end_level(trace))}
    if family == "rose_then_fell":
        numbers["abrupt_at_step"] = run.abrupt()
    if family == "partial":
        numbers["late_by_ratio"] = run.late_part()
        numbers["gained_by_fit"] = run.g(run.at_fit) / run.g_best
    return numbers
