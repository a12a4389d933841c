"""An arm against the baseline: how many times sooner, and how sure.

    ratio = geometric mean of min(time, horizon) in the baseline / the same in the arm          > 1: the arm is sooner

The geometric means are taken under the Kaplan-Meier curve, so that a run whose observation ended early counts for as
long as it was watched. The test rearranges the same runs and computes the same ratio; with pairs it swaps the two runs
of a pair, and whole pairs are resampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError
from ..base.seeds import stream
from .arm import observe
from .outcome import Outcome
from .resampling import Masks, PermutationTest, interval, permutation_test, relabellings, resamples, sign_flips
from .survival import Sample, logrank_p, restricted_mean


class Contrast(NamedTuple):
    """An arm against the baseline. Numbers are None where there is nothing to compute them from."""

    arm: str
    baseline: str
    is_paired: bool
    n_arm: int  # runs compared; of pairs, both runs
    n_baseline: int
    happened_arm: int  # of these, how many had got there by the horizon
    happened_baseline: int
    is_restricted: bool  # some had not, so the ratio is one of times up to the horizon
    ratio: float | None = None  # baseline / arm; > 1: the arm is sooner
    low: float | None = None  # 95 %, bootstrap
    high: float | None = None
    grid_low: float | None = None  # the ratio if each crossing of the baseline lay just after the evaluation before it,
    # and one that too few evaluations were left to confirm was one
    grid_high: float | None = None  # ... of the arm; None: not bounded, a run had crossed at its first evaluation
    p: float | None = None  # permutation test, two-sided
    is_exact: bool = False  # whether all arrangements were gone through
    smallest_p: float | None = None  # that so many runs could have given
    p_holm: float | None = None  # corrected for the number of contrasts
    p_logrank: float | None = None  # a second opinion: approximate, and blind to pairs
    conclusion: str = "not comparable"  # sooner, later, no difference shown, not comparable
    verdict: str = ""  # one sentence


class _Logs(NamedTuple):
    """An arm on a log scale."""

    steps_N: NDArray[np.float64]
    happened_N: NDArray[np.bool_]
    earliest_N: NDArray[np.float64]  # the evaluation before a crossing; -inf if there was none
    crossed_N: NDArray[np.bool_]  # it happened, or may have: at the end too few evaluations were left to tell


def pairs_of(arm: Sequence[Outcome], baseline: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Each run of the arm with the run of the baseline that began with the same split and weights, if it has one."""
    twins = {one.start_key: one for one in baseline if one.start_key is not None}
    return [(one, twins[one.start_key]) for one in arm if one.start_key in twins]


def why_not_paired(arm: Sequence[Outcome], baseline: Sequence[Outcome]) -> str | None:
    """What keeps the first run of an arm without a twin from being paired; None if every run has one."""
    paired = {one.run for one, _ in pairs_of(arm, baseline)}
    one = next((one for one in arm if one.run not in paired), None)
    if one is None:
        return None
    twin = next((other for other in baseline if other.seed == one.seed), None)
    if twin is None:
        return f"seed {one.seed} of {one.arm!r} has no run in {baseline[0].arm!r}"
    if one.start_key is None or twin.start_key is None:
        return f"it is not known whether the runs of seed {one.seed} began with the same split and weights"
    begin = ("task", "model", "weights")
    keys = sorted(key for key in one.settings.keys() | twin.settings.keys() if key.split(".")[0] in begin)
    differ = [key for key in keys if one.settings.get(key) != twin.settings.get(key)]
    return f"the runs of seed {one.seed} began differently: {', '.join(differ) or 'their start_key differs'}"


def contrast(
    arm: Sequence[Outcome],
    baseline: Sequence[Outcome],
    *,
    horizon_steps: int,
    is_paired: bool,
    seed: int,
    why_not: str | None = None,
) -> Contrast:
    """The numbers of one arm against the baseline, before correction for others and without a conclusion.

    Args:
        arm: Its runs.
        baseline: Its runs.
        horizon_steps: How far both are compared.
        is_paired: Whether to compare twins only, pair by pair.
        seed: Decides resamples, and arrangements where they are too many to go through.
        why_not: What makes the arms incomparable, if anything does; fewer than 2 runs do anyway.

    Raises:
        DataError: A run had got there at step 0, so that no ratio of times exists.
    """
    names = arm[0].arm, baseline[0].arm
    if is_paired:
        pairs = sorted(pairs_of(arm, baseline), key=lambda pair: pair[0].seed)
        arm, baseline = [one for one, _ in pairs], [other for _, other in pairs]
    # Runs in an order of their own, so that how they are named or given changes no resample.
    ours, theirs = (_logs(side, horizon_steps, is_sorted=not is_paired) for side in (arm, baseline))
    happened = int(ours.happened_N.sum()), int(theirs.happened_N.sum())
    n = len(arm), len(baseline)
    found = Contrast(*names, is_paired, *n, *happened, is_restricted=happened != n)
    if min(n) < 2:
        why_not = f"{n[0]} and {n[1]} runs, and one seed is an anecdote"
    if why_not is not None:
        return found._replace(verdict=f"not comparable: {why_not}")
    horizon = math.log(horizon_steps)
    test = _test(ours, theirs, horizon, is_paired, seed)
    found = found._replace(p=test.p, is_exact=test.is_exact, smallest_p=_smallest_p(*n, is_paired))
    if not any(happened):
        return found
    log_ratio = _log_mean(theirs, horizon) - _log_mean(ours, horizon)
    low, high = interval(_resampled(ours, theirs, horizon, names, is_paired, seed), min(n))
    return found._replace(
        ratio=math.exp(log_ratio[0]),
        low=math.exp(low),
        high=math.exp(high),
        grid_low=_bounded(_log_mean(_earliest(theirs), horizon) - _log_mean(ours, horizon)),
        grid_high=_bounded(_log_mean(theirs, horizon) - _log_mean(_earliest(ours), horizon)),
        p_logrank=logrank_p(Sample(ours.steps_N, ours.happened_N), Sample(theirs.steps_N, theirs.happened_N)),
    )


