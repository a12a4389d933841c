"""A comparison with everything that text, tables, page and figures draw from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ...analysis.compare import Comparison, compare
from ...analysis.outcome import Outcome
from ...analysis.settings import differs
from ...base.errors import DataError
from ...base.record import Curve
from ..figures.panels import MOST_PANELS
from .arms import short_names

NATURAL_BASELINES = ("baseline", "none")
MOST_REASONS = 3  # in an error; a note can be as long as a sentence


class Accuracies(NamedTuple):
    """What a run was read at; None where nobody did."""

    train: Curve | None
    val: Curve | None


class Gathered(NamedTuple):
    """Runs, each with its arm."""

    title: str  # e.g. `study grokfast-l1-division`
    outcomes: list[Outcome]
    curves: dict[str, Accuracies]  # by run
    notes: list[str]  # sentences on what is not here, and what was taken for what
    readings: Mapping[str, Mapping[str, Curve]] = MappingProxyType({})  # by run, those that were asked for
    known: frozenset[str] = frozenset()  # names of all readings that a run has


class Compared(NamedTuple):
    """What was gathered, compared."""

    title: str
    comparison: Comparison  # its warnings begin with the notes
    outcomes: list[Outcome]
    curves: dict[str, Accuracies]  # by run
    names: dict[str, str]  # of arms, as they are shown


def compared(
    gathered: Gathered, *, baseline: str | None = None, horizon_steps: int | None = None, paired: bool | None = None
) -> Compared:
    """Compare what was gathered; arguments as `analysis.compare.compare` takes them.

    Without `baseline` it is the arm of that name, else the one without interventions, else the first.

    Raises:
        DataError: There is nothing to compare, or not so.
    """
    gathered = _without_unread(gathered)
    arms = list(dict.fromkeys(one.arm for one in gathered.outcomes))
    if len(arms) < 2:
        raise DataError(_why_alone(gathered))
    names = short_names(arms)
    if baseline is None:
        baseline = next((arm for arm in NATURAL_BASELINES if arm in arms), None)
    elif baseline not in arms:
        baseline = next((arm for arm, short in names.items() if short == baseline), baseline)
    comparison = compare(gathered.outcomes, baseline=baseline, horizon_steps=horizon_steps, paired=paired)
    notes = [
        *gathered.notes,
        *([f"The figures show the first {MOST_PANELS} arms only."] if len(arms) > MOST_PANELS else []),
    ]
    comparison = comparison._replace(warnings=(*notes, *comparison.warnings))
    return Compared(gathered.title, comparison, gathered.outcomes, gathered.curves, names)


def _without_unread(gathered: Gathered) -> Gathered:
    """A run that was not evaluated after step 0 says nothing of any time, unless it is lost for good."""
    unread = [one for one in gathered.outcomes if one.last_step == 0 and one.status != "diverged"]
    if not unread:
        return gathered
    told = ", ".join(f"{one.arm} seed {one.seed}" for one in unread)
    return gathered._replace(
        outcomes=[one for one in gathered.outcomes if one not in unread],
        notes=[*gathered.notes, f"Left out, because not evaluated after step 0: {told}."],
    )


def _why_alone(gathered: Gathered) -> str:
    if not gathered.outcomes:
        return " ".join([f"{gathered.title}: there is no run to compare.", *gathered.notes[:MOST_REASONS]])
    keys = list(differs({one.run: [one] for one in gathered.outcomes}))
    hint = f" They differ in {', '.join(keys[:8])}: try --by." if keys else ""
    arm = gathered.outcomes[0].arm
    notes = "".join(f" {note}" for note in gathered.notes[:MOST_REASONS])
    return f"{gathered.title}: all runs are of one arm, {arm!r}, with nothing to compare it with.{hint}{notes}"
