"""The study that somebody means: a shipped one, a file, or a recipe with several values; as it is or changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..base.component import did_you_mean
from ..base.errors import SpecError
from ..recipes import STUDIES
from ..recipes import names as shipped
from ..recipes import text as shipped_text
from .axes import parse_axes
from .dotted import nested
from .merge import merged
from .recipe import read_recipe
from .study import Study, is_study, parse_study, read_study, study_of


def study_named(what: str, assignments: Sequence[str] = (), name: str | None = None) -> Study:
    """A study by the words of a command line.

    Args:
        what: Name of a shipped study or recipe, or the path of a YAML file with either.
        assignments: As `parse_axes` reads them. Of a study they replace what it says about the same keys.
        name: What to call it. A study that was changed is called after its content unless it is given a name.

    Raises:
        SpecError: There is no such thing, or what it says is wrong; all problems at once.
    """
    if what in shipped(STUDIES):
        study = parse_study(shipped_text(what, STUDIES), what)
        study = replace(study, name=what)
    elif what.endswith((".yaml", ".yml")) and is_study(read_recipe(what).settings):
        study = read_study(what)
    elif what.endswith((".yaml", ".yml")) or what in shipped():
        return study_of(what, assignments, name)
    else:
        hint = did_you_mean(what, [*shipped(STUDIES), *shipped()])
        raise SpecError(f"{what!r} is no study and no recipe.{hint} A file's name ends in .yaml.")
    changed = _changed(study, assignments) if assignments else study
    if name is not None or changed == study:
        return replace(changed, name=name or study.name)
    content = {**changed.plain(), "name": None, "about": None, "recipe": changed.base().settings}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return replace(changed, name=f"{study.name}-{digest[:6]}")


def _changed(study: Study, assignments: Sequence[str]) -> Study:
    """What is assigned takes the place of whatever the study says about the same key: axis, setting or arm."""
    new = parse_axes(assignments)
    keys = {key for axis in new for key in axis}
    halved = [axis for axis in study.axes if keys & set(axis) and not set(axis) <= keys]
    if halved:
        raise SpecError(
            [f"{' and '.join(axis)} move together in study {study.name}; give all of them" for axis in halved]
        )
    fixed: dict[str, Any] = {key: values[0] for axis in new for key, values in axis.items() if len(values) == 1}
    several = [axis for axis in new if fixed.keys().isdisjoint(axis)]
    kept = [axis for axis in study.axes if keys.isdisjoint(axis)]
    settings, arms = study.settings, study.arms
    for key in keys:
        settings = _without(settings, key.split("."))
        arms = {arm: _without(given, key.split(".")) for arm, given in arms.items()}
    return replace(study, settings=merged(settings, nested(fixed)), arms=arms, axes=(*kept, *several))


def _without(settings: dict[str, Any], path: list[str]) -> dict[str, Any]:
    head, *rest = path
    if head not in settings or (rest and not isinstance(settings[head], dict)):
        return settings
    below = _without(settings[head], rest) if rest else None
    return {key: below if key == head else value for key, value in settings.items() if rest or key != head}
