"""The picture of a phase diagram: phase and time of every cell, and the delay, with what was not seen marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...analysis.phases import Cell, PhaseDiagram
from ..text import visible
from .picture import FAINT, INK, Picture, rendered

COLOURS = {  # light enough for black text; told apart with any common colour blindness by their lightness, too
    "comprehension": "#A6D8BF",
    "grokking": "#F6B98A",
    "memorization": "#A9C8E6",
    "confusion": "#D9D9D9",
}
LETTERS = {"comprehension": "C", "grokking": "G", "memorization": "M", "confusion": "X"}


def phases_picture(diagram: PhaseDiagram) -> Picture:
    """As SVG and PNG; the same diagram gives the same SVG."""
    return rendered(lambda: draw(diagram))


def cell_text(cell: Cell) -> str:
    """What stands in a cell: phase, runs that generalized, median step of generalization."""
    if not cell.n or cell.phase is None:
        return "–"
    median = cell.generalized_steps
    time = f">{cell.horizon_steps:,}" if median is None else f"{median:,.0f}"
    incomplete = "*" if cell.missing or cell.unfinished else ""
    return f"{LETTERS[cell.phase]}  {cell.generalized}/{cell.n}{incomplete}\n{time}"


def draw(diagram: PhaseDiagram) -> Any:
    """A matplotlib Figure with the phases on the left and the delays on the right."""
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    wide, high = len(diagram.xs), len(diagram.ys)
    figure = Figure(
        figsize=(2 * (0.85 + 0.72 * wide) + 0.6, 1.6 + 0.52 * high), facecolor="white", layout="constrained"
    )
    left, right = figure.subplots(1, 2, sharey=True)
    delays = [delay for cell in diagram.cells if (delay := cell.delay_steps or 0) > 0]  # a log has no others
    shortest = min(delays, default=1.0)
    norm = LogNorm(shortest, max([1.01 * shortest, *delays]))
    colours = _colormap()
    for cell in diagram.cells:
        place = diagram.xs.index(cell.x) - 0.5, diagram.ys.index(cell.y) - 0.5
        middle = place[0] + 0.5, place[1] + 0.5
        left.add_patch(Rectangle(place, 1, 1, facecolor=COLOURS.get(cell.phase or "", "white"), edgecolor="white"))
        left.text(*middle, cell_text(cell), ha="center", va="center", fontsize=7.2, linespacing=1.35)
        if cell.delay_steps is None:
            right.add_patch(Rectangle(place, 1, 1, facecolor="#F2F2F2", edgecolor="#B8BDC4", hatch="////", lw=0.4))
            continue
        shade = colours(norm(max(cell.delay_steps, shortest)))
        right.add_patch(Rectangle(place, 1, 1, facecolor=shade, edgecolor="white"))
        is_dark = sum(shade[:3]) < 1.5
        right.text(
            *middle, f"{cell.delay_steps:,.0f}", ha="center", va="center", fontsize=7.2, color="w" if is_dark else INK
        )
    for axes, title in (
        (left, "phase, runs that generalized, median step"),
        (right, "median delay after memorizing, steps"),
    ):
        axes.set_xlim(-0.5, wide - 0.5)
        axes.set_ylim(-0.5, high - 0.5)
        axes.set_xticks(range(wide), _ticks(diagram.xs), parse_math=False)
        axes.set_yticks(range(high), _ticks(diagram.ys), parse_math=False)
        axes.set_xlabel(visible(diagram.x_key, 60), parse_math=False)
        axes.set_title(title, fontsize=8.8, color=FAINT, loc="left")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    left.set_ylabel(visible(diagram.y_key, 60), parse_math=False)
    found = [phase for phase in COLOURS if any(cell.phase == phase for cell in diagram.cells)]
    handles = [Patch(facecolor=COLOURS[phase], label=f"{LETTERS[phase]}  {phase}") for phase in found]
    handles.append(
        Patch(facecolor="#F2F2F2", edgecolor="#B8BDC4", hatch="////", label="delay not seen for half of the runs")
    )
    figure.legend(handles=handles, loc="outside lower left", ncols=5, frameon=False, fontsize=7.8)
    return figure


def _colormap() -> Any:
    from matplotlib import colormaps

    return colormaps["cividis_r"]  # made for colour blindness


def _ticks(values: Sequence[Any]) -> list[str]:
    return [
        f"{value:g}" if isinstance(value, float) and math.isfinite(value) else visible(value, 14) for value in values
    ]
