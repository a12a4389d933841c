"""From recipes and `key=value` assignments to a `RunSpec`, and back."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from ..base.component import from_dict
from ..base.errors import SpecError
from .identity import plain
from .merge import merged, together
from .recipe import Recipe, read_value
from .run import RunSpec

_EXAMPLE = "expected key=value, e.g. optimizer.weight_decay=0.3"


def build(
    recipe: Recipe | RunSpec | Mapping[str, Any],
    assignments: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> RunSpec:
    """The run that a recipe describes, with some settings changed.

    Args:
        recipe: As read, as a spec, or as plain data.
        assignments: `key.key=value`, values as in YAML. A table that the recipe leaves out starts from its
            defaults, so that `optimizer.learning_rate=1e-4` changes nothing but the learning rate.
        settings: Top-level settings as plain data; they win over `assignments`.

    Raises:
        SpecError: With every problem at once.
    """
    if isinstance(recipe, RunSpec):
        recipe = plain(recipe)
    given, lines = (recipe.settings, recipe.lines) if isinstance(recipe, Recipe) else (recipe, {})
    changes = together(assigned(assignments), settings or {})
    spec: RunSpec = from_dict(
        RunSpec,
        merged({**_defaults(set(changes) - set(given)), **given}, changes),
        lines={**lines, **dict.fromkeys(_keys(changes), "")},  # what was changed stands in no file
    )
    return spec


def assigned(assignments: Sequence[str]) -> dict[str, Any]:
    """`key.key=value` assignments as nested tables, values read as YAML.

    Raises:
        SpecError: No assignment, no value, no YAML, or two different values for one key; all of it at once.
    """
    changes: dict[str, Any] = {}
    texts: dict[str, str] = {}
    problems = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals or not all(key.split(".")):
            problems.append(f"{assignment!r} is no setting; {_EXAMPLE}")
        elif not text.strip():
            problems.append(f"{key} has no value; {_EXAMPLE}. Nothing is written null, an empty text ''.")
        elif texts.setdefault(key, text) != text:
            problems.append(f"{key} is given twice, as {texts[key]} and as {text}; keep one of them")
        else:
            try:
                nested: Any = read_value(text)
            except SpecError as error:
                problems.append(f"{key} = {reprlib.repr(text)} is no YAML value: {error}")
                continue
            for part in reversed(key.split(".")):
                nested = {part: nested}
            changes = together(changes, nested)
    if problems:
        raise SpecError(problems)
    return changes


def to_yaml(spec: RunSpec) -> str:
    """The spec as a recipe with every default written out; `build(parse_recipe(...))` gives it back."""
    return yaml.dump(plain(spec), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes what our reader, unlike PyYAML's, would take for a number: the text 1e-4."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        quoted = read_value(text) != text
    except SpecError:
        quoted = True
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if quoted else None)


_Dumper.add_representer(str, _text)


def _defaults(names: set[str]) -> dict[str, Any]:
    """What a recipe that leaves these settings out means by that."""
    fields = {name: RunSpec.model_fields[name] for name in names & set(RunSpec.model_fields)}
    tables = {name: field.default for name, field in fields.items() if hasattr(field.default, "model_dump")}
    return {name: default.model_dump(mode="json") for name, default in tables.items()}


def _keys(tables: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted keys of everything, tables included."""
    for key, value in tables.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{key}.")
