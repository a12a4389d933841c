"""A study multiplied out: every run it describes, in a fixed order, each with a label of its own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from ..base.errors import SpecError
from ..base.label import LONGEST
from .axes import Axis
from .codec import build
from .dotted import leaves, nested
from .identity import identity
from .merge import merged
from .recipe import Recipe
from .run import RunSpec
from .study import Study, as_label

MAX_PROBLEMS = 20
ARM = "arm"

Label = dict[str, Any]


class Trial(NamedTuple):
    """One run of a study."""

    label: Label  # what tells it from the others, e.g. {"arm": "l1", "seed": 3}; lists and tables as a short text
    spec: RunSpec
    key: str  # identity of the spec without its name: the same run has the same key in any study


def plan(study: Study) -> list[Trial]:
    """Every arm with every combination of values. Arms change slowest, then the first axis; the last axis fastest.

    Raises:
        SpecError: With each distinct problem once, how many runs have it and the first of them; or when two runs are
            the same.
    """
    base = study.base()
    recipe = Recipe(base.settings)  # without lines: `_placed` cites, for it knows those of the study too
    arms = {arm: merged(study.settings, settings) for arm, settings in study.arms.items()} or {"": study.settings}
    short = _short_names(study.axes)
    trials: list[Trial] = []
    failed: dict[str, list[Label]] = {}  # problem -> the runs that have it
    for (arm, under), *rows in product(arms.items(), *map(_rows, study.axes)):
        label: Label = {ARM: arm} if arm else {}
        values: dict[str, Any] = {}
        for row in rows:
            label |= row.label
            values |= row.values
        changes = merged(under, nested(values))
        try:
            spec = build(recipe, settings={**changes, "name": _name(study.name, label, short)})
        except SpecError as error:
            lines = base.lines | _lines(study, arm, changes)
            for problem in error.problems:
                failed.setdefault(_placed(problem, lines), []).append(label)
        else:
            trials.append(Trial(label, spec, identity(spec, without={"name"})))
    if problems := [_told(problem, labels, study.size, short) for problem, labels in failed.items()] or _same(
        trials, short
    ):
        more = len(problems) - MAX_PROBLEMS
        raise SpecError(problems[:MAX_PROBLEMS] + [f"and {more:,} more problems like these"] * (more > 0))
    return trials


class _Row(NamedTuple):
    """One position of an axis."""

    label: Label
    values: dict[str, Any]


def _rows(axis: Axis) -> list[_Row]:
    shown = {key: _shown(values) for key, values in axis.items()}
    return [
        _Row({key: shown[key][i] for key in axis}, {key: axis[key][i] for key in axis})
        for i in range(len(next(iter(axis.values()))))
    ]


def _shown(values: Sequence[Any]) -> list[Any]:
    """Lists and tables as text: their kinds, and their settings too where the kinds alone are not enough."""
    brief = [_brief(value, full=False) for value in values]
    return brief if len({*map(repr, brief)}) == len(values) else [_brief(value, full=True) for value in values]


def _brief(value: Any, *, full: bool) -> Any:
    if isinstance(value, list):
        return "+".join(_word(_brief(inner, full=full)) for inner in value) or "none"
    if isinstance(value, dict):
        settings = {key: inner for key, inner in value.items() if key != "kind"}
        told = ", ".join(f"{key}={_word(_brief(inner, full=True))}" for key, inner in settings.items())
        return (
            f"{value.get('kind', '')}({told})" if told and (full or "kind" not in value) else value.get("kind", "none")
        )
    return value


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _short_names(axes: Sequence[Axis]) -> dict[str, str]:
    """By key its last word, or all of it where two keys end alike."""
    last = {key: key.rpartition(".")[2] for axis in axes for key in axis}
    often = Counter(last.values())
    return {key: word if often[word] == 1 else key for key, word in last.items()}


def _spoken(label: Label, short: Mapping[str, str]) -> str:
    """E.g. `l1 seed=3`."""
    return " ".join(value if key == ARM else f"{short[key]}={_word(value)}" for key, value in label.items())


def _name(study: str, label: Label, short: Mapping[str, str]) -> str:
    name = as_label(f"{study} {_spoken(label, short)}".strip())
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 10]}... {hashlib.sha256(json.dumps(label).encode()).hexdigest()[:6]}"


def _told(problem: str, labels: Sequence[Label], runs: int, short: Mapping[str, str]) -> str:
    if len(labels) == runs:
        return problem if runs == 1 else f"{problem} (all {runs:,} runs)"
    return f"{problem} ({len(labels):,} of {runs:,} runs, first {_spoken(labels[0], short)})"


def _same(trials: Sequence[Trial], short: Mapping[str, str]) -> list[str]:
    """What is the same run under two labels, by the part of the labels that differs."""
    first: dict[str, Label] = {}
    pairs: Counter[str] = Counter()
    for label, _, key in trials:
        other = first.setdefault(key, label)
        if other is not label:
            apart = [name for name in label if label[name] != other[name]] or [*label]
            one, two = ({name: whole[name] for name in apart} for whole in (other, label))
            arm = "arm " if ARM in one else ""
            pairs[f"{arm}{_spoken(one, short)} and {arm}{_spoken(two, short)} are the same run; keep one of them"] += 1
    return [text if count == 1 else f"{text} ({count:,} pairs of runs)" for text, count in pairs.items()]


def _lines(study: Study, arm: str, changes: Mapping[str, Any]) -> dict[str, str]:
    """Where the changed settings were written, by the keys that a run knows them under; empty if nowhere."""
    changed = {key[:end] for key, _ in leaves(changes) for end in range(1, len(key) + 1) if f"{key}."[end] == "."}
    lines = dict.fromkeys(changed, "")
    for place in ("settings.", f"arms.{arm}.", "axes."):
        lines |= {key.removeprefix(place): line for key, line in study.lines.items() if key.startswith(place)}
    return lines


def _placed(problem: str, lines: Mapping[str, str]) -> str:
    """With the line of the place that the problem names first, or of the innermost table around it."""
    place = problem.split(" ")[0].rstrip(":")
    while place and place not in lines:
        place = place.rpartition(".")[0]
    return f"{problem} ({lines[place]})" if lines.get(place) else problem
