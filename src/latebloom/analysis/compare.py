"""Does it really happen sooner? Arms of an experiment against a baseline, with censoring, pairs and intervals."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..base.component import did_you_mean
from ..base.errors import DataError
from ..base.plain import plain
from .arm import ArmSummary, observe, summarize, watched_until
from .cautions import cautions
from .conclusion import concluded
from .contrast import Contrast, contrast, why_not_paired
from .outcome import Outcome
from .resampling import holm
from .settings import Differs, differs, why_other_event


class Comparison(NamedTuple):
    """Arms side by side, each against the baseline."""

    event: str  # what was timed
    baseline: str
    horizon_steps: int  # how far all arms were compared; later events do not count
    arms: tuple[ArmSummary, ...]  # the baseline first
    contrasts: tuple[Contrast, ...]  # one for every other arm
    differs: Differs  # settings in which arms differ
    warnings: tuple[str, ...]  # sentences
    seed: int  # of resamples and drawn arrangements

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data; what is not known is None, NaN and infinity do not occur."""
        told: dict[str, Any] = plain(self)
        return {"schema": 1, **told}


def compare(
    outcomes: Iterable[Outcome],
    *,
    baseline: str | None = None,
    horizon_steps: int | None = None,
    paired: bool | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare the time of one event between arms.

    Args:
        outcomes: The runs of all arms, timed for the same event.
        baseline: Name of the arm the others are compared with; by default the first.
        horizon_steps: Compare up to this step. By default the smallest budget of a run, or where the last run of an
            arm was lost sight of, if that is sooner. Arms of one run, which cannot be compared, do not decide it.
        paired: Whether to compare runs that began with the same split and weights pair by pair; by default where
            every run of one of the two arms has its twin in the other.
        seed: Decides resamples and drawn arrangements: same outcomes, same seed, same numbers.

    Raises:
        DataError: Fewer than two arms, no such baseline, different events, the same start twice in an arm, a pairing
            or a horizon that the runs do not allow, or an event at step 0.
    """
    arms: dict[str, list[Outcome]] = {}
    for one in outcomes:
        arms.setdefault(one.arm, []).append(one)
    event, baseline = _checked(arms, baseline)
    arms = {baseline: arms[baseline], **arms}
    horizon_steps, lowered = _horizon(arms, baseline, horizon_steps)
    differing = differs(arms)
    found = [
        contrast(
            runs,
            arms[baseline],
            horizon_steps=horizon_steps,
            is_paired=_is_paired(runs, arms[baseline], paired),
            seed=seed,
            why_not=why_other_event(event, differing, runs, arms[baseline]),
        )
        for name, runs in arms.items()
        if name != baseline
    ]
    contrasts = _corrected(found, event, horizon_steps)
    summaries = [summarize(name, runs, horizon_steps, seed) for name, runs in arms.items()]
    return Comparison(
        event=event,
        baseline=baseline,
        horizon_steps=horizon_steps,
        arms=tuple(summaries),
        contrasts=tuple(contrasts),
        differs=differing,
        warnings=(
            *lowered,
            *cautions(arms, summaries, contrasts, differing, horizon_steps, is_pairing_left_open=paired is None),
        ),
        seed=seed,
    )


def _checked(arms: Mapping[str, Sequence[Outcome]], baseline: str | None) -> tuple[str, str]:
    """The event and the baseline, once it is clear that the runs are those of an experiment."""
    if len(arms) < 2:
        raise DataError(f"a comparison needs at least two arms, but the runs are of {', '.join(arms) or 'no arm'}.")
    if baseline is not None and baseline not in arms:
        raise DataError(f"baseline = {baseline!r} is no arm.{did_you_mean(baseline, arms)}")
    events = sorted({one.event for runs in arms.values() for one in runs})
    if len(events) > 1:
        raise DataError(f"the runs are timed for different events: {', '.join(events)}. Choose one.")
    for name, runs in arms.items():
        starts: dict[str, Outcome] = {}
        for one in runs:
            if one.start_key is not None and (other := starts.setdefault(one.start_key, one)) is not one:
                raise DataError(
                    f"runs {other.run} and {one.run} of {name} both began with seed {one.seed}, split and weights: "
                    "they are not independent. Leave one out, or give it an arm of its own."
                )
    return events[0], baseline or next(iter(arms))


def _horizon(arms: Mapping[str, Sequence[Outcome]], baseline: str, wanted: int | None) -> tuple[int, list[str]]:
    """How far all arms can be compared, and a sentence where that is less far than their runs were to train."""
    deciding = {name: runs for name, runs in arms.items() if len(runs) > 1 or name == baseline}
    budget = min(one.budget_steps for runs in deciding.values() for one in runs)
    watched = {name: _watched_until(runs) for name, runs in deciding.items()}
    shortest = min(watched, key=watched.__getitem__)
    for name, runs in arms.items():
        if _watched_until(runs) < 1 or max(one.budget_steps for one in runs) < 1:
            raise DataError(f"no run of {name} was evaluated after step 0.")
    if wanted is not None and not 1 <= wanted <= watched[shortest]:
        raise DataError(
            f"horizon_steps = {wanted:,}; expected 1 to {watched[shortest]:,}, where the last run of {shortest} that "
            "had not got there was lost sight of."
        )
    if wanted is None and budget > watched[shortest]:
        return int(watched[shortest]), [
            f"No run of {shortest} without it was watched beyond step {watched[shortest]:,}, so all arms are compared "
            f"up to there and not up to step {budget:,}. Wait for it, or leave it out."
        ]
    return budget if wanted is None else wanted, []


def _watched_until(runs: Sequence[Outcome]) -> float:
    """The same of an arm, whatever the horizon; a run known never to get there is watched without end."""
    return watched_until([observe(one, one.happened, sys.maxsize) for one in runs])


def _is_paired(arm: Sequence[Outcome], baseline: Sequence[Outcome], wanted: bool | None) -> bool:
    if wanted is False:
        return False
    why_not = why_not_paired(arm, baseline)
    if why_not is not None and why_not_paired(baseline, arm) is None:
        return True
    if wanted and why_not is not None:
        raise DataError(f"{arm[0].arm} and {baseline[0].arm} cannot be paired: {why_not}.")
    return why_not is None


def _corrected(found: Sequence[Contrast], event: str, horizon_steps: int) -> list[Contrast]:
    """The contrasts with their conclusions, after Holm over those that could be tested."""
    tested = [one for one in found if one.p is not None]
    corrected = dict(zip((one.arm for one in tested), holm([one.p or 0.0 for one in tested]), strict=True))
    return [
        concluded(one._replace(p_holm=corrected[one.arm]), event=event, tests=len(tested), horizon_steps=horizon_steps)
        if one.arm in corrected
        else one
        for one in found
    ]
