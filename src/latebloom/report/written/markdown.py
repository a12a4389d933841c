"""Pieces of Markdown. Text from a run is somebody else's: it neither hides nor becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ..text import visible

ACTS = re.compile(r"([\\`*_\[\]<>|~&$#])")
BEGINS = re.compile(r"^([-+=]|\d+(?=[.)]))")  # what makes a list or a heading of a line that begins with it


def plain(text: object) -> str:
    r"""Text that shows as it is: letters that mean something to Markdown or HTML are escaped.

    Example:
        >>> plain("a_b <script>"), plain("- 0.5"), plain("1. x")
        ('a\\_b \\<script\\>', '\\- 0.5', '1\\. x')
    """
    shown = ACTS.sub(r"\\\1", visible(text))
    begin = BEGINS.match(shown)
    if begin is None:
        return shown
    end = begin.end()
    return f"{shown[:end]}\\{shown[end:]}" if shown[0].isdecimal() else f"\\{shown}"


def code(text: object) -> str:
    """Text as code, whatever it holds; a pipe would end the cell of a table, and is escaped as it is there."""
    shown = visible(text).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def minute(at: str) -> str:
    """A moment as runs store it, without its seconds; what is none stays as it is.

    Example:
        >>> minute("2026-11-22T13:19:47.370566Z"), minute("unknown")
        ('2026-11-22 13:19 UTC', 'unknown')
    """
    return f"{at[:10]} {at[11:16]} UTC" if re.fullmatch(r"[\d-]{10}T[\d:.]+Z", at) else at


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def listed(points: Iterable[str]) -> str:
    """A list with bullets."""
    return "\n".join(f"- {point}" for point in points)


def figure(file: str, shows: str) -> str:
    """A figure beside the report, and what it shows."""
    return f"![{plain(shows)}]({file})\n\n*{plain(shows)}*"


def document(title: str, sections: Mapping[str, Sequence[str]]) -> str:
    """The whole: each section a list of paragraphs, tables and figures; empty ones of these are left out.

    Raises:
        ValueError: A section would be empty.
    """
    told = [f"# {plain(title)}"]
    for name, blocks in sections.items():
        if not (full := [block for block in blocks if block]):
            raise ValueError(f"section {name} of the report has nothing to say")
        told += [f"## {name}", *full]
    return "\n\n".join(told) + "\n"
