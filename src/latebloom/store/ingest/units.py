"""Units and holes: per cent, errors for accuracies, and numbers that stand for `not measured`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .log import Report
from .names import meaning_of, words_of
from .series import Raw, Series
from .table import Values

_MOST_FRACTION = 1.5  # above it, and up to 100, a share is in per cent
_ROUNDED = 1.0 + 1e-6
_OFTEN = 0.2  # of the readings before the last one that is a number
_NOT_MEASURED = -1.0
_SHARES = ("accuracy", "coverage")


def without_blanks(name: str, series: Series, report: Report) -> Series:
    """A column without the readings that were none.

    NaN between numbers, often, is a table's word for an empty cell; after the last number it is a training that left
    the numbers, and stays. -1 in a loss or a share that is never negative otherwise stands for `not measured`.
    """
    values = series.values
    nan = np.isnan(values)
    if nan.any():
        numbers = np.flatnonzero(~nan)
        if not len(numbers):
            return series
        inner = nan[: numbers[-1]]
        if inner.sum() > _OFTEN * len(inner):
            blank = nan & (np.arange(len(nan)) < numbers[-1])
            report.counts[f"empty cells of {name[:80]!r}, written as NaN"] += int(blank.sum())
            series = Series(series.steps[~blank], values[~blank])
            values = series.values
    if len(values) and values.min() == _NOT_MEASURED:
        meaning = meaning_of(name)
        hole = values == _NOT_MEASURED
        if meaning and meaning.measure in ("loss", "accuracy", "error", "") and (values[~hole] >= 0).all():
            report.counts[f"readings of {name[:80]!r} that are -1, which stands for not measured"] += int(hole.sum())
            series = Series(series.steps[~hole], values[~hole])
    return series


def is_share(name: str, values: Values, raw: Raw) -> bool:
    """Whether an error is the share of wrong answers; otherwise it is a loss."""
    says_so = set(words_of(name)) & {"rate", "pct", "percent", "top1", "classification"}
    return bool(says_so) or name in raw.percent or highest_of(values) <= _ROUNDED


def without_percent(names: Mapping[str, str], series: Mapping[str, Series], raw: Raw) -> dict[str, Values]:
    """By our name: the values of shares that are per cent or errors, as fractions that are right.

    Whether it is per cent is decided once per column. Accuracies of one log have one unit: where one of them is in
    per cent, one that stays below 1.5 is too, unless training would then never have got above 1 per cent.
    """
    turned = dict[str, Values]()
    shares = {ours: theirs for ours, theirs in names.items() if ours.split("/")[-1] in _SHARES and "/" in ours}
    highest = {ours: highest_of(series[theirs].values) for ours, theirs in shares.items()}
    marked = {ours: theirs for ours, theirs in shares.items() if (found := meaning_of(theirs)) and found.is_percent}
    plain = {ours: theirs for ours, theirs in shares.items() if theirs not in raw.percent}
    percent = {ours for ours in plain if _MOST_FRACTION < highest[ours] <= 100.0 + 1e-6}
    percent |= {ours for ours in plain if ours in marked and highest[ours] > _ROUNDED}
    accuracies = {ours for ours in plain if ours.endswith("/accuracy")}
    if percent & accuracies:
        for ours in accuracies - percent:
            if not (ours.startswith("train/") and highest[ours] <= _ROUNDED):
                percent.add(ours)
                raw.report.notes.append(f"{ours} stays below 1.5; it is per cent as the other accuracies are.")
    for ours in sorted(percent):
        turned[ours] = series[shares[ours]].values / 100
        raw.report.converted.append(f"{ours}: {shares[ours]!r} is in per cent; divided by 100.")
    for ours, theirs in shares.items():
        if theirs in raw.percent:
            raw.report.converted.append(f"{ours}: {theirs!r} has per cent signs; divided by 100.")
        values = turned.get(ours, series[theirs].values)
        meaning = meaning_of(theirs)
        if meaning and meaning.measure == "error" and highest_of(values) <= _ROUNDED:
            turned[ours] = 1.0 - values
            raw.report.converted.append(f"{ours}: {theirs!r} is an error; taken as 1 - error.")
        elif highest[ours] > 100.0 + 1e-6:
            raw.report.notes.append(f"{theirs!r} goes up to {highest[ours]:g}: neither a fraction nor per cent.")
    return turned


def without_exponential(names: Mapping[str, str], series: Mapping[str, Series], raw: Raw) -> dict[str, Values]:
    """By our name: the logarithms of what is a perplexity."""
    turned = dict[str, Values]()
    for ours, theirs in names.items():
        meaning = meaning_of(theirs)
        if meaning and meaning.measure == "perplexity" and ours.endswith("/loss"):
            values = series[theirs].values
            turned[ours] = np.log(np.where(values > 0, values, np.nan))
            raw.report.converted.append(f"{ours}: {theirs!r} is a perplexity; its logarithm is taken.")
    return turned


def highest_of(values: Values) -> float:
    """The largest number that is finite; 0 if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 0.0
