"""When each run got there, arm by arm beside the baseline: runs with the same start on one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...analysis.arm import observe
from ...analysis.compare import Comparison
from ...analysis.contrast import Contrast, pairs_of
from ...analysis.outcome import Outcome
from .panels import BASELINE, MOST_PANELS, Steps, first_step, look, panels, shortened
from .picture import INK

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
    name: str  # as it is shown
    detail: str  # how many times sooner or later
    is_paired: bool
    of_arm: tuple[Dot, ...]  # paired: the k-th began as the k-th of the baseline did
    of_baseline: tuple[Dot, ...]
    rows: tuple[tuple[float, str], ...]  # heights and their labels: seeds if paired, else the two arms


class PairsData(NamedTuple):
    """A panel for each contrast, and the axis."""

    event: str
    baseline: str  # as it is shown
    axis: Steps
    panels: tuple[PairPanel, ...]


def pairs_data(comparison: Comparison, outcomes: Sequence[Outcome], names: Mapping[str, str]) -> PairsData:
    """Numbers of the figure; arguments as for `survival_data`."""
    runs = {arm.arm: [one for one in outcomes if one.arm == arm.arm] for arm in comparison.arms}
    horizon = comparison.horizon_steps
    shown = [_panel(one, runs, horizon, names) for one in comparison.contrasts[:MOST_PANELS]]
    steps = [dot.step for panel in shown for dot in (*panel.of_arm, *panel.of_baseline)]
    return PairsData(
        event=comparison.event.replace("/", " on "),
        baseline=names[comparison.baseline],
        axis=Steps(first_step(steps), horizon),
        panels=tuple(shown),
    )


def draw_pairs(data: PairsData) -> Any:
    """A matplotlib Figure."""
    from matplotlib.lines import Line2D

    dots = [dot for panel in data.panels for dot in (*panel.of_arm, *panel.of_baseline)]
    kinds = [
        (shortened(data.baseline, 30), BASELINE[0], "s", BASELINE[0], True),
        ("the arm", INK, "o", INK, True),
        ("open: watched until there without it", INK, "o", "white", any(_is_open(dot) for dot in dots)),
        ("diverged or collapsed", INK, "x", INK, any(dot.diverged for dot in dots)),
    ]
    figure, drawn = panels(
        [(panel.name, panel.detail) for panel in data.panels],
        data.axis,
        [
            Line2D([], [], ls="", ms=5, marker=marker, color=colour, mfc=inner, label=label)
            for label, colour, marker, inner, is_there in kinds
            if is_there
        ],
        title=f"When each run had {data.event}",
        subtitle="a line joins two runs that began with the same split and weights; in brackets: 95 % interval"
        if any(panel.is_paired for panel in data.panels)
        else "in brackets: 95 % interval",
        share_y=all(panel.rows == data.panels[0].rows for panel in data.panels),
    )
    for place, (axes, panel) in enumerate(zip(drawn, data.panels, strict=True), 1):
        colour = look(place)[0]
        if panel.is_paired:
            for one, twin in zip(panel.of_arm, panel.of_baseline, strict=True):
                axes.plot([one.step, twin.step], [one.height, twin.height], color="#B4BAC2", lw=1.1, zorder=1.5)
        for dot in panel.of_baseline:
            _draw_dot(axes, dot, BASELINE[0], "s")
        for dot in panel.of_arm:
            _draw_dot(axes, dot, colour, "o")
        axes.set_yticks([height for height, _ in panel.rows], [label for _, label in panel.rows])
        heights = [dot.height for dot in (*panel.of_arm, *panel.of_baseline)]
        axes.set_ylim(max(heights) + 0.6, min(heights) - 0.6)  # the first on top
    return figure


def _panel(one: Contrast, runs: Mapping[str, Sequence[Outcome]], horizon: int, names: Mapping[str, str]) -> PairPanel:
    ours, theirs = runs[one.arm], runs[one.baseline]
    if one.is_paired:
        pairs = sorted(pairs_of(ours, theirs), key=lambda pair: pair[0].seed)
        rows = tuple((float(row), f"seed {mine.seed}") for row, (mine, _) in enumerate(pairs))
        dots = [tuple(_dot(pair[side], horizon, row) for row, pair in enumerate(pairs)) for side in (0, 1)]
        every = -(-len(rows) // MOST_NAMED)
        return PairPanel(one.arm, names[one.arm], _detail(one), True, dots[0], dots[1], rows[::every])
    return PairPanel(
        arm=one.arm,
        name=names[one.arm],
        detail=_detail(one),
        is_paired=False,
        of_arm=_strip(ours, horizon, 1),
        of_baseline=_strip(theirs, horizon, 0),
        rows=((0.0, "baseline"), (1.0, "arm")),
    )


def _detail(one: Contrast) -> str:
    if one.ratio is None or one.low is None or one.high is None:
        return one.conclusion
    if one.ratio >= 1:
        return f"{one.ratio:.3g} times as soon [{one.low:.3g}, {one.high:.3g}]"
    return f"{1 / one.ratio:.3g} times as long [{1 / one.high:.3g}, {1 / one.low:.3g}]"


def _strip(outcomes: Sequence[Outcome], horizon: int, row: int) -> tuple[Dot, ...]:
    """Spread over the height of a row, so that equal times do not cover each other."""
    ordered = sorted(outcomes, key=lambda one: (one.seed, one.run))
    return tuple(
        _dot(one, horizon, row + 0.5 * ((place + 0.5) / len(ordered) - 0.5)) for place, one in enumerate(ordered)
    )


def _dot(one: Outcome, horizon: int, height: float) -> Dot:
    step, happened = observe(one, one.happened, horizon)
    return Dot(one.run, one.seed, step, happened, not happened and one.status == "diverged", float(height))


def _is_open(dot: Dot) -> bool:
    return not dot.happened and not dot.diverged


def _draw_dot(axes: Any, dot: Dot, colour: str, marker: str) -> None:
    if dot.diverged:
        axes.plot(dot.step, dot.height, "x", color=colour, ms=5, mew=1.5, zorder=3)
        return
    axes.plot(
        dot.step, dot.height, marker, color=colour, ms=4.8, mew=1.2, mfc=colour if dot.happened else "white", zorder=3
    )
    if _is_open(dot):
        axes.annotate(
            "", xy=(dot.step, dot.height), xytext=(13, 0), textcoords="offset points", annotation_clip=False,
            arrowprops={"arrowstyle": "<-", "color": colour, "lw": 1.1, "shrinkA": 0, "shrinkB": 2.6},
        )  # fmt: skip
