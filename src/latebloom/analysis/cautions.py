"""What a reader of a comparison must be told: what else differs between the arms, and what the runs cannot show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from .arm import ArmSummary
from .conclusion import LEVEL, can_tell
from .contrast import Contrast, pairs_of, why_not_paired
from .outcome import Outcome
from .settings import HOW_WATCHED, Differs, changed

FEWEST_RUNS = 8
CONFOUNDERS = ("optimizer.weight_decay", "optimizer.learning_rate", "batch.size")

Arms = Mapping[str, Sequence[Outcome]]


def cautions(
    arms: Arms,
    summaries: Sequence[ArmSummary],
    contrasts: Sequence[Contrast],
    differing: Differs,
    horizon_steps: int,
    *,
    is_pairing_left_open: bool,
) -> list[str]:
    """One sentence for each thing that weakens a comparison."""
    return [
        *_watched_differently(arms, horizon_steps),
        *_set_differently(arms, contrasts, differing),
        *_left(summaries, horizon_steps),
        *(_unpaired(arms, contrasts) if is_pairing_left_open else ()),
        *_too_few(contrasts),
        *_too_coarse(contrasts),
    ]


def _watched_differently(arms: Arms, horizon_steps: int) -> Iterator[str]:
    budgets = {arm: sorted({one.budget_steps for one in runs}) for arm, runs in arms.items()}
    if len({budget for of_arm in budgets.values() for budget in of_arm}) > 1:
        told = ", ".join(f"{arm} {' or '.join(f'{b:,}' for b in of_arm)}" for arm, of_arm in budgets.items())
        yield f"Budgets differ: {told} steps. All runs are compared up to step {horizon_steps:,}."
    cadences = {arm: sorted({one.evaluated for one in runs}) for arm, runs in arms.items()}
    if len({cadence for of_arm in cadences.values() for cadence in of_arm}) > 1:
        told = ", ".join(f"{arm} {' or '.join(c or 'not known' for c in of_arm)}" for arm, of_arm in cadences.items())
        yield f"Evaluations differ: {told}. A run that is read less often is dated later."


def _set_differently(arms: Arms, contrasts: Sequence[Contrast], differing: Differs) -> Iterator[str]:
    for arm, runs in arms.items():
        if not all(one.settings for one in runs):
            yield f"The settings of {arm} are not known: what else differs cannot be checked."
        mixed = [key for key in differing if len({one.settings.get(key) for one in runs}) > 1]
        if mixed:
            told = ", ".join(f"{key} ({differing[key].get(arm)})" for key in mixed)
            yield f"Runs of {arm} differ among themselves: {told}."
    for one in contrasts:
        if not all(run.settings for run in [*arms[one.arm], *arms[one.baseline]]):
            continue
        keys = changed(differing, one.arm, one.baseline)
        deliberate = [key for key in keys if key.split(".")[0] not in HOW_WATCHED]
        if not keys:
            yield f"{one.arm} and {one.baseline} differ in no setting: only seeds can make a difference."
        for key in CONFOUNDERS:
            if key in deliberate and len(deliberate) > 1 and key not in one.arm + one.baseline:
                values = differing[key]
                yield (
                    f"{one.arm} differs from {one.baseline} in {key}, too ({values[one.arm]} and "
                    f"{values[one.baseline]}): which of the changes made the difference cannot be told."
                )


def _left(summaries: Sequence[ArmSummary], horizon_steps: int) -> Iterator[str]:
    for arm in summaries:
        if arm.counts.diverged:
            yield (
                f"{_runs(arm.counts.diverged)} of {arm.arm} diverged or collapsed: not there by step {horizon_steps:,} "
                "and not merely unknown, because a run that is lost will not get there later."
            )
        if arm.counts.unfinished:
            yield (
                f"{_runs(arm.counts.unfinished)} of {arm.arm} ended before step {horizon_steps:,} without it: counted "
                "for as long as watched, which is fair only if the end had nothing to do with the training."
            )


def _unpaired(arms: Arms, contrasts: Sequence[Contrast]) -> Iterator[str]:
    for one in contrasts:
        arm, baseline = arms[one.arm], arms[one.baseline]
        if one.p is not None and not one.is_paired and (pairs := pairs_of(arm, baseline)):
            yield (
                f"{one.arm} against {one.baseline}: {_runs(len(pairs))} could be paired, but they are not compared "
                f"pair by pair, because {why_not_paired(arm, baseline)}."
            )


def _too_few(contrasts: Sequence[Contrast]) -> Iterator[str]:
    tests = sum(one.p is not None for one in contrasts)
    for one in contrasts:
        n = min(one.n_arm, one.n_baseline)
        if one.smallest_p is None or (n >= FEWEST_RUNS and can_tell(one, tests)):
            continue
        smallest = Fraction(one.smallest_p).limit_denominator(10**6)
        after = f", up to {min(smallest * tests, Fraction(1))} after Holm over {tests} contrasts" if tests > 1 else ""
        plan = max(FEWEST_RUNS, 1 + math.ceil(math.log2(tests / LEVEL)))  # with n pairs no p is below 2 / 2^n
        yield (
            f"{one.arm} against {one.baseline}: n = {n}; the smallest p an exact test can reach is {smallest}{after}. "
            f"Plan {plan} or more seeds an arm."
        )


def _too_coarse(contrasts: Sequence[Contrast]) -> Iterator[str]:
    for one in contrasts:
        if one.ratio is None or one.low is None or one.high is None or one.grid_low is None:
            continue
        wide = math.inf
        if one.grid_high is not None and one.grid_low > 0:
            wide = math.log(one.grid_high / one.grid_low)
        if wide > 0 and wide >= math.log(one.high / one.low) / 2:
            span = f"{one.grid_low:.3g} or more"
            if one.grid_high is not None:
                span = f"anything from {one.grid_low:.3g} to {one.grid_high:.3g}"
            yield (
                f"{one.arm} against {one.baseline}: within the distance of the evaluations the ratio may be {span}; "
                "a smaller effect cannot be resolved. Evaluate more often."
            )


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
