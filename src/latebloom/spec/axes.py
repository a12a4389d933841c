"""The grammar of a sweep: several values in one text, e.g. `seed=0..9 optimizer.weight_decay=log(0.01,1,5)`."""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import yaml

from ..base.component import did_you_mean
from ..base.errors import SpecError
from . import grid
from .grid import Number
from .recipe import read_value

Axis = dict[str, list[Any]]
"""Dotted keys that move together, usually one, each with equally many values."""

MAX_VALUES = 10_000  # of one key

_EXAMPLE = "expected key=values, e.g. seed=0..9"
_AS_TEXT = "quotes make it text"
_GRIDS = {"lin": grid.lin, "log": grid.log}
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""", re.DOTALL)
_CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)", re.DOTALL)
_ZIP = re.compile(r"\s*zip\((.*)\)\s*", re.DOTALL)
_DIGITS = re.compile(r"\s*[-+]?[0-9][0-9_:]*\s*")  # a whole number, or what somebody takes for one
_WORD = re.compile(r"[A-Za-z][\w-]*(\.[\w-]+)*", re.ASCII)
_CLOSES = {")": "(", "]": "[", "}": "{"}


def parse_axes(assignments: Sequence[str]) -> list[Axis]:
    """`key=values` and `zip(key=values; key=values)`, in their order. A key with one value is an axis of length one.

    Raises:
        SpecError: No assignment, no value, a key with two different texts, or zipped keys of unequal lengths; all of
            it at once.
    """
    axes: list[Axis] = []
    texts: dict[str, str] = {}
    problems: list[str] = []
    for assignment in assignments:
        together = _ZIP.fullmatch(assignment)
        axis: Axis = {}
        try:
            parts = _split(together[1], ";") if together else [assignment]
        except SpecError as error:
            problems += error.problems
            continue
        if together and len(parts) == 1:
            problems.append(f"{_shown(assignment)} has one key; expected several, as in zip(a=1,2; b=3,4)")
        for part in parts:
            key, equals, text = part.partition("=")
            key = key.strip()
            if not equals or not all(key.split(".")) or "(" in key:
                problems.append(f"{_shown(part.strip())} is no setting; {_EXAMPLE}")
            elif key in texts and (together or texts[key] != text):
                problems.append(
                    f"{key} is given twice, as {_shown(texts[key])} and as {_shown(text)}; keep one of them"
                )
            elif key not in texts:
                texts[key] = text
                try:
                    axis[key] = parse_values(text)
                except SpecError as error:
                    problems += [f"{key}: {problem}" for problem in error.problems]
        problems += wrong(axis) if axis else []
        axes += [axis] if axis else []
    if problems:
        raise SpecError(problems)
    return axes


def parse_values(text: str) -> list[Any]:
    """All values that a text stands for; most texts stand for one.

    `a,b` are two values, each as in YAML; `lo..hi` whole numbers, both included; `lin(lo,hi,n)` and `log(lo,hi,n)`
    n numbers from lo to hi, rounded as `grid` says. What is in quotes or brackets is not expanded.

    Raises:
        SpecError: With every problem of the text.

    Example:
        >>> parse_values("0..2, 7"), parse_values("log(0.01, 1, 5)"), parse_values("[1, 2]")
        ([0, 1, 2, 7], [0.01, 0.03162, 0.1, 0.3162, 1], [[1, 2]])
    """
    values: list[Any] = []
    problems: list[str] = []
    for piece in _split(text, ",")[: MAX_VALUES + 1]:
        try:
            if not piece.strip():
                raise SpecError(f"{_shown(text)} lacks a value; nothing is written null, an empty text ''")
            values += _expanded(piece.strip())
        except SpecError as error:
            problems += error.problems
        if len(values) > MAX_VALUES:
            raise SpecError(f"{_shown(text)} has more values than {MAX_VALUES:,}, the most there can be")
    if problems:
        raise SpecError([*dict.fromkeys(problems)])
    return values


def write_values(values: Sequence[Any]) -> str:
    """A text that `parse_values` reads as these values; three and more whole numbers in a row become a range."""
    written: list[str] = []
    for offset, run in groupby(enumerate(values), lambda one: one[1] - one[0] if type(one[1]) is int else None):
        together = [value for _, value in run]
        if offset is not None and len(together) >= 3:
            written.append(f"{together[0]}..{together[-1]}")
        else:
            written += [write_yaml([value], flow=True).strip()[1:-1] for value in together]
    return ", ".join(written)


def write_yaml(value: Any, *, flow: bool = False) -> str:
    """YAML in which only plain words go without quotes, so that no text is taken for a number, a range or a grid."""
    return yaml.dump(
        value, Dumper=_Quoting, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=math.inf
    )


def wrong(axis: Mapping[str, Sequence[Any]]) -> list[str]:
    """What keeps these values from being an axis: none, too many, unequally many, the same twice."""
    keys, counts = ", ".join(axis), {key: len(values) for key, values in axis.items()}
    if len({*counts.values()}) > 1:
        told = ", ".join(f"{key} has {count:,}" for key, count in counts.items())
        return [f"keys that move together need equally many values; {told}"]
    if not any(counts.values()):
        return [f"{keys or 'an axis'} has no values"]
    if max(counts.values()) > MAX_VALUES:
        return [f"{keys} has {max(counts.values()):,} values; expected at most {MAX_VALUES:,}"]
    rows = Counter(json.dumps(row, sort_keys=True) for row in zip(*axis.values(), strict=True))
    return [f"{keys} = {row[1:-1]} is given twice" for row, count in rows.items() if count > 1]


def _split(text: str, separator: str) -> list[str]:
    """Cut at separators outside quotes and brackets. As in YAML, a quote opens only where a value begins."""
    pieces: list[str] = []
    brackets: list[str] = []
    start, position, inside = 0, 0, False  # inside a word, where a quote is a letter like any other
    while position < len(text):
        letter, end = text[position], position + 1
        at_end = not text[end : end + 1].strip()
        if letter in "'\"" and not inside:
            quoted = _QUOTED.match(text, position)
            if quoted is None:
                raise SpecError(f"{_shown(text)} opens a {letter} and never closes it")
            end = quoted.end()
        elif letter in "([{":
            brackets.append(letter)
            inside = False
        elif letter in ")]}":
            if not brackets or brackets.pop() != _CLOSES[letter]:
                raise SpecError(f"{_shown(text)} has a {letter} that closes nothing; {_AS_TEXT}")
            inside = False
        elif letter == separator and not brackets:
            pieces.append(text[start:position])
            start, inside = end, False
        elif (  # what ends a word, or stands before one
            (letter == "," and brackets)
            or (letter == ":" and (at_end or (brackets and not inside)))
            or (letter in "?-" and at_end and not inside)
            or (letter == "=" and separator == ";")
        ):
            inside = False
        elif not letter.isspace():
            inside = True
        position = end
    if brackets:
        raise SpecError(f"{_shown(text)} opens a {brackets[-1]} and never closes it; {_AS_TEXT}")
    return [*pieces, text[start:]]


def _expanded(piece: str) -> list[Any]:
    if call := _CALL.fullmatch(piece):
        return _grid(piece, call[1], call[2])
    if ".." in piece:
        ends = piece.split("..", 1)
        low, high = map(_number, ends)
        if low is not None or high is not None or all(map(_DIGITS.fullmatch, ends)):
            return _range(piece, low, high)
    return [_read(piece)]


def _range(piece: str, low: Number | None, high: Number | None) -> list[Any]:
    if low is None or high is None:
        step = "a range has no step, write 0,2,4 or lin(0,8,5)" if ":" in piece else _AS_TEXT
        raise SpecError(f"{_shown(piece)} is no range; expected whole numbers as in 0..9; {step}")
    if isinstance(low, float) or isinstance(high, float):
        raise SpecError(f"{_shown(piece)} is no range of whole numbers; five numbers in steps are lin({low},{high},5)")
    if high < low:
        raise SpecError(f"{_shown(piece)} runs downwards; write {high}..{low}")
    if high - low >= MAX_VALUES:
        raise SpecError(f"{_shown(piece)} has {high - low + 1:,} values; expected at most {MAX_VALUES:,}")
    return list(range(low, high + 1))


def _grid(piece: str, name: str, arguments: str) -> list[Any]:
    if name not in _GRIDS:
        raise SpecError(f"{_shown(piece)} is no known grid.{did_you_mean(name, _GRIDS)} Otherwise {_AS_TEXT}.")
    low, high, count, *more = [*map(_number, _split(arguments, ",")), None, None, None]
    if low is None or high is None or not isinstance(count, int) or len(more) != 3:
        raise SpecError(
            f"{_shown(piece)}; expected {name}(lo,hi,n) with two numbers and how many from one to the other"
        )
    if count > MAX_VALUES:
        raise SpecError(f"{_shown(piece)} has {count:,} values; expected at most {MAX_VALUES:,}")
    try:
        return list(_GRIDS[name](low, high, count))
    except SpecError as error:
        raise SpecError(f"{_shown(piece)}: {error}") from None


def _number(text: str) -> Number | None:
    """The finite number that a text says, None for any other text."""
    try:
        value = _read(text.strip())
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except (SpecError, OverflowError):  # no YAML; a whole number beyond every float
        return None
    return value if is_number else None


def _read(text: str) -> Any:
    try:
        return read_value(text)
    except SpecError as error:
        raise SpecError(f"{_shown(text)} is no YAML value: {error}") from None


def _shown(text: str) -> str:
    short = reprlib.Repr()
    short.maxstring = 60
    return short.repr(text)


class _Quoting(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _WORD.fullmatch(text) and _read(text) == text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Quoting.add_representer(str, _text)
