"""What a reader collects, row by row: columns of numbers with holes, and of words."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from copy import copy

import numpy as np
from numpy.typing import NDArray

from .names import axis_of

MOST_COLUMNS = 200_000
MOST_READINGS = 1 << 21  # of one column; from here on every second is kept, so that a log of any length can be read
MOST_WORDS = 1000  # different words of a column; with more it is a remark or a time, and nothing to sort rows by

Rows = NDArray[np.int64]
Values = NDArray[np.float64]


class Column:
    """Numbers and the rows they stand in. Without holes the rows are not stored."""

    __slots__ = ("_rows", "_to_come", "every", "first", "is_axis", "values")

    def __init__(self, row: int, is_axis: bool) -> None:
        self.first, self.values, self.is_axis = row, array("d"), is_axis
        self.every = 1  # one of so many readings is kept
        self._to_come = 0
        self._rows: array[int] | None = None

    def add(self, row: int, value: float) -> None:
        """One more number."""
        if self._rows is None:
            if row == self.first + len(self.values) and self.every == 1:
                self.values.append(value)
                if not self.is_axis and len(self.values) >= MOST_READINGS:
                    self._thin()
                return
            self._rows = array("q", range(self.first, self.first + len(self.values)))
        if self.every > 1:
            self._to_come -= 1
            if self._to_come >= 0:
                return
            self._to_come = self.every - 1
        self._rows.append(row)
        self.values.append(value)
        if not self.is_axis and len(self.values) >= MOST_READINGS:
            self._thin()

    def extend(self, row: int, values: array[float]) -> None:
        """Numbers of consecutive rows."""
        is_next = self._rows is None and self.every == 1 and row == self.first + len(self.values)
        if is_next and (self.is_axis or len(self.values) + len(values) < MOST_READINGS):
            self.values += values
            return
        for value in values:
            self.add(row, value)
            row += 1

    def read(self) -> tuple[Rows, Values]:
        """Rows and numbers, as copies."""
        values = np.array(self.values, np.float64)
        if self._rows is None:
            return np.arange(self.first, self.first + len(values)), values
        return np.array(self._rows, np.int64), values

    def copy(self) -> Column:
        """The same numbers, to be continued differently."""
        other = copy(self)
        other.values = self.values[:]
        other._rows = None if self._rows is None else self._rows[:]
        return other

    def _thin(self) -> None:
        rows = array("q", range(self.first, self.first + len(self.values))) if self._rows is None else self._rows
        is_last_kept = len(self.values) % 2
        self._to_come = 2 * self.every - 1 if is_last_kept else self.every - 1
        self._rows, self.values = rows[::2], self.values[::2]
        self.every *= 2


class Words:
    """The words of a column, each by its place among the different ones."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.rows, self.codes = array("q"), array("q")
        self.count = 0

    def add(self, row: int, word: str) -> None:
        """One more word; from `MOST_WORDS` different ones on they are only counted."""
        self.count += 1
        if self.is_prose:
            return
        self.codes.append(self.places.setdefault(word[:200], len(self.places)))
        self.rows.append(row)
        if self.is_prose:
            self.rows, self.codes = array("q"), array("q")

    def copy(self) -> Words:
        """The same words, to be continued differently."""
        other = copy(self)
        other.places, other.rows, other.codes = {**self.places}, self.rows[:], self.codes[:]
        return other

    @property
    def is_prose(self) -> bool:
        """Too many different words to mean anything."""
        return len(self.places) > MOST_WORDS

    def by_row(self, count: int) -> NDArray[np.int64]:
        """The place of the word of each row, -1 where there is none."""
        codes = np.full(count, -1, np.int64)
        codes[np.array(self.rows, np.int64)] = np.array(self.codes, np.int64)
        return codes


class Table:
    """Rows of named cells."""

    def __init__(self) -> None:
        self.count = 0  # rows
        self.numbers: dict[str, Column] = {}
        self.words: dict[str, Words] = {}
        self.refused = 0  # cells of columns beyond the first `MOST_COLUMNS`
        self.percent: set[str] = set()  # columns with per cent signs, whose numbers are fractions by now

    def add(self, row: int, name: str, value: float) -> None:
        """A number in a row, which may be any not before the last one of its column."""
        column = self.numbers.get(name) or self._new(name, row)
        if column is not None:
            column.add(row, value)

    def extend(self, row: int, name: str, values: array[float]) -> None:
        """Numbers in consecutive rows."""
        column = self.numbers.get(name) or self._new(name, row)
        if column is not None:
            column.extend(row, values)

    def say(self, row: int, name: str, word: str) -> None:
        """A word in a row."""
        words = self.words.get(name)
        if words is None:
            if len(self.words) >= MOST_COLUMNS:
                self.refused += 1
                return
            words = self.words[name] = Words()
        words.add(row, word)

    def add_row(self, cells: Iterable[tuple[str, float | str]]) -> None:
        """A whole row."""
        for name, cell in cells:
            if isinstance(cell, str):
                self.say(self.count, name, cell)
            else:
                self.add(self.count, name, cell)
        self.count += 1

    def copy(self) -> Table:
        """The same rows, to be continued differently."""
        other = copy(self)
        other.numbers = {name: column.copy() for name, column in self.numbers.items()}
        other.words = {name: words.copy() for name, words in self.words.items()}
        other.percent = {*self.percent}
        return other

    def _new(self, name: str, row: int) -> Column | None:
        if len(self.numbers) >= MOST_COLUMNS:
            self.refused += 1
            return None
        column = self.numbers[name] = Column(row, axis_of(name) is not None)
        return column
