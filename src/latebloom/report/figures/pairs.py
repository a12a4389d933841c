"""When each run got there, arm by arm beside the baseline: runs with the same start on one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...analysis.arm import observe
from ...analysis.compare import Comparison
from ...analysis.contrast import Contrast, pairs_of
from ...analysis.outcome import Outcome
from ..text import visible
from .draw import INK
from .panels import BASELINE, MOST_PANELS, Steps, first_step, legend, looks, panels

MOST_NAMED = 12  # rows of a panel that can be labelled with their seeds


class Dot(NamedTuple):
    """One run."""

    run: str
    seed: int
    step: int  # when it happened, or how far the run was watched without it
    happened: bool
    diverged: bool  # and so never will
    height: float  # where it is drawn


class PairPanel(NamedTuple):
    """One arm beside the baseline."""

    arm: str
    label: str  # with the ratio
    is_paired: bool
    of_arm: tuple[Dot, ...]  # paired: the k-th began as the k-th of the baseline did
    of_baseline: tuple[Dot, ...]
    rows: tuple[tuple[float, str], ...]  # heights and their labels: seeds if paired, else the two arms


class PairsData(NamedTuple):
    """A panel for each contrast, and the axis."""

    event: str
    axis: Steps
    panels: tuple[PairPanel, ...]


def pairs_data(comparison: Comparison, outcomes: Sequence[Outcome], names: Mapping[str, str]) -> PairsData:
    """Numbers of the figure; arguments as for `survival_data`."""
    runs = {arm.arm: [one for one in outcomes if one.arm == arm.arm] for arm in comparison.arms}
    horizon = comparison.horizon_steps
    shown = [_panel(one, runs, horizon, names) for one in comparison.contrasts[:MOST_PANELS]]
    steps = [dot.step for panel in shown for dot in (*panel.of_arm, *panel.of_baseline)]
    return PairsData(comparison.event, Steps(first_step(steps), horizon), tuple(shown))


def draw_pairs(data: PairsData, arms: Sequence[str], baseline: str) -> Any:
    """A matplotlib Figure."""
    from matplotlib.lines import Line2D

    look = looks(arms, baseline)
    figure, drawn = panels(
        [panel.label for panel in data.panels],
        data.axis,
        title=f"When each run had {data.event}",
        subtitle="a line joins two runs that began with the same split and weights; in brackets: 95 % interval"
        if any(panel.is_paired for panel in data.panels)
        else "in brackets: 95 % interval",
        share_y=all(panel.rows == data.panels[0].rows for panel in data.panels),
    )
    for axes, panel in zip(drawn, data.panels, strict=True):
        colour = look[panel.arm][0]
        if panel.is_paired:
            for one, twin in zip(panel.of_arm, panel.of_baseline, strict=True):
                axes.plot([one.step, twin.step], [one.height, twin.height], color="#B4BAC2", lw=1.1, zorder=1.5)
        for dot in panel.of_baseline:
            _draw_dot(axes, dot, BASELINE[0], "s")
        for dot in panel.of_arm:
            _draw_dot(axes, dot, colour, "o")
        axes.set_yticks([height for height, _ in panel.rows], [label for _, label in panel.rows])
        axes.set_ylim(min(h for h, _ in panel.rows) - 0.7, max(h for h, _ in panel.rows) + 0.7)
        axes.invert_yaxis()
    if all(panel.is_paired for panel in data.panels):
        drawn[0].set_ylabel("seed")
    shape = {"ls": "", "ms": 5}
    legend(
        figure,
        [
            Line2D([], [], marker="s", color=BASELINE[0], label=visible(baseline, 30), **shape),
            Line2D([], [], marker="o", color=INK, label="the arm above each panel", **shape),
            Line2D([], [], marker="$\u2192$", color=INK, label="not by then", **shape),
            Line2D([], [], marker="x", color=INK, label="diverged", **shape),
        ],
    )
    return figure


def _panel(one: Contrast, runs: Mapping[str, Sequence[Outcome]], horizon: int, names: Mapping[str, str]) -> PairPanel:
    ours, theirs = runs[one.arm], runs[one.baseline]
    label = names[one.arm]
    if one.ratio is not None and one.low is not None and one.high is not None:
        label += f": {one.ratio:.3g} times as soon [{one.low:.3g}, {one.high:.3g}]"
    if one.is_paired:
        pairs = sorted(pairs_of(ours, theirs), key=lambda pair: pair[0].seed)
        rows = tuple((float(row), str(mine.seed)) for row, (mine, _) in enumerate(pairs))
        dots = [tuple(_dot(pair[side], horizon, row) for row, pair in enumerate(pairs)) for side in (0, 1)]
        every = -(-len(rows) // MOST_NAMED)
        return PairPanel(one.arm, label, True, dots[0], dots[1], rows[::every])
    return PairPanel(
        one.arm, label, False, _strip(ours, horizon, 1), _strip(theirs, horizon, 0), ((0.0, "base"), (1.0, "arm"))
    )


def _strip(outcomes: Sequence[Outcome], horizon: int, row: int) -> tuple[Dot, ...]:
    """Spread over the height of a row, so that equal times do not cover each other."""
    ordered = sorted(outcomes, key=lambda one: (one.seed, one.run))
    return tuple(
        _dot(one, horizon, row + 0.5 * ((place + 0.5) / len(ordered) - 0.5)) for place, one in enumerate(ordered)
    )


def _dot(one: Outcome, horizon: int, height: float) -> Dot:
    step, happened = observe(one, one.happened, horizon)
    return Dot(one.run, one.seed, step, happened, not happened and one.status == "diverged", float(height))


def _draw_dot(axes: Any, dot: Dot, colour: str, marker: str) -> None:
    if dot.diverged:
        axes.plot(dot.step, dot.height, "x", color=colour, ms=5, mew=1.5, zorder=3)
        return
    axes.plot(
        dot.step, dot.height, marker, color=colour, ms=4.8, mew=1.2, mfc=colour if dot.happened else "white", zorder=3
    )
    if not dot.happened:
        axes.annotate(
            "", xy=(dot.step, dot.height), xytext=(13, 0), textcoords="offset points", annotation_clip=False,
            arrowprops={"arrowstyle": "<-", "color": colour, "lw": 1.1, "shrinkA": 0, "shrinkB": 2.6},
        )  # fmt: skip
