"""One line of a text log made plain: colours, progress bars, times and levels taken off."""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_DATE = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T _-]?\s?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:Z|\s?[+-]\d{2}:?\d{2})?"
_TIME = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:\s?[AP]M)?"
_DAY = (
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)?,?\s?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d{1,2}\s+"
    r"\d{2}:\d{2}:\d{2}(?:\s\d{4})?"
)
_RULES = str.maketrans("┃│║", "|||")  # of tables that are drawn
_LEVEL = r"(?:INFO|DEBUG|WARNING|WARN|ERROR|CRITICAL|NOTICE|TRACE)"
_LEVELLED = re.compile(
    rf"(?:\[?[\w.:-]{{1,60}}\]?\s*[-|:]?\s*)?\[?\b{_LEVEL}\b\]?\s*(?:\[[\w.]+:\d+\])?\s*(?:\([\w.]+\))?[\s:|-]*"
)
_LEVELS = ("INFO", "DEBUG", "WARN", "ERROR", "CRITICAL", "NOTICE", "TRACE")
_BEGINNINGS = {  # of days, months, and the names of a process
    *("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep"),
    *("Oct", "Nov", "Dec", "ran", "Ran", "gpu", "GPU", "pid", "pro"),
}
_PREFIXES = [
    re.compile(rf"[\[(]?(?:{_DATE}|{_DAY}|{_TIME})[\])]?[\s|,:-]*(?=\D|\d)"),
    re.compile(r"[IWEDF]\d{4} \d{2}:\d{2}:\d{2}\.\d+\s+\d+ [\w.]+:\d+\]\s*"),
    re.compile(rf"{_LEVEL}:[\w.]+:"),
    _LEVELLED,
    re.compile(r"\[?(?:rank|gpu|proc(?:ess)?|pid)[ =:]?\d+\]?[\s:|-]+", re.IGNORECASE),
    re.compile(r"\[[\w.]+\.py:\d+\]\s*|[\w.<>]+:[\w.<>]+:\d+\s+-\s+"),
]
_MOST_PREFIXES = 4


def segments(line: str) -> list[str]:
    """The states of a line that was written over: what stood between carriage returns, each by itself.

    Example:
        >>> segments("loss 3.0\\rloss 2.0\\x1b[0m")
        ['loss 3.0', 'loss 2.0']
    """
    if "\x1b" in line:
        line = _COLOUR.sub("", line)
    if not line.isascii():
        line = line.translate(_RULES)
    if "\x08" in line:
        line = re.sub("\x08+", "\r", line)
    return [part for part in line.split("\r") if part] if "\r" in line else [line]


def plain(line: str) -> str:
    """A line without the time, the level and the name of the logger before it.

    Example:
        >>> plain("2025-01-31 10:00:03,123 - train - INFO - epoch 3: loss 0.5")
        'epoch 3: loss 0.5'
        >>> plain("[01:02:03] epoch 3"), plain("INFO:root:epoch 3")
        ('epoch 3', 'epoch 3')
    """
    begin = line[:120]
    has_level = any(level in begin for level in _LEVELS)
    if line[:1].isalpha() and not has_level and line[:3] not in _BEGINNINGS and not line[1:5].isdigit():
        return line
    for _ in range(_MOST_PREFIXES):
        for prefix in _PREFIXES:
            if prefix is _LEVELLED and not has_level:
                continue
            if found := prefix.match(line):
                line = line[found.end() :]
                break
        else:
            return line
    return line
