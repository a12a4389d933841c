"""JSON Lines: one object per line, of any keys; what is no number becomes a word, what is nested gets a longer name."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from copy import copy
from typing import Any

from .log import Report
from .table import Table

MOST_DEPTH = 6
MOST_INNER = 2000  # cells of one nested value
_WORDS_OF_NUMBERS = {"nan", "inf", "-inf", "infinity", "-infinity", "+inf", "+infinity"}


def cells_of(
    row: dict[str, Any], report: Report, prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, float | str]]:
    """The cells of an object, nested ones under joined names; lists are left out."""
    for key, value in row.items():
        name = f"{prefix}/{key}" if prefix else str(key)
        kind = type(value)
        if kind is float or kind is int:
            try:
                yield name, float(value)
            except OverflowError:
                report.counts["numbers too large to be a reading"] += 1
        elif kind is str:
            yield name, number if (number := _number(value)) is not None else value
        elif kind is dict:
            if depth < MOST_DEPTH and len(value) <= MOST_INNER:
                yield from cells_of(value, report, name, depth + 1)
            else:
                report.counts[f"nested values in {name[:80]!r}: too deep or too large"] += 1
        elif kind is list and len(value) == 1 and type(value[0]) in (float, int):
            yield from cells_of({name: value[0]}, report, "", depth)
        elif kind is list and value:
            report.counts[f"lists in {name[:80]!r}"] += 1


class JsonLinesReader:
    """Takes lines, fills a table. Objects whose keys all begin with an underscore are settings."""

    def __init__(self, report: Report) -> None:
        self.table, self.report = Table(), report
        self.meta: dict[str, Any] = {}

    def feed(self, lines: list[str]) -> None:
        """Take complete lines."""
        lines = [line for line in lines if line and not line.isspace()]
        try:
            rows = json.loads(f"[{','.join(lines)}]")
            if len(rows) != len(lines):
                raise ValueError("a line holds several values")
        except (ValueError, RecursionError):
            rows = [row for line in lines for row in self._one(line)]
        if not self._all_alike(rows):
            for row in rows:
                self.row(row)

    def end(self) -> None:
        """Nothing is ever held back."""

    def ended(self, report: Report, rest: list[str]) -> JsonLinesReader:
        """What is read by now and some lines more, told in a report of its own; this reader goes on as before."""
        if not rest:
            return self
        other = copy(self)
        other.table, other.report, other.meta = self.table.copy(), report, {**self.meta}
        other.feed(rest)
        return other

    def row(self, row: Any) -> None:
        """Take one object."""
        if not isinstance(row, dict):
            self.report.counts["lines that hold no object"] += 1
        elif row and all(str(key).startswith("_") and isinstance(value, dict) for key, value in row.items()):
            for key, value in row.items():
                self.meta |= value if key in ("_meta", "_config") else {str(key).strip("_"): value}
        else:
            self.table.add_row(cells_of(row, self.report))

    def _one(self, line: str) -> list[Any]:
        try:
            return [json.loads(line)]
        except (ValueError, RecursionError):
            pass
        values, at, decoder = list[Any](), 0, json.JSONDecoder()
        line = line.strip().rstrip(",")
        while at < len(line):  # several objects on one line, as two processes write them
            try:
                value, at = decoder.raw_decode(line, at)
            except (ValueError, RecursionError):
                self.report.counts["lines that are no JSON, or not complete"] += 1
                break
            values.append(value)
            at += len(line[at:]) - len(line[at:].lstrip(" ,"))
        return values

    def _all_alike(self, rows: list[Any]) -> bool:
        """Take rows of the same keys with nothing but numbers, column by column."""
        if len(rows) < 2 or type(rows[0]) is not dict:
            return False
        names = list(rows[0])
        count = len(names)
        try:
            if any(len(row) != count for row in rows):
                return False
            columns = [[row[name] for row in rows] for name in names]
            if any(set(map(type, column)) - {float, int} for column in columns):
                return False
            arrays = [array("d", column) for column in columns]
        except (KeyError, TypeError, OverflowError):
            return False
        for name, values in zip(names, arrays, strict=True):
            self.table.extend(self.table.count, name, values)
        self.table.count += len(rows)
        return True


def _number(text: str) -> float | None:
    if len(text) > 40 or not (text[:1] in "-+.0123456789" or text.lower() in _WORDS_OF_NUMBERS):
        return None
    try:
        return float(text)
    except ValueError:
        return None
