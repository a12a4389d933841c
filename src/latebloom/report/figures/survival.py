"""How the arms get there: the share of runs that are not there yet, over log steps, with its 95 % band."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...analysis.arm import ArmSummary, observe
from ...analysis.compare import Comparison
from ...analysis.outcome import Outcome
from .panels import MOST_PANELS, Steps, first_step, look, panels, shortened
from .picture import INK

TOGETHER = 3  # arms whose bands can be told apart in one panel


class Left(NamedTuple):
    """Runs whose observation ended without the event."""

    step: int
    share: float  # height of the curve there
    runs: int


class SurvivalLine(NamedTuple):
    """One arm: a step function and its band, each as the corners of its outline."""

    arm: str
    name: str  # as it is shown
    detail: str  # of how many runs it is
    steps: tuple[float, ...]
    shares: tuple[float, ...]
    band_steps: tuple[float, ...]  # where a band is defined; empty if nowhere
    band_low: tuple[float, ...]
    band_high: tuple[float, ...]
    left: tuple[Left, ...]


class SurvivalData(NamedTuple):
    """All arms, which of them share a panel, and the axis."""

    event: str
    axis: Steps
    lines: tuple[SurvivalLine, ...]  # the baseline first
    panels: tuple[tuple[int, ...], ...]  # places of lines: all in one panel, or each with the baseline


def survival_data(comparison: Comparison, outcomes: Sequence[Outcome], names: Mapping[str, str]) -> SurvivalData:
    """Numbers of the figure.

    Args:
        comparison: The comparison.
        outcomes: Its runs.
        names: What arms are shown as.
    """
    horizon = comparison.horizon_steps
    axis = Steps(first_step([observe(one, one.happened, horizon)[0] for one in outcomes]), horizon)
    lines = tuple(
        _line(arm, [one for one in outcomes if one.arm == arm.arm], axis, names[arm.arm]) for arm in comparison.arms
    )
    places = range(len(lines))
    shown = (tuple(places),) if len(lines) <= TOGETHER else tuple((0, place) for place in places[1 : MOST_PANELS + 1])
    return SurvivalData(comparison.event.replace("/", " on "), axis, lines, shown)


def draw_survival(data: SurvivalData) -> Any:
    """A matplotlib Figure."""
    from matplotlib.lines import Line2D

    alone = len(data.panels) == 1
    keys = [
        Line2D(
            [], [], color=look(place)[0], ls=look(place)[1], lw=1.7, label=f"{shortened(line.name, 50)}: {line.detail}"
        )
        for place, line in enumerate(data.lines if alone else data.lines[:1])
    ]
    if not alone:
        keys.append(Line2D([], [], color=INK, lw=1.7, label="the arm above each panel"))
    figure, drawn = panels(
        [("", "")] if alone else [data.lines[places[-1]][1:3] for places in data.panels],
        data.axis,
        keys,
        title=f"Share of runs that have not {data.event} yet",
        subtitle=f"with 95 % band; tick: a run watched no longer; dotted: compared up to step {data.axis.horizon:,}",
    )
    for axes, places in zip(drawn, data.panels, strict=True):
        for place in places:
            line, (colour, style) = data.lines[place], look(place)
            axes.fill_between(line.band_steps, line.band_low, line.band_high, color=colour, alpha=0.16, lw=0)
            axes.plot(line.steps, line.shares, color=colour, ls=style, lw=1.7)
            for left in line.left:
                axes.plot(left.step, left.share, "|", color=colour, ms=8, mew=1.4, clip_on=False)
        axes.set_ylim(-0.03, 1.05)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        axes.axhline(0.5, color=INK, lw=0.4, alpha=0.4, zorder=0)
    return figure


def _line(arm: ArmSummary, outcomes: Sequence[Outcome], axis: Steps, name: str) -> SurvivalLine:
    curve, seen = arm.event.curve, [observe(one, one.happened, axis.horizon) for one in outcomes]
    end = axis.horizon if curve.survival and curve.survival[-1] == 0 else max(step for step, _ in seen)
    inner = list(zip(curve.steps, curve.survival, curve.low, curve.high, strict=True))
    steps, shares = [axis.first], [1.0]
    band: list[tuple[float, float, float]] = []
    for place, (step, share, low, high) in enumerate(inner):
        steps += [step, step]
        shares += [shares[-1], share]
        until = inner[place + 1][0] if place + 1 < len(inner) else end
        if low is not None and high is not None:
            band += [(step, low, high), (until, low, high)]
    left = Counter(step for step, happened in seen if not happened)
    return SurvivalLine(
        arm=arm.arm,
        name=name,
        detail=f"{arm.event.happened} of {arm.n} by then",
        steps=(*steps, end),
        shares=(*shares, shares[-1]),
        band_steps=tuple(step for step, _, _ in band),
        band_low=tuple(low for _, low, _ in band),
        band_high=tuple(high for _, _, high in band),
        left=tuple(Left(step, _share_at(arm, step), runs) for step, runs in sorted(left.items())),
    )


def _share_at(arm: ArmSummary, step: int) -> float:
    """An event at the same step comes first."""
    curve = arm.event.curve
    return next((share for at, share in zip(curve.steps[::-1], curve.survival[::-1], strict=True) if at <= step), 1.0)
