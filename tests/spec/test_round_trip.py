"""A spec written down is the same spec when read again: as YAML, as JSON, under any order of its keys."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latebloom import recipes
from latebloom.base.component import from_dict
from latebloom.base.fields import members
from latebloom.report.text import visible
from latebloom.spec import RunSpec, build, identity, parse_recipe, plain, read_recipe, to_yaml
from spec.strategies import components

quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
BASE = build(read_recipe("modular-division"))


@quick
@given(components(RunSpec))
def test_yaml_and_back_is_the_identity(spec):
    again = build(parse_recipe(to_yaml(spec), "written.yaml"))
    assert again == spec and identity(again) == identity(spec)


@quick
@given(components(RunSpec))
def test_the_json_of_a_report_page_saved_as_yaml_is_the_same_spec(spec):
    lines = json.dumps(plain(spec), indent=2, ensure_ascii=False).split("\n")  # as `report.page` writes it
    assert build(parse_recipe("\n".join(map(visible, lines)), "recipe.yaml")) == spec


@pytest.mark.parametrize("name", recipes.names())
def test_every_shipped_recipe_survives_being_written_out(name):
    spec = build(read_recipe(name))
    assert build(parse_recipe(to_yaml(spec), "my.yaml")) == spec


@quick
@given(components(RunSpec), st.randoms())
def test_the_identity_does_not_depend_on_the_order_of_keys(spec, chance):
    assert identity(from_dict(RunSpec, shuffled(plain(spec), chance))) == identity(spec)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], chance) for key in chance.sample(sorted(value), len(value))}
    return [shuffled(inner, chance) for inner in value] if isinstance(value, list) else value


def leaves(component, prefix=""):
    """Every field that holds no component, with its value and declaration."""
    for name, field in type(component).model_fields.items():
        value = getattr(component, name)
        if hasattr(value, "model_dump"):
            yield from leaves(value, f"{prefix}{name}.")
        elif name != "kind":
            yield f"{prefix}{name}", value, field


def other_value(value, field):
    """A valid value that differs from the one there."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        literal = next((m.__args__ for m in members(field.annotation) if hasattr(m, "__args__")), ("another text", ""))
        return next(choice for choice in literal if choice != value)
    if isinstance(value, float):
        return value / 2 or 0.25
    if isinstance(value, int):
        return {97: 101, 4: 2, 128: 64}.get(value, value + 1)  # another prime, divisor of the width, multiple of 4
    if isinstance(value, tuple):
        if not value:  # a word that stands for a component, where one does
            words = {"interventions": "grokfast_ema", "InitialWeights": "another-run@5"}
            return (next((word for of, word in words.items() if of in str(field.annotation)), 5),)
        return (*value, value[-1])
    return next(new for new in (4, 0.5) if type(new) in members(field.annotation))


@pytest.mark.parametrize("key", [key for key, *_ in leaves(BASE)])
def test_every_field_changes_the_identity(key):
    """Walked by introspection, so that a field added tomorrow is walked too."""
    value, field = next((v, f) for k, v, f in leaves(BASE) if k == key)
    given = plain(BASE)
    *tables, last = key.split(".")
    table = given
    for name in tables:
        table = table[name]
    table[last] = plain_value(other_value(value, field))
    changed = from_dict(RunSpec, given)
    assert changed != BASE and identity(changed) != identity(BASE)


def plain_value(value):
    if isinstance(value, tuple):
        return [plain_value(inner) for inner in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


@pytest.mark.parametrize("name", ["name", "seed", "steps"])
def test_repetitions_of_one_experiment_share_an_identity_without_the_field(name):
    other = BASE.but(**{name: "other" if name == "name" else 77})
    assert identity(other) != identity(BASE)
    assert identity(other, without={name}) == identity(BASE, without={name})


def test_the_identity_of_a_spec_is_that_of_its_canonical_json():
    """Golden, by its definition: sorted keys, no spaces, SHA-256."""
    import hashlib

    text = json.dumps(plain(BASE), sort_keys=True, separators=(",", ":"))
    assert identity(BASE) == hashlib.sha256(text.encode()).hexdigest()
