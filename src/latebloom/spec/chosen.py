"""Some runs of a plan, named by what tells them from the others: `arm=baseline,ema seed=0..3`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from ..base.component import did_you_mean
from ..base.errors import SpecError
from .axes import parse_axes, write_values
from .plan import Label


class Labelled(Protocol):
    """A run of a plan, e.g. a `Trial`."""

    @property
    def label(self) -> Label:
        """What tells it from the others."""


Run = TypeVar("Run", bound=Labelled)


def chosen(runs: Sequence[Run], only: Sequence[str]) -> list[Run]:
    """Those runs whose label has one of the values of every key, in their order; without an assignment, all.

    Args:
        runs: All runs of the plan.
        only: Assignments as `parse_axes` reads them; the values of a key that is given twice are taken together.
            Tables and lists are named by the text that labels show.

    Raises:
        SpecError: No run has such a key or such a value, or no run has all of them; all of it at once.

    Example:
        chosen(plan(study), ["arm=baseline,ema", "seed=0..3"])
    """
    wanted: dict[str, list[Any]] = {}
    for one in only:
        for key, values in ((key, values) for axis in parse_axes([one]) for key, values in axis.items()):
            wanted[key] = wanted.get(key, []) + values
    known: dict[str, list[Any]] = {key: [] for run in runs for key in run.label}
    for run in runs if wanted else ():
        for key, value in run.label.items():
            known[key] += [] if value in known[key] else [value]
    problems = [
        f"only: no run of the plan has a {key}.{did_you_mean(key, known)}" for key in wanted.keys() - known.keys()
    ]
    for key in wanted.keys() & known.keys():
        missing = [value for value in wanted[key] if value not in known[key]]
        if missing:
            problems.append(
                f"only: no run of the plan has {key} = {write_values(missing)}; there is {write_values(known[key])}"
            )
    if problems:
        raise SpecError(sorted(problems))
    found = [run for run in runs if all(run.label.get(key) in values for key, values in wanted.items())]
    if not found:
        raise SpecError(f"only: no run of the plan has all of {', '.join(only)}")
    return found
