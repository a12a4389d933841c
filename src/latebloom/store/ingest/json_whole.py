"""A whole JSON file: parsed, and if it was cut off, the part of it that is intact."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from ...base.errors import DataError
from .lines import text_of, whole
from .log import Report

_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_CLOSING = {"[": "]", "{": "}"}
_MOST_OPEN = 1000
_LONGEST_LITERAL = 1 << 24  # characters


def read_json(path: Path, report: Report) -> list[Any]:
    """The values in a file: one, or several one after the other.

    Raises:
        DataError: It is no JSON, or nested too deeply.
    """
    text = text_of(whole(path)).strip().lstrip("\ufeff")
    if text.startswith(("var ", "const ", "let ")) and "=" in text:
        text = text.split("=", 1)[1].strip().rstrip(";")
    try:
        return [json.loads(text)]
    except RecursionError:
        raise DataError(f"{path} is nested too deeply to be a log.") from None
    except ValueError as error:
        first = error
    values, at, decoder = list[Any](), 0, json.JSONDecoder()
    try:
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            values.append(value)
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,")) if text[at : at + 1] in " \t\r\n," else 0
    except RecursionError:
        raise DataError(f"{path} is nested too deeply to be a log.") from None
    except ValueError:
        part = _intact(text[at:])
        if part is not None:
            values.append(part)
            report.dropped.append("the end of the file, which was cut off in the middle of a value")
        elif values:
            report.dropped.append(f"{len(text) - at:,} characters at the end that are no JSON")
    if not values and (literal := _literal(text)) is not None:
        return [literal]
    if not values:
        raise DataError(f"{path} is no JSON: {first}. If it is a text log, say so: --format text.")
    return values


def _literal(text: str) -> Any:
    """What `print(history)` wrote in Python: data, of which nothing is run. None if it is none."""
    if len(text) > _LONGEST_LITERAL:
        return None
    text = re.sub(r"\b(?:array|tensor|np\.float\d+)\((?=[\[\d.-])|(?<=[\d\]])\)|, (?:dtype|device)=[^,)]*", "", text)
    try:
        return ast.literal_eval(re.sub(r"\bnan\b", "None", text))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _intact(text: str) -> Any:
    """What can be parsed of a text that was cut off: it ends at its last comma, and whatever is open is closed."""
    open_ones, cut, closing = list[str](), -1, ""
    for sign in _SIGNS.finditer(text):
        kind = sign[0]
        if kind in _CLOSING:
            open_ones.append(kind)
            if len(open_ones) > _MOST_OPEN:
                return None
        elif kind in "]}":
            if not open_ones:
                return None
            open_ones.pop()
        elif kind == ",":
            cut, closing = sign.start(), "".join(_CLOSING[one] for one in reversed(open_ones))
    if cut < 0 or not closing:
        return None
    try:
        return json.loads(text[:cut] + closing)
    except (ValueError, RecursionError):
        return None
