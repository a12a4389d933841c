"""Files of nothing but numbers, whose name says what they are: one per line, a step before it, or a time as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .lines import head, text_of, whole
from .names import Axis
from .series import Series, is_whole

_MOST_COLUMNS = 3
_FEWEST = 2
_LONGEST_LINE = 1000


def read_numbers(path: Path) -> tuple[Axis, Series] | None:
    """`value`, `step value` or, as MLflow keeps it, `time value step` in each line; None if it is no such file."""
    first = text_of(head(path)[:_LONGEST_LINE]).lstrip("\ufeff").strip().partition("\n")[0]
    if not first or len(first) == _LONGEST_LINE or any(map(str.isalpha, first.replace("e", ""))):
        return None  # without reading all of what is something else
    lines = [line.replace(",", " ").split() for line in text_of(whole(path)).splitlines() if line.strip()]
    count = len(lines[0]) if lines else 0
    if len(lines) < _FEWEST or not 0 < count <= _MOST_COLUMNS or any(len(line) != count for line in lines):
        return None
    try:
        table = np.array(lines, np.float64)
    except ValueError:
        return None
    if count == 1:
        return "line", Series(np.arange(len(lines)), table[:, 0])
    steps, values = (table[:, 0], table[:, 1]) if count == 2 else (table[:, 2], table[:, 1])
    return ("step", Series(steps.astype(np.int64), values)) if is_whole(steps) else None
