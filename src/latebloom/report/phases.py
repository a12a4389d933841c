"""A phase diagram in text and on disk."""

from __future__ import annotations

import json
from pathlib import Path

from ..analysis.phases import PhaseDiagram
from ..store import durable
from .figures.phases import cell_text, phases_picture
from .text import visible

LEGEND = (
    "C comprehension, G grokking, M memorization, X confusion, at 90 % (Liu et al. 2022, arXiv:2205.10343); runs that "
    "generalized, at the level of the run's own detector, of all; median step, >n: less than half of the runs had by "
    "step n; *: some runs are not finished"
)


def phases_text(diagram: PhaseDiagram) -> str:
    """The table, large y on top, as the figure has it."""
    told = {(cell.x, cell.y): " ".join(cell_text(cell).split()) for cell in diagram.cells}
    rows = [["", *(str(x) for x in diagram.xs)]]
    rows += [[str(y), *(told.get((x, y), "") for x in diagram.xs)] for y in reversed(diagram.ys)]
    rows = [[visible(cell, 24) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"{visible(diagram.y_key)} down, {visible(diagram.x_key)} across", *table, LEGEND])


def write_phases(diagram: PhaseDiagram, folder: Path) -> list[Path]:
    """Write the numbers and the figure, each replaced whole; returns the paths.

    Raises:
        StoreError: It cannot be written.
    """
    durable.make_folder(folder)
    numbers = json.dumps({"schema": 1, **diagram.to_json()}, indent=1, allow_nan=False).encode() + b"\n"
    picture = phases_picture(diagram)
    files = {"phases.json": numbers, "phases.png": picture.png, "phases.svg": picture.svg}
    for name, data in files.items():
        durable.replace(folder / name, data)
    return [folder / name for name in files]
