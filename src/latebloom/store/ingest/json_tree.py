"""Logs kept as one value: lists under names, at any depth that people use, or a list of objects.

{"train_loss": [...], "val_loss": [...]}               lists of one run
{"history": [{"step": 0, "train_loss": 4.5}, ...]}      rows
{"train": {"loss": [...]}, "test": {"loss": [...]}}     a name in several parts
{"adamw": {"val_acc": [...]}, "sgd": {...}}             runs
{"100": {"val_acc": 0.1}, "200": {...}}                 rows, by step
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from .log import Report
from .names import axis_of, meaning_of

MOST_DEPTH = 8
MOST_NODES = 1_000_000
_SETTINGS = {
    "config",
    "args",
    "hparams",
    "params",
    "hyperparameters",
    "hyperparams",
    "settings",
    "cfg",
    "meta",
    "metadata",
}
_SETTINGS |= {"_meta", "configuration", "options", "arguments", "spec"}
_MOST_META = 500
_NAMES_OF_RUNS = (
    "name",
    "label",
    "run",
    "run_name",
    "id",
    "condition",
    "experiment",
    "optimizer",
    "weight_decay",
    "seed",
)
_NO_NUMBERS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}

_OF_VALUES = {"value", "values", "y"}

Path = tuple[str, ...]


class Listed(NamedTuple):
    """A list of numbers, and the steps it brings along."""

    values: list[float | None]  # None where nothing was measured
    steps: list[float] | None


class Tree(NamedTuple):
    """What was found in a value."""

    lists: dict[Path, Listed]
    rows: dict[Path, list[dict[str, Any]]]
    meta: dict[str, Any]  # scalars, and whatever stands under a name for settings


def grow(values: list[Any], report: Report) -> Tree:
    """Find lists of numbers and lists of rows in values."""
    tree = Tree({}, {}, {})
    whole = values[0] if len(values) == 1 else values
    nodes = 0
    open_ones: list[tuple[Path, Any]] = [((), whole)]
    while open_ones:  # no recursion: the depth is somebody else's
        path, value = open_ones.pop()
        nodes += 1
        if nodes > MOST_NODES:
            report.dropped.append(f"everything after the first {MOST_NODES:,} values of the file")
            break
        if len(path) > MOST_DEPTH:
            report.counts[f"values nested more than {MOST_DEPTH} deep"] += 1
        elif isinstance(value, dict):
            open_ones += reversed(list(_inner(path, value, tree)))
        elif isinstance(value, list):
            open_ones += reversed(list(_of_list(path, value, tree, report)))
        else:
            _set(tree.meta, path, value)
    return tree


def _inner(path: Path, value: dict[str, Any], tree: Tree) -> Iterator[tuple[Path, Any]]:
    columns, data = value.get("columns"), value.get("data")
    if path and path[-1].lower() in _SETTINGS:
        _set(tree.meta, path, value)
    elif isinstance(columns, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        tree.rows[path] = [dict(zip(map(str, columns), row, strict=False)) for row in data]
    elif (points := _of_columns(value)) is not None:
        tree.lists[path] = points
    elif len(value) >= 2 and all(_is_step(key) for key in value):
        inner = list(value.values())
        if all(_is_number(one) for one in inner):
            tree.lists[path] = Listed([_number(one) for one in inner], [float(key) for key in value])
        elif all(isinstance(one, dict) and _is_row(one) for one in inner):
            tree.rows[path] = [{"step": float(key), **one} for key, one in value.items()]
        else:
            yield from (((*path, key), one) for key, one in value.items())
    else:
        yield from (((*path, str(key)), one) for key, one in value.items())


def _of_columns(value: dict[str, Any]) -> Listed | None:
    """{"steps": [...], "values": [...]}: one list, as sacred and others keep it."""
    counters = [key for key in value if axis_of(key)]
    values = [key for key in value if key.lower() in _OF_VALUES]
    if len(counters) != 1 or len(values) != 1:
        return None
    steps, numbers = value[counters[0]], value[values[0]]
    if not (isinstance(steps, list) and isinstance(numbers, list) and len(steps) == len(numbers) > 1):
        return None
    if not all(_is_number(one) and one is not None for one in steps) or not all(map(_is_number, numbers)):
        return None
    return Listed([_number(one) for one in numbers], [_number(one) or 0.0 for one in steps])


def _of_list(path: Path, value: list[Any], tree: Tree, report: Report) -> Iterator[tuple[Path, Any]]:
    if not value:
        return
    if all(isinstance(one, dict) for one in value):
        if (points := _points(value)) is not None:
            tree.lists[path] = points
        elif sum(_is_row(one) for one in value) >= 0.5 * len(value):
            tree.rows[path] = value
        else:
            names = [_name_of(one, place) for place, one in enumerate(value)]
            if len(set(names)) < len(names):
                names = [f"{name} #{place}" for place, name in enumerate(names)]
            yield from (((*path, name), one) for name, one in zip(names, value, strict=True))
    elif all(_is_number(one) for one in value):
        tree.lists[path] = Listed([_number(one) for one in value], None)
    elif all(isinstance(one, list) for one in value):
        yield from _of_lists(path, value, tree, report)
    else:
        report.counts[f"lists of mixed values in {'/'.join(path)[:80]!r}"] += 1


def _of_lists(path: Path, value: list[list[Any]], tree: Tree, report: Report) -> Iterator[tuple[Path, Any]]:
    lengths = {len(one) for one in value}
    if len(lengths) == 1 and len(value) > 1 and value[0] and all(isinstance(cell, str) for cell in value[0]):
        tree.rows[path] = [dict(zip(value[0], row, strict=True)) for row in value[1:]]
        return
    if len(lengths) == 1 and all(_is_number(cell) for one in value for cell in one):
        [length] = lengths
        if length == 1:
            tree.lists[path] = Listed([_number(one[0]) for one in value], None)
            return
        steps = [_number(one[-2]) or 0.0 for one in value] if length in (2, 3) else []
        if len(steps) > 3 and all(later > before for before, later in pairwise(steps)):
            tree.lists[path] = Listed(
                [_number(one[-1]) for one in value], steps
            )  # pairs; TensorBoard puts a time first
            return
    if path and meaning_of(path[-1]) is None and all(len(one) < 3 for one in value):
        report.counts[f"lists of lists in {'/'.join(path)[:80]!r}"] += 1
        return
    yield from (((*path, str(place)), one) for place, one in enumerate(value))


def _points(rows: list[dict[str, Any]]) -> Listed | None:
    """Rows of nothing but a step and a value are one list."""
    keys = set(rows[0])
    counters, values = [key for key in keys if axis_of(key)], keys & {"value", "y"}
    if len(counters) != 1 or len(values) != 1 or any(set(row) != keys for row in rows):
        return None
    [at], [name] = counters, values
    if not all(_is_number(row[at]) and row[at] is not None and _is_number(row[name]) for row in rows):
        return None
    return Listed([_number(row[name]) for row in rows], [_number(row[at]) or 0.0 for row in rows])


def _is_row(value: Mapping[str, Any]) -> bool:
    """An object with numbers by name: a row. One with lists of readings is a run, unless it has readings itself."""
    known = [key for key in value if meaning_of(str(key))]
    if any(isinstance(value[key], list) and len(value[key]) > 1 for key in known):
        return any(_is_number(value[key]) for key in known) and any(
            _is_number(value[key]) for key in value if axis_of(key)
        )
    return any(_is_number(one) or isinstance(one, dict) for one in value.values())


def _name_of(value: dict[str, Any], place: int) -> str:
    said = [key for key in _NAMES_OF_RUNS if isinstance(value.get(key), (str, int, float))]
    return " ".join(f"{key}={value[key]}" for key in said)[:200] or str(place)


def _is_step(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 16


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in _NO_NUMBERS or _is_float(value)
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _is_float(text: str) -> bool:
    if len(text) > 40 or text[:1] not in "-+.0123456789":
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return _NO_NUMBERS[value.lower()] if isinstance(value, str) and value.lower() in _NO_NUMBERS else float(value)
    except OverflowError:
        return math.inf


def _set(meta: dict[str, Any], path: Path, value: Any) -> None:
    if len(meta) < _MOST_META:
        meta["/".join(path)] = value
