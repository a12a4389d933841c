"""Settings are written nested, `task: {modulus: 7}`, or with dotted keys, `task.modulus: 7`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..base.errors import SpecError


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings with every dotted key as tables.

    Raises:
        SpecError: A key is given twice, or both as a whole and in part.

    Example:
        >>> nested({"task.modulus": 7, "task": {"kind": "modular"}})
        {'task': {'modulus': 7, 'kind': 'modular'}}
    """
    tables: dict[str, Any] = {}
    for key, value in leaves(settings):
        is_table = isinstance(value, Mapping)
        *path, last = [*key.split("."), ""] if is_table else key.split(".")
        table: Any = tables
        for name in path:
            table = table.setdefault(name, {}) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last in table:
            raise SpecError(f"{key} is given twice, or as a whole and in part; keep one of them")
        if not is_table:
            table[last] = value
    return tables


def leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every dotted key that holds a value, with it; of tables only empty ones count as values.

    Example:
        >>> [*leaves({"task": {"kind": "modular"}, "seed": 1})]
        [('task.kind', 'modular'), ('seed', 1)]
    """
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
