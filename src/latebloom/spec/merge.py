"""How settings lie over settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.component import table
from .run import RunSpec

FAMILIES = {name: kinds for name, field in RunSpec.model_fields.items() if (kinds := table(field.annotation))}
"""By setting, e.g. `optimizer`, the components it can be."""


def together(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody asks for in several words: tables merge key by key, and nothing that was said is dropped."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = together(below, value) if both else value  # type: ignore[arg-type]
    return result


def merged(under: Mapping[str, Any], over: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Tables merge key by key, everything else is replaced; a changed `kind` drops settings it does not have.

    Example:
        >>> under = {"seed": 1, "optimizer": {"kind": "adamw", "learning_rate": 1e-3, "beta2": 0.98}}
        >>> merged(under, {"optimizer": {"kind": "sgd"}})
        {'seed': 1, 'optimizer': {'kind': 'sgd', 'learning_rate': 0.001}}
    """
    result = dict(under)
    kind = over.get("kind")
    if kind is not None and kind != under.get("kind"):
        member = FAMILIES.get(path, {}).get(str(kind))
        result = {key: value for key, value in result.items() if member and key in member.model_fields}
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = merged(below, value, f"{path}.{key}".lstrip("."))
        result[key] = value
    return result
