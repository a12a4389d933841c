"""CSV and its relatives: any delimiter, remarks, blanks, per cent signs, numbers that a program printed as tensors."""

from __future__ import annotations

import csv
import re
from array import array
from collections import Counter
from collections.abc import Sequence
from copy import copy

from .log import Report
from .table import Table

_REMARKS = ("#", "//", "%")
_DELIMITERS = (",", "\t", ";", "|", "")  # the last: any blanks
_BLANKS = {"", "-", "--", "na", "n/a", "null", "none", "nil", "<na>", "#n/a", "missing"}
_TENSOR = re.compile(r"(?:tensor|array|np\.float\d+|float\d+)\(\[?\s*([^,\])]+)", re.IGNORECASE)
_EXCEL = re.compile(r"\s*\"?sep=.\"?\s*$", re.IGNORECASE)  # its first line, which names the delimiter
_ODD_QUOTES_MOST = 200  # lines that may be one cell


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line; blanks around them are cut off.

    Example:
        >>> split('"a, b", 2', ","), split("1   2", "")
        (['a, b', '2'], ['1', '2'])
    """
    if not delimiter:
        return line.split()
    if delimiter == "|":
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
    except csv.Error:
        return [cell.strip().strip('"') for cell in line.split(delimiter)]


def delimiter_of(lines: Sequence[str]) -> str | None:
    """The delimiter that cuts these lines into equally many cells, at least two; None if there is none."""
    best, most = None, 1.0
    for place, delimiter in enumerate(_DELIMITERS):
        counts = Counter(len(split(line, delimiter)) for line in lines)
        cells, often = counts.most_common(1)[0] if counts else (0, 0)
        score = cells * (often / max(1, len(lines))) - place * 1e-3
        if cells >= 2 and often >= 0.6 * len(lines) and score > most:
            best, most = delimiter, score
    return best


def is_remark(line: str) -> bool:
    """Whether a line is none of the table."""
    return not line.strip() or line.lstrip().startswith(_REMARKS) or bool(_EXCEL.match(line))


class DelimitedReader:
    """Takes lines, fills a table. The first line that is no remark names the columns."""

    def __init__(self, report: Report, sample: int = 20) -> None:
        self.table, self.report = Table(), report
        self._sample = sample  # lines looked at before the delimiter is decided
        self.remarks: list[str] = []
        self._names: list[str] | None = None
        self._delimiter = ","
        self._held: list[str] = []

    def feed(self, lines: list[str]) -> None:
        """Take complete lines."""
        lines = [line.replace("\0", "").rstrip("\r") for line in [*self._held, *lines]]
        self._held = []
        if self._names is None:
            lines = self._begin(lines)
            if self._names is None:
                self._held = lines
                return
        if self._delimiter != "|" and sum(line.count('"') for line in lines) % 2:
            self._held, lines = _open_cell(lines)
        self._rows(lines)

    def end(self) -> None:
        """Take what was held back in the hope of more."""
        held, self._held = self._held, []
        if self._names is None:
            held = self._begin(held, is_all=True)
        self._rows(held)

    def ended(self, report: Report, rest: list[str]) -> DelimitedReader:
        """What is read by now and some lines more, told in a report of its own; this reader goes on as before."""
        if not rest and not self._held:
            return self
        other = copy(self)
        other.table, other.report, other.remarks = self.table.copy(), report, [*self.remarks]
        other.feed(rest)
        other.end()
        return other

    def _begin(self, lines: list[str], *, is_all: bool = False) -> list[str]:
        rest = list(lines)
        while rest and is_remark(rest[0]):
            if rest[0].strip():
                self.remarks.append(rest[0].strip()[:500])
            rest.pop(0)
        if len(rest) < self._sample and not is_all:
            return rest
        sample = [line for line in rest[:40] if not is_remark(line)]
        delimiter = delimiter_of(sample)
        if delimiter is None:
            delimiter = ","
        if not sample:
            return rest
        self._delimiter = delimiter
        names = split(sample[0], delimiter)
        if all(number_in(name) is not None for name in names if name):
            names = self._from_remarks(len(names))
        else:
            rest.pop(0)
        if rest and len(set(names)) < len(names) > 2 and (second := self._second_head(rest[0], len(names))):
            names = [f"{above}/{below}" for above, below in zip(names, second, strict=True)]
            rest.pop(0)
        self._names = _distinct(names)
        return rest

    def _second_head(self, line: str, count: int) -> list[str]:
        """The lower of two lines of names, as pandas writes them where names come in groups."""
        cells = split(line, self._delimiter)
        is_head = len(cells) == count and all(cell and number_in(cell, self._delimiter) is None for cell in cells)
        return cells if is_head and not {cell.lower() for cell in cells} & _BLANKS else []

    def _from_remarks(self, count: int) -> list[str]:
        for remark in reversed(self.remarks):
            for delimiter in (self._delimiter, *_DELIMITERS):
                names = split(remark.lstrip("#/% "), delimiter)
                if len(names) == count and all(number_in(name) is None for name in names):
                    return names
        self.report.notes.append("The first line has only numbers; the columns are named by their places.")
        return [f"column {place + 1}" for place in range(count)]

    def _rows(self, lines: list[str]) -> None:
        names = self._names
        if names is None:
            return
        if self._delimiter in ("", "|"):
            rows = [split(line, self._delimiter) for line in lines if not is_remark(line)]
            rows = [row for row in rows if set("".join(row)) - set("-:= +")]  # a rule between head and body
        else:
            lines = [line for line in lines if line and not line.lstrip().startswith(_REMARKS)]
            try:
                rows = list(csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True))
            except csv.Error:
                rows = [split(line, self._delimiter) for line in lines]
        count = len(names)
        if any(len(row) != count or row[0] == names[0] for row in rows):
            rows = self._only_whole(rows, names)
        if not rows:
            return
        for name, cells in zip(names, zip(*rows, strict=True), strict=True):
            self._column(name, cells)
        self.table.count += len(rows)

    def _only_whole(self, rows: list[list[str]], names: list[str]) -> list[list[str]]:
        whole = list[list[str]]()
        for row in rows:
            while len(row) > len(names) and not row[-1].strip():
                row = row[:-1]
            if [cell.strip() for cell in row] == names:
                self.report.counts["lines that repeat the names of the columns"] += 1
            elif len(row) == len(names):
                whole.append(row)
            elif any(row):
                self.report.counts["lines with more or fewer cells than the first one, as where a file ends early"] += 1
        return whole

    def _column(self, name: str, cells: Sequence[str]) -> None:
        table = self.table
        words = table.words.get(name)
        if words is not None and name not in table.numbers:
            if words.is_prose:
                words.count += len(cells)
                return
        else:
            try:
                table.extend(table.count, name, array("d", map(float, cells)))
                return
            except ValueError:
                pass
        for row, cell in enumerate(cells, table.count):
            if cell and (cell := cell.strip()).lower() not in _BLANKS:
                number = number_in(cell, self._delimiter)
                if number is None:
                    table.say(row, name, cell)
                else:
                    if cell.endswith("%"):
                        table.percent.add(name)
                    table.add(row, name, number)


def number_in(cell: str, delimiter: str = ",") -> float | None:
    """The number in a cell; per cent as a fraction; None if it holds none."""
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        if cell.endswith("%"):
            return float(cell[:-1]) / 100
        if found := _TENSOR.match(cell):
            return float(found[1])
        return float(cell.replace(",", ".")) if delimiter == ";" and cell.count(",") == 1 else None
    except ValueError:
        return None


def _distinct(names: list[str]) -> list[str]:
    seen = Counter[str]()
    distinct = []
    for place, name in enumerate(names):
        name = name or f"column {place + 1}"
        seen[name] += 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _open_cell(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines from the one on in which a quoted cell begins that does not end, and those before it."""
    quotes = 0
    for place in range(len(lines) - 1, max(-1, len(lines) - _ODD_QUOTES_MOST), -1):
        quotes += lines[place].count('"')
        if quotes % 2:
            return lines[place:], lines[:place]
    return [], lines
