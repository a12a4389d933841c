"""From YAML recipes and `key=value` overrides to a `RunSpec`, and back."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..base.component import did_you_mean, from_dict
from ..base.errors import SpecError
from ..losses import LOSSES
from ..models import MODELS
from ..optimizers import OPTIMIZERS, SCHEDULES
from ..tasks import TASKS
from .identity import plain
from .run import RunSpec

FAMILIES = {"task": TASKS, "model": MODELS, "loss": LOSSES, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
ABOUT = "about"  # what a recipe says about itself: claim, source, expectation; no part of the spec


def recipe_names() -> list[str]:
    """Recipes shipped with the package."""
    folder = resources.files("latebloom.recipes")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_recipe(name_or_path: str) -> dict[str, Any]:
    """A recipe as plain data, with what it extends merged in.

    Args:
        name_or_path: A shipped recipe's name, or a path that ends in .yaml or .yml.

    Raises:
        SpecError: No such recipe; not YAML; a key twice; an interpolation.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        path = Path(name_or_path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"recipe {name_or_path!r} cannot be read: {error}") from None
    else:
        known = recipe_names()
        if name_or_path not in known:
            hint = did_you_mean(name_or_path, known)
            raise SpecError(f"recipe {name_or_path!r} is unknown.{hint} A file's name ends in .yaml.")
        text = resources.files("latebloom.recipes").joinpath(f"{name_or_path}.yaml").read_text(encoding="utf-8")
    return parse_recipe(text, name_or_path)


def parse_recipe(text: str, where: str) -> dict[str, Any]:
    """The text of a recipe as plain data, with what it `extends` merged in; `where` is named in errors."""
    if "${" in text:
        raise SpecError(f"{where}: interpolations such as ${{...}} are not supported; write the value itself")
    try:
        given = OmegaConf.to_container(OmegaConf.load(io.StringIO(text)))
    except (yaml.YAMLError, OmegaConfBaseException, OSError, RecursionError) as error:
        raise SpecError(f"{where} is no recipe: {error}") from None
    if not isinstance(given, dict):
        raise SpecError(f"{where}: a recipe is a table of settings, e.g. `task: {{kind: modular, operation: divide}}`")
    recipe = {str(key): value for key, value in given.items()}
    if (parent := recipe.pop("extends", None)) is not None:
        about = recipe.get(ABOUT)
        recipe = {**merged(read_recipe(str(parent)), recipe), ABOUT: about}
    return recipe


def override(recipe: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """A recipe with `key.key=value` assignments applied, values read as YAML.

    Setting a component's `kind` keeps those of its settings that the new kind has too.
    """
    changes: dict[str, Any] = {}
    problems = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not all(key.split(".")):
            problems.append(f"{assignment!r} is no setting; expected key=value, e.g. optimizer.weight_decay=0.3")
            continue
        try:
            nested: Any = _value(text)
        except (yaml.YAMLError, OmegaConfBaseException, SpecError) as error:
            problems.append(f"{key} = {text!r} is no YAML value: {str(error).splitlines()[0]}")
            continue
        for part in reversed(key.split(".")):
            nested = {part: nested}
        changes = merged(changes, nested)
    if problems:
        raise SpecError(problems)
    return merged(recipe, changes)


def _value(text: str) -> Any:
    """What a YAML value says; OmegaConf's reader knows 1e-4 as a number."""
    if "${" in text:
        raise SpecError("interpolations are not supported; write the value itself")
    read: Any = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))
    return read["value"]


def build(recipe: Mapping[str, Any], assignments: Sequence[str] = (), *, where: str = "") -> RunSpec:
    """The run that a recipe with overrides describes.

    Raises:
        SpecError: With every problem at once.
    """
    given = override({key: value for key, value in recipe.items() if key != ABOUT}, assignments)
    spec: RunSpec = from_dict(RunSpec, given, where)
    return spec


def to_yaml(spec: RunSpec) -> str:
    """The spec as a recipe with every default written out; `build(parse_recipe(...))` gives it back."""
    return yaml.safe_dump(plain(spec), sort_keys=False, allow_unicode=True)


def merged(under: Mapping[str, Any], over: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Tables merge key by key, everything else is replaced; a changed `kind` drops settings it does not have."""
    result = dict(under)
    kind = over.get("kind")
    if kind is not None and kind != under.get("kind"):
        fields = getattr(FAMILIES.get(path, {}).get(kind), "model_fields", {})
        result = {key: value for key, value in result.items() if key in fields}
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value, f"{path}.{key}".lstrip(".")) if both else value
    return result
