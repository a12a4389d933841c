"""Lists without a step beside each number: which list counts the steps, and what if there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...base.errors import DataError
from .axis import whole_steps
from .json_tree import Listed
from .log import Report, some
from .names import SPLITS, Axis, axis_of, words_of
from .series import Series, is_whole
from .table import Rows

_INTERVAL = re.compile(
    r"(?:^|[/_])(?:(?:log|eval|evaluate|record|print|test|val|report|metrics?|logging|checkpoint|save|track)_?"
    r"(?:every|interval|freq|frequency|steps|step|epochs|period)(?:_(?:steps|epochs))?|every|interval|eval_every_n\w*)$",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"(?:^|[/_])(?:(?:n|num|max|total|training|train)_?(?:steps|epochs|iters|iterations|updates)|steps|epochs|iterations)"
    r"(?:_run)?$",
    re.IGNORECASE,
)


def along_lengths(
    lists: Mapping[str, Listed], meta: Mapping[str, Any], mapping: Mapping[str, str], report: Report
) -> tuple[Axis, dict[str, Series]]:
    """Every list as readings by step.

    A list of steps of the same length counts them. Without one, an interval that the file declares is used; a list
    that is a whole number of times shorter than the longest one was read that much less often.
    """
    counters = _counters(lists, mapping)
    others = {name: one for name, one in lists.items() if name not in counters}
    longest = max((len(one.values) for one in others.values() if one.steps is None), default=0)
    lengths = {len(one.values) for one in others.values() if one.steps is None}
    kind: Axis = "line"
    series = dict[str, Series]()
    plain, counted = dict[int, tuple[Rows, Axis]](), dict[str, Rows]()
    for name, listed in others.items():
        values = np.array(listed.values, np.float64)  # None becomes NaN, and is left out at the end
        counter = _fitting(name, len(values), counters, lists)
        is_own = listed.steps is not None and (counter is None or listed.steps != lists[counter].steps)
        if is_own and is_whole(steps := np.array(listed.steps, np.float64)):
            series[name], kind = Series(steps.astype(np.int64), values), "step" if kind == "line" else kind
            continue
        if counter is not None:
            found = np.nan_to_num(np.array(lists[counter].values, np.float64), nan=-1)
            axis = axis_of(counter)
            kind = axis[0] if axis else "step"
            if counter not in counted:
                counted[counter] = whole_steps(counter, found, report)[0]
            series[name] = Series(counted[counter], values)
            continue
        if len(values) not in plain:
            plain[len(values)] = _counted(len(values), longest, lengths, counters, lists, meta, report)
        steps_of_it, axis_kind = plain[len(values)]
        if len(steps_of_it) != len(values):
            report.counts["lists whose length fits no list of steps"] += 1
            continue
        kind = axis_kind if kind == "line" else kind
        series[name] = Series(steps_of_it, values)
    return kind, {name: _measured(one, lists[name]) for name, one in series.items()}


def _measured(series: Series, listed: Listed) -> Series:
    if None not in listed.values:
        return series
    there = np.array([value is not None for value in listed.values], np.bool_)
    return Series(series.steps[there], series.values[there])


def _counters(lists: Mapping[str, Listed], mapping: Mapping[str, str]) -> list[str]:
    if chosen := mapping.get("step"):
        if chosen not in lists:
            raise DataError(f"There is no list {chosen!r} to count the steps. There are: {some(list(lists), 40)}.")
        return [chosen]
    found = [name for name in lists if axis_of(name) and _mostly_rises(lists[name].values)]
    return sorted(found, key=lambda name: (axis_of(name) or ("line", ()))[1])


def _mostly_rises(values: list[float | None]) -> bool:
    numbers = np.array(values, np.float64)
    return len(numbers) > 1 and bool((numbers[1:] > numbers[:-1]).mean() > 0.5)


def _fitting(name: str, length: int, counters: list[str], lists: Mapping[str, Listed]) -> str | None:
    """The list of steps for a list: of the same length, of the same examples if it names any, steps before epochs."""
    same = [counter for counter in counters if len(lists[counter].values) == length]
    splits = {SPLITS.get(word) for word in words_of(name)} - {None}

    def rank(counter: str) -> tuple[bool, bool]:
        of_counter = {SPLITS.get(word) for word in words_of(counter)} - {None}
        axis = axis_of(counter)
        return bool(of_counter) and not of_counter & splits, axis is None or axis[0] != "step"

    return min(same, key=rank, default=None)


def _counted(
    length: int,
    longest: int,
    lengths: set[int],
    counters: list[str],
    lists: Mapping[str, Listed],
    meta: Mapping[str, Any],
    report: Report,
) -> tuple[Rows, Axis]:
    """Steps for a list that none counts."""
    for counter in counters:  # as many readings as there were steps at all
        last = lists[counter].values[-1]
        if last is not None and length - 1 <= last <= length:
            axis = axis_of(counter)
            report.notes.append(f"Lists of {length:,} numbers have one for each {axis[0] if axis else 'step'} from 0.")
            return np.arange(length), axis[0] if axis else "step"
    every, total, kind = _declared(meta)
    ratios = [times for other in lengths if (times := _times(longest, other)) > 1]
    times = _times(longest, length)
    if every > 1 and any(every == known for known in ratios):
        every = 1  # it says how much less often the shorter lists were read
    elif every > 1 and ratios:
        every = every // max(ratios) if every % max(ratios) == 0 else every
    if times > 1:
        report.notes.append(f"Lists of {length:,} numbers were read every {times:,} as often as those of {longest:,}.")
        return np.arange(length) * times * max(every, 1), kind
    if every > 1 and (total is None or abs(length * every - total) <= 2 * every):
        report.notes.append(f"Lists have no steps; the file declares one reading every {every:,}.")
        return np.arange(length) * every, kind
    if length == longest:
        report.notes.append("Lists have no steps; their numbers are counted from 0.")
        return np.arange(length), kind
    return np.arange(0), kind


def _times(longest: int, length: int) -> int:
    """How many times less often a list was read than the longest; 0 if no whole number says so."""
    for times in {round(longest / length), round((longest - 1) / max(1, length - 1))} if length > 1 else ():
        if times > 1 and abs(longest - length * times) <= times:
            return times
    return 0


def _declared(meta: Mapping[str, Any]) -> tuple[int, int | None, Axis]:
    every, total = 0, None
    kind: Axis = "line"
    for name, value in _scalars(meta):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 2**53:
            continue
        if _INTERVAL.search(name) and value == int(value):
            every = max(every, int(value))
        elif _TOTAL.search(name):
            total, kind = int(value), "epoch" if "epoch" in name.lower() else "step"
    return every, total, kind


def _scalars(meta: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = list[tuple[str, Any]]()
    for name, value in meta.items():
        if isinstance(value, dict):
            found += [(f"{name}/{key}", inner) for key, inner in list(value.items())[:500]]
        else:
            found.append((name, value))
    return found
