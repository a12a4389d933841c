"""The figure of one run: accuracy and loss over log steps, phases shaded, events marked, the delay as an arrow.

matplotlib is imported when something is drawn, without pyplot: no global figure list, no display.
"""

from __future__ import annotations

from typing import Any

from ...analysis.story import Story
from ..text import visible
from .curves import MOST_PARTS, CurvesData, Series, curves_data
from .picture import FAINT, INK, Picture, rendered
from .steps import PHASE_TINTS, run_steps, shade

# Okabe & Ito (2008): told apart with any common colour blindness; line styles tell the same without colour.
TRAIN, VAL = ("#0072B2", (0, (5, 1.6))), ("#D55E00", "-")
BLIND = ((0, (1, 1)), (0, (4, 1, 1, 1)))
CROWD = (FAINT, "-")
PARTS = [
    (colour, style)
    for style in ("-.", (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5, 1, 1.5)))
    for colour in ("#009E73", "#CC79A7", "#56B4E9", "#E69F00")
]


def picture(story: Story) -> Picture:
    """The figure as SVG and PNG; the same story gives the same SVG."""
    return rendered(lambda: draw(curves_data(story)))


def draw(data: CurvesData) -> Any:
    """A matplotlib Figure of 7.2 x 5.6 inches."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(7.2, 5.6), facecolor="white")
    entries = dict.fromkeys([one.label for one in data.accuracy + data.loss] + [one.label for one in data.blind])
    columns = 5 if max(map(len, entries), default=0) <= 14 else 3
    rows = max(1, -(-len(entries) // columns))
    grid = figure.add_gridspec(2, 1, left=0.092, right=0.975, top=0.80, bottom=0.116 + 0.032 * rows, hspace=0.09)
    accuracy = figure.add_subplot(grid[0])
    loss = figure.add_subplot(grid[1], sharex=accuracy)
    _step_axis(accuracy, loss, data)
    for axes, panel in ((accuracy, data.accuracy), (loss, data.loss)):
        shade(axes, data.phases)
        for mark in data.marks:
            axes.axvline(mark.step, color=INK, lw=0.8, ls=(0, (2, 2)), zorder=1.5)
        _lines(axes, panel)
    # Explained variance has no lower end; what is worse than twice the variance is off the panel.
    floor = -1 if any((one.values < -0.04).any() for one in data.accuracy) else 0
    accuracy.set_ylim(floor - 0.04, 1.04)
    accuracy.set_yticks([floor + quarter * (1 - floor) / 4 for quarter in range(5)])
    accuracy.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    near = 1 if floor else None  # beside wider numbers
    accuracy.set_ylabel(data.score, labelpad=near)
    accuracy.tick_params(labelbottom=False)
    for level, dots in zip(data.blind, BLIND, strict=False):
        loss.axhline(level.value, color=INK, lw=0.9, ls=dots, label=level.label, zorder=2)
    if any((one.values > 0).any() for one in data.loss):
        loss.set_yscale("log")
        low, high = loss.get_ylim()
        if high < 1e3 * low:  # powers of ten alone would leave one or two ticks
            loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            loss.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        loss.yaxis.set_minor_formatter(NullFormatter())
    loss.set_ylabel("loss (log)", labelpad=near)
    figure.align_ylabels()
    _phase_strip(accuracy, data)
    _mark_labels(accuracy, data)
    _delay_arrow(accuracy, data)
    figure.text(0.092, 0.957, visible(data.title, 72), fontsize=12.5, weight="bold", parse_math=False)
    figure.text(0.092, 0.926, visible(data.subtitle, 110), fontsize=8.8, color=FAINT, parse_math=False)
    _legend(figure, (accuracy, loss), columns)
    return figure


def _step_axis(accuracy: Any, loss: Any, data: CurvesData) -> None:
    run_steps(loss, data.first_step, data.last_step)
    loss.set_xlabel(f"{data.axis}s (log; linear from 0 to {data.first_step:,})", parse_math=False)
    for axes in (accuracy, loss):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#FFFFFF", lw=0.9, zorder=0.5)


def _lines(axes: Any, panel: list[Series]) -> None:
    parts = iter(PARTS * (len(panel) // len(PARTS) + 1))
    crowded = sum(one.role == "part" for one in panel) > MOST_PARTS
    for one in panel:
        colour, style = {"train": TRAIN, "val": VAL}.get(one.role) or (CROWD if crowded else next(parts))
        alone = len(one.steps) == 1  # a line through one point cannot be seen
        width = 1.9 if len(one.steps) <= 250 or one.role == "val" else 1.4
        axes.plot(
            one.steps,
            one.values,
            color=colour,
            ls=style,
            lw=(0.5 if crowded else 1.1) if one.role == "part" else width,
            clip_on=not alone,
            marker="o" if alone else "",
            label=visible(one.label, 30),
            zorder=2.6 if one.role == "train" else 2.4 if one.role == "val" else 2.2,
        )


def _phase_strip(axes: Any, data: CurvesData) -> None:
    """The names of the phases, on a strip above the panel, where they fit."""
    for span in data.phases:
        left, right = (_place(axes, step) for step in (span.from_step, span.to_step))
        axes.axvspan(span.from_step, span.to_step, 1.02, 1.085, color=PHASE_TINTS[span.phase], lw=0, clip_on=False)
        if right - left > 0.0097 * len(span.phase):
            axes.text(
                (left + right) / 2, 1.051, span.phase, transform=axes.transAxes, ha="center", va="center", fontsize=7.6
            )


def _mark_labels(axes: Any, data: CurvesData) -> None:
    """The names of the events, above the strip; on a second row where they would touch."""
    ends = [-1.0, -1.0]
    for mark in sorted(data.marks):
        place = _place(axes, mark.step)
        half = 0.0068 * len(mark.label) + 0.008
        middle = min(max(place, half), 1 - half)
        row = 0 if middle - half > ends[0] else 1
        ends[row] = middle + half
        height = 1.115 + 0.078 * row
        axes.plot([place, place], [1.0, height - 0.006], transform=axes.transAxes, color=INK, lw=0.8, clip_on=False)
        axes.text(
            middle,
            height,
            visible(mark.label, 24),
            transform=axes.transAxes,
            ha="center",
            va="bottom",
            fontsize=8.2,
            weight="bold",
            parse_math=False,
        )


def _delay_arrow(axes: Any, data: CurvesData) -> None:
    if data.delay is None:
        return
    memorized, generalized = data.delay
    arrow = {"arrowstyle": "<|-|>,head_width=0.22,head_length=0.5", "color": INK, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=(memorized, 0.5), xytext=(generalized, 0.5), arrowprops=arrow, zorder=3)
    middle = (_place(axes, memorized) + _place(axes, generalized)) / 2
    text = f"grokking delay {generalized - memorized:,} steps"
    half = 0.0062 * len(text)
    axes.text(
        min(max(middle, half), 1 - half),
        0.535,
        text,
        transform=axes.transAxes,
        ha="center",
        va="bottom",
        fontsize=8.4,
        bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 1.5},
        zorder=3.2,
    )


def _legend(figure: Any, panels: tuple[Any, Any], columns: int) -> None:
    entries: dict[str, Any] = {}  # a label of both panels once
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if not entries:
        figure.text(0.5, 0.5, "no accuracy or loss was recorded", ha="center", color=FAINT)
        return
    legend = figure.legend(
        list(entries.values()),
        list(entries),
        loc="lower left",
        bbox_to_anchor=(0.08, 0.0),
        ncols=columns,
        columnspacing=1.4,
        frameon=False,
        fontsize=8.4,
        handlelength=2.8,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _place(axes: Any, step: int) -> float:
    """Where a step lies on the axis, 0 (left) to 1 (right)."""
    return float(axes.transAxes.inverted().transform(axes.transData.transform((step, 0.5)))[0])
