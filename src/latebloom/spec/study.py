"""Many runs as one value: a recipe, what all of them share, named variants, and the values that are multiplied out.

What lies over what: recipe < settings < arm < axes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import SpecError
from ..base.label import why_no_folder, why_no_label
from .axes import Axis, parse_axes, write_values, write_yaml, wrong
from .dotted import leaves
from .recipe import ABOUT, Recipe, parse_recipe, read_recipe
from .study_file import cited, fields_of

MAX_RUNS = 10_000  # whole specs of so many fit one plan, and a coordinator looks through them in time


@dataclass(frozen=True)
class Study:
    """Many runs: every arm with every combination of values, one from each axis.

    Raises:
        SpecError: A name that is no label, values that are no axis, a key in an axis and elsewhere, too many runs;
            all of it at once.
    """

    name: str
    recipe: str | None = None  # a shipped recipe's name, or a path; None: the settings are the recipe
    about: dict[str, Any] = field(default_factory=dict)  # title, source, expect
    settings: dict[str, Any] = field(default_factory=dict)  # of every run, nested
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)  # by name, the settings of a variant, nested
    axes: tuple[Axis, ...] = ()
    lines: dict[str, str] = field(default_factory=dict, compare=False, repr=False)  # e.g. settings.seed: my.yaml:3
    claims: Any = field(default=None, compare=False, repr=False)  # as written, see `Recipe`; trains nothing

    def __post_init__(self) -> None:
        problems = [why for name in self.arms if (why := why_no_label(name))]
        problems += [why] if (why := why_no_folder(self.name)) else []
        for axis in self.axes:
            problems += [f"{why}{cited(self.lines, f'axes.{next(iter(axis), None)}')}" for why in wrong(axis)]
        problems += self._given_twice()
        if self.size > MAX_RUNS:
            problems.append(f"the study has {self.size:,} runs; expected at most {MAX_RUNS:,}, so make it several")
        if problems:
            raise SpecError(problems)

    @property
    def size(self) -> int:
        """The number of runs."""
        return (len(self.arms) or 1) * math.prod(len(next(iter(axis.values()), [])) for axis in self.axes)

    def base(self) -> Recipe:
        """The recipe, read.

        Raises:
            SpecError: There is no such recipe, or it is a study.
        """
        recipe = Recipe(self.settings) if self.recipe is None else read_recipe(self.recipe)
        if is_study(recipe.settings):
            raise SpecError(f"recipe = {self.recipe!r} is a study itself; expected the recipe of one run")
        return recipe

    def plain(self) -> dict[str, Any]:
        """As JSON data; `Study.from_plain` gives it back. Each axis is a table of its keys with their values."""
        told = {name: getattr(self, name) for name in ("name", "recipe", ABOUT, "settings", "arms", "axes")}
        copy: dict[str, Any] = json.loads(json.dumps(told))
        return copy

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Study:
        """The study that told this.

        Raises:
            SpecError: No study did.
        """
        settings = dict(plain)
        return _study(Recipe(settings, settings.pop(ABOUT, {})), "")

    def to_yaml(self) -> str:
        """As a study file, the values in the grammar of `parse_values`."""
        axes = [{key: write_values(values) for key, values in axis.items()} for axis in self.axes]
        return write_yaml({**self.plain(), "axes": axes})

    def _given_twice(self) -> list[str]:
        """Keys in an axis and elsewhere, which `recipe < settings < arm < axes` does not settle."""
        axes = [("axes", _keys({key: value} for value in axis[key])) for axis in self.axes for key in axis]
        tables = [("settings", _keys([self.settings]))]
        tables += [(f"arms.{arm}", _keys([settings])) for arm, settings in self.arms.items()]
        problems = [
            f"{place}.name: a study names its runs; its own name stands at the top{cited(self.lines, f'{place}.name')}"
            for place, keys in axes + tables
            if "name" in keys
        ]
        for number, (_, keys) in enumerate(axes):
            for place, others in (axes + tables)[number + 1 :]:
                problems += [
                    f"{key} is given in axes and again in {place}; keep one{cited(self.lines, f'{place}.{key}')}"
                    for key in sorted(keys & others)
                ]
        return problems


def is_study(settings: Mapping[str, Any]) -> bool:
    """Whether these are the top-level settings of a study file, not of a recipe."""
    return not settings.keys().isdisjoint({"recipe", "arms", "axes", "zip"})


def read_study(path: str) -> Study:
    """A study file, whose name ends in .yaml or .yml.

    Raises:
        SpecError: No such file, not YAML, no study; with every problem at once and the line of each.
    """
    return _study(read_recipe(path), path)


def parse_study(text: str, where: str) -> Study:
    """The text of a study file, named `where` in errors; the relative path of its recipe starts from there."""
    return _study(parse_recipe(text, where), where)


def study_of(recipe: str, assignments: Sequence[str] = (), name: str | None = None) -> Study:
    """The study that a command line describes.

    Args:
        recipe: A shipped recipe's name, or a path.
        assignments: As `parse_axes` reads them. A key with one value is a setting; `name=...` names the study.
        name: What to call it, by default after its content: the same words make the same study again.

    Raises:
        SpecError: With every problem at once.
    """
    axes = parse_axes(assignments)
    settings = {key: values[0] for axis in axes for key, values in axis.items() if len(values) == 1}
    several = [axis for axis in axes if settings.keys().isdisjoint(axis)]
    name = settings.pop("name", None) if name is None else name
    return _study(Recipe({"name": name, "recipe": recipe, "settings": settings, "axes": several}), "")


def _keys(tables: Iterable[Mapping[str, Any]]) -> set[str]:
    return {key for table in tables for key, _ in leaves(table)}


def _name(study: Study) -> str:
    """A name that is the same for the same content: recipe, axes, and a hash of everything."""
    content = {**study.plain(), "name": None, ABOUT: None, "recipe": study.base().settings}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    words = [Path(study.recipe or "study").stem, *(key.rpartition(".")[2] for axis in study.axes for key in axis)]
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(words)).lstrip("-._") or "study"
    return f"{plain[:80]}-{digest[:6]}"


def _study(read: Recipe, where: str) -> Study:
    fields = fields_of(read, where)
    if fields["name"] is None:
        fields["name"] = _name(Study(**{**fields, "name": "unnamed"}))
    return Study(**fields)


def as_label(text: str) -> str:
    """Text as a label can hold it, see `base.label`: what cannot be shown on one line, and slashes, become _."""
    shown = text if text.isprintable() else "".join(letter if letter.isprintable() else "_" for letter in text)
    return shown.replace("/", "_").replace("\\", "_")
