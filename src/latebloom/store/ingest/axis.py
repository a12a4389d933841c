"""Which column of a table counts the steps, and every other column along it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...base.errors import DataError
from .log import Report, some
from .long_form import unfold
from .names import Axis, axis_of, is_log10, meaning_of
from .runs import one_run
from .series import Series, is_whole
from .table import Rows, Table, Values

_MOST_LOG10 = 12.0  # no training is longer
_EVEN = 3.0  # times the usual distance between two values
_MOST_UNITS = 1e7
_ENOUGH = 0.5  # a counter has to be in so many of the rows


class Counter(NamedTuple):
    """The step of each row."""

    name: str  # theirs; empty if the rows themselves are counted
    kind: Axis
    steps: Rows  # (rows,)
    known: np.ndarray[tuple[int], np.dtype[np.bool_]]  # (rows,)


def along_axis(table: Table, mapping: Mapping[str, str], report: Report) -> tuple[Axis, dict[str, Series]]:
    """Every column of a table as readings by step, those of one run.

    Raises:
        DataError: The column that `mapping` names as `step` is none, or there are several runs and none was chosen.
    """
    columns = {name: column.read() for name, column in table.numbers.items()}
    columns |= {name: _countable(*columns[name]) for name in columns if axis_of(name) or name == mapping.get("step")}
    for name, column in table.numbers.items():
        if column.every > 1:
            report.converted.append(f"{name!r} is very long: one of every {column.every:,} readings is kept.")
    if table.refused:
        report.dropped.append(f"{table.refused:,} cells of columns beyond the first {len(columns):,}")
    counter = _counter(table, columns, mapping, report)
    columns, used = unfold(table, columns, report)
    keep = one_run(table, columns, counter.steps, counter.known, used, mapping, report)
    series = dict[str, Series]()
    lost = 0
    steps_of_all = counter.steps if counter.known.all() and keep is None else None
    for name in list(columns):
        rows, values = columns.pop(name)
        if name == counter.name:
            continue
        if steps_of_all is not None and len(rows) == len(steps_of_all):
            series[name] = Series(steps_of_all, values)  # shared: a million steps are stored once
            continue
        good = counter.known[rows]
        lost += len(rows) - int(good.sum())
        if keep is not None:
            good = good & keep[rows]
        series[name] = Series(counter.steps[rows[good]], values[good])
    if lost:
        report.counts[f"readings in rows without a {counter.kind}"] += lost
    for name, words in table.words.items():
        if words.count and name not in table.numbers and name not in used:
            report.counts["columns of words, not of numbers"] += 1
    return counter.kind, {name: one for name, one in series.items() if len(one.steps)}


def _counter(
    table: Table, columns: Mapping[str, tuple[Rows, Values]], mapping: Mapping[str, str], report: Report
) -> Counter:
    if chosen := mapping.get("step"):
        if chosen not in columns:
            raise DataError(f"There is no column {chosen!r} to count the steps. There are: {some(list(columns), 40)}.")
        return _of_column(table, chosen, (axis_of(chosen) or ("step", ()))[0], columns, report)
    found = []
    for name, (rows, values) in columns.items():
        axis = axis_of(name)
        if axis is not None and table.count and len(rows) >= _ENOUGH * table.count:
            ahead, back = int((np.diff(values) > 0).sum()), int((np.diff(values) < 0).sum())
            if ahead or back or table.count == 1:
                found.append((name, *axis, ahead, back))
    if not found and (first := _first_that_rises(table, columns)):
        report.notes.append(f"No column is called a step or an epoch; {first!r}, which rises, is taken for the axis.")
        return _of_column(table, first, "step", columns, report)
    if not found:
        report.notes.append("No column counts steps or epochs; the readings are numbered in the order they stand in.")
        return Counter("", "line", np.arange(table.count), np.ones(table.count, np.bool_))
    # A counter that starts again with every epoch counts batches: the epochs then are the axis.
    calm = [one for one in found if not _is_inner(one[0], [other[0] for other in found], columns)] or found
    best = min(calm, key=lambda one: (one[2][0], one[1] != "step", one[2]))
    if others := [one[0] for one in found if one is not best]:
        report.notes.append(f"The axis is {best[0]!r}; {some(others)} could have been it as well.")
    return _of_column(table, best[0], best[1], columns, report)


def whole_steps(name: str, values: Values, report: Report) -> tuple[Rows, bool]:
    """The values of a counter as whole numbers, and whether they count what it counts.

    Powers of ten are raised. Fractions of epochs are numbered if they are evenly spaced; if not, they are counted in
    the smallest distance between two, so that twice as late stays twice as late.
    """
    if is_whole(values):
        return values.astype(np.int64), True
    different, places = np.unique(values, return_inverse=True)
    gaps = np.diff(different)
    if is_log10(name) and different[-1] <= _MOST_LOG10 and len(gaps):
        report.converted.append(f"{name!r} has powers of ten, up to {different[-1]:.4g}; the steps are 10 to these.")
        return np.rint(10.0**values).astype(np.int64), True
    if len(gaps) and different[0] >= 0 and gaps.max() > _EVEN * np.median(gaps):
        unit = max(float(gaps.min()), different[-1] / _MOST_UNITS)
        report.notes.append(f"{name!r} has fractions, not evenly spaced; it is counted in units of {unit:.4g}.")
        return np.rint(values / unit).astype(np.int64), False
    report.notes.append(f"{name!r} has fractions; its different values are numbered, in order, from 0.")
    return places.astype(np.int64), False


def _countable(rows: Rows, values: Values) -> tuple[Rows, Values]:
    """The cells of a counter that can be a count."""
    good = np.abs(values) < 2**53
    return rows[good], values[good]


def _first_that_rises(table: Table, columns: Mapping[str, tuple[Rows, Values]]) -> str:
    """The first column, if it holds whole numbers that rise from row to row and are nothing that is known."""
    name, (rows, values) = next(iter(columns.items()), ("", (np.zeros(0, np.int64), np.zeros(0))))
    is_whole_column = len(rows) == table.count > 1 and is_whole(values) and bool((np.diff(values) > 0).all())
    return name if is_whole_column and meaning_of(name) is None and values.max() > table.count else ""


def _is_inner(name: str, others: list[str], columns: Mapping[str, tuple[Rows, Values]]) -> bool:
    """Whether a counter goes back where another one goes ahead."""
    rows, values = columns[name]
    back = np.flatnonzero(np.diff(values) < 0) + 1
    if not len(back):
        return False
    for other in others:
        if other != name and len(columns[other][0]) == len(rows):
            ahead = np.diff(columns[other][1]) > 0
            if ahead[back - 1].mean() >= _ENOUGH and len(back) > 0.2 * ahead.sum():
                return True
    return len(back) > 0.2 * len(values) and len(others) > 1


def _of_column(
    table: Table, name: str, kind: Axis, columns: Mapping[str, tuple[Rows, Values]], report: Report
) -> Counter:
    rows, values = columns[name]
    steps, known = np.zeros(table.count, np.int64), np.zeros(table.count, np.bool_)
    known[rows] = True
    steps[rows], is_counted = whole_steps(name, values, report)
    return Counter(name, kind if is_counted else "line", steps, known)