def _logs(outcomes: Sequence[Outcome], horizon_steps: int, *, is_sorted: bool) -> _Logs:
    rows = []
    for one in outcomes:
        step, happened = observe(one, one.happened, horizon_steps)
        if happened and step == 0:
            raise DataError(
                f"run {one.run} had {one.event} at step 0, so that no ratio of times exists. A step counts updates "
                "done: if the log counts epochs from 0, add 1."
            )
        earliest = _earliest_step(one, horizon_steps)
        rows.append((step, happened, step if earliest is None else earliest, earliest is not None))
    rows = sorted(rows) if is_sorted else rows
    with np.errstate(divide="ignore"):  # the log of 0, as a bound, is what is meant
        steps_N, earliest_N = (np.log(np.array([row[i] for row in rows], np.float64)) for i in (0, 2))
    happened_N, crossed_N = (np.array([row[i] for row in rows], np.bool_) for i in (1, 3))
    return _Logs(steps_N, happened_N, earliest_N, crossed_N)


def _earliest_step(one: Outcome, horizon_steps: int) -> int | None:
    """The step after which a run may have got there; 0 if no evaluation says it had not, None if not by the horizon."""
    crossed = one.happened or (None if one.status == "diverged" else one.possible)
    if crossed is None:
        return None
    earliest = 0 if crossed.previous_step is None else max(crossed.previous_step, 1)
    return earliest if earliest < horizon_steps else None


def _earliest(logs: _Logs) -> _Logs:
    return logs._replace(steps_N=logs.earliest_N, happened_N=logs.crossed_N)


def _log_mean(logs: _Logs, horizon: float, counts_BN: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    return restricted_mean(logs.steps_N, logs.happened_N, horizon, counts_BN)


def _bounded(log_ratio: NDArray[np.float64]) -> float | None:
    return math.exp(log_ratio[0]) if log_ratio[0] < math.inf else None


def _resampled(
    ours: _Logs, theirs: _Logs, horizon: float, names: tuple[str, str], is_paired: bool, seed: int
) -> NDArray[np.float64]:
    """Log ratios in bootstrap resamples. An arm's resamples belong to its name: they are the same in every contrast."""
    if is_paired:
        counts_BN = resamples(len(ours.steps_N), stream(seed, "bootstrap/pairs"))
        return _log_mean(theirs, horizon, counts_BN) - _log_mean(ours, horizon, counts_BN)
    mean_B, their_mean_B = (
        _log_mean(logs, horizon, resamples(len(logs.steps_N), stream(seed, f"bootstrap/{name}")))
        for logs, name in zip((ours, theirs), names, strict=True)
    )
    return their_mean_B - mean_B


def _test(ours: _Logs, theirs: _Logs, horizon: float, is_paired: bool, seed: int) -> PermutationTest:
    # The smaller arm is the first, and unpaired runs are sorted together: exchanging the arms then draws the same.
    first, second = sorted((ours, theirs), key=lambda logs: len(logs.steps_N))
    steps_N = np.concatenate([first.steps_N, second.steps_N])
    happened_N = np.concatenate([first.happened_N, second.happened_N])
    is_first_N = np.arange(len(steps_N)) < len(first.steps_N)

    def log_ratio(masks_BN: Masks) -> NDArray[np.float64]:
        return restricted_mean(steps_N, happened_N, horizon, masks_BN) - restricted_mean(
            steps_N, happened_N, horizon, ~masks_BN
        )

    if is_paired:
        masks_BN, is_exact = sign_flips(len(first.steps_N), stream(seed, "sign flips"))
    else:
        order = np.lexsort((happened_N, steps_N))
        steps_N, happened_N, is_first_N = steps_N[order], happened_N[order], is_first_N[order]
        masks_BN, is_exact = relabellings(len(first.steps_N), len(steps_N), stream(seed, "relabellings"))
    return permutation_test(log_ratio, float(log_ratio(is_first_N[None])[0]), masks_BN, is_exact=is_exact)


def _smallest_p(n_arm: int, n_baseline: int, is_paired: bool) -> float:
    """Of the exact test: the arrangement that was, and its mirror image where that is an arrangement too."""
    if is_paired:
        return 0.5 ** (n_arm - 1)
    return (2 if n_arm == n_baseline else 1) / math.comb(n_arm + n_baseline, n_arm)
