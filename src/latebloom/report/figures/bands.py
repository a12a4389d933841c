"""Score or loss of the arms over log steps: the median of the runs, the middle half of them, and the whole range.

Runs are read at different steps, so each is interpolated linearly between its readings. A run that ended after the
event, or diverged, goes on as it was last read: to drop it would let the rest speak for the arm. Any other run counts
until it was last read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...analysis.compare import Comparison
from ...analysis.outcome import Outcome
from ...base.record import Curve
from ...detect import scored
from .curves import Level
from .panels import MOST_PANELS, Steps, look, panels
from .picture import FAINT, INK

BLIND = ((0, (1, 1)), (0, (4, 1, 1, 1)))
MOST_STEPS = 400  # more cannot be told apart in a panel


class Band(NamedTuple):
    """One reading of an arm; NaN where no run was read any more. Suffix: K steps."""

    steps_K: NDArray[np.float64]
    runs_K: NDArray[np.int64]  # how many runs the numbers are of
    median_K: NDArray[np.float64]
    quartiles_2K: NDArray[np.float64]
    range_2K: NDArray[np.float64]


class BandsPanel(NamedTuple):
    """One arm."""

    arm: str
    name: str  # as it is shown
    runs: int
    train: Band | None
    val: Band | None
    carried: int  # runs that go on as they were last read


class BandsData(NamedTuple):
    """A panel for each arm, and the axis."""

    of_what: str  # ` of divide`; empty for everything a run was trained on
    axis: Steps
    panels: tuple[BandsPanel, ...]
    score: str = "accuracy"
    is_loss: bool = False  # drawn on a logarithmic axis
    levels: tuple[Level, ...] = ()  # what is lost without any knowledge of an example


def bands_data(
    comparison: Comparison,
    outcomes: Sequence[Outcome],
    curves: Mapping[str, tuple[Curve | None, Curve | None]],
    names: Mapping[str, str],
) -> BandsData:
    """Numbers of the figure.

    Args:
        comparison: The comparison.
        outcomes: Its runs.
        curves: Training and validation accuracy by run, where they were read.
        names: What arms are shown as.
    """
    arms = {arm.arm: names[arm.arm] for arm in comparison.arms}
    told = bands_of(arms, outcomes, curves, comparison.horizon_steps, score_of(outcomes))
    part = comparison.event.partition("/")[2]
    return told._replace(of_what=f" of {part}" if part else "")


def bands_of(
    arms: Mapping[str, str],
    outcomes: Sequence[Outcome],
    curves: Mapping[str, tuple[Curve | None, Curve | None]],
    horizon: int,
    score: str,
) -> BandsData:
    """The same of any reading, whether or not arms are compared.

    Args:
        arms: What each is shown as.
        outcomes: Their runs.
        curves: The reading on training and on validation examples by run, where they were read.
        horizon: How far.
        score: What the reading is called.
    """
    read = [int(step) for pair in curves.values() for curve in pair if curve for step in curve.steps if step > 0]
    shown = []
    for arm, name in list(arms.items())[:MOST_PANELS]:
        runs = [one for one in outcomes if one.arm == arm]
        train, val = (band([(curves[one.run][which], goes_on(one)) for one in runs], horizon) for which in (0, 1))
        carried = sum(goes_on(one) and one.last_step < horizon for one in runs)
        shown.append(BandsPanel(arm, name, len(runs), train, val, carried))
    return BandsData("", Steps(min(read, default=1), horizon), tuple(shown), score)


def score_of(outcomes: Sequence[Outcome]) -> str:
    """What the runs are judged by, e.g. `accuracy`."""
    return scored("", str(outcomes[0].settings.get("detector.val_reading", "val/accuracy")))


def goes_on(one: Outcome) -> bool:
    """Whether a run that has ended counts on."""
    return one.happened is not None or one.status == "diverged"


def band(runs: Sequence[tuple[Curve | None, bool]], horizon: int) -> Band | None:
    """The spread of one reading over the runs that have it; None if none has.

    Args:
        runs: The readings of each run, and whether it goes on after its last.
        horizon: How far.
    """
    known = [(curve, on) for curve, on in runs if curve is not None and np.isfinite(curve.values).any()]
    if not known:
        return None
    steps_K = np.unique(
        np.concatenate([curve.steps[(curve.steps > 0) & (curve.steps <= horizon)] for curve, _ in known] + [[horizon]])
    )
    if len(steps_K) > MOST_STEPS:
        steps_K = steps_K[np.unique(np.geomspace(1, len(steps_K), MOST_STEPS).round().astype(int) - 1)]
    values_NK = np.full((len(known), len(steps_K)), np.nan)
    for row, (curve, on) in enumerate(known):
        finite = np.isfinite(curve.values)
        steps, values = curve.steps[finite], curve.values[finite]
        values_NK[row] = np.interp(steps_K, steps, values)
        values_NK[row, (steps_K < steps[0]) | ((steps_K > steps[-1]) & (not on))] = np.nan
    runs_K = np.isfinite(values_NK).sum(axis=0)
    steps_K, values_NK, runs_K = steps_K[runs_K > 0], values_NK[:, runs_K > 0], runs_K[runs_K > 0]
    low, first, middle, third, high = np.nanquantile(values_NK, [0, 0.25, 0.5, 0.75, 1], axis=0)
    return Band(steps_K.astype(np.float64), runs_K, middle, np.stack([first, third]), np.stack([low, high]))


def draw_bands(data: BandsData) -> Any:
    """A matplotlib Figure."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    levels = [
        Line2D([], [], color=INK, lw=0.9, ls=dots, label=level.label)
        for level, dots in zip(data.levels, BLIND, strict=False)
    ]
    carried = sum(panel.carried for panel in data.panels)
    figure, drawn = panels(
        [(panel.name, f"{panel.runs} run{'s' * (panel.runs != 1)}") for panel in data.panels],
        data.axis,
        [
            Line2D([], [], color="#0072B2", lw=1.7, label="validation: median"),
            Patch(color="#0072B2", alpha=0.4, lw=0, label="middle half of the runs"),
            Patch(color="#0072B2", alpha=0.15, lw=0, label="all runs"),
            Line2D([], [], color=INK, lw=0.9, ls=(0, (4, 1.5)), label="training: median"),
            *levels,
        ],
        title=f"{data.score.capitalize()} on validation and training examples{data.of_what}",
        subtitle=f"{carried} runs ended early, after the event or diverged; they go on as they were last read"
        if carried
        else "runs are interpolated linearly between their readings",
    )
    # Explained variance has no lower end; what is worse than twice the variance is off the panel.
    floor = -1 if any(map(_is_below_zero, data.panels)) else 0
    for place, (axes, panel) in enumerate(zip(drawn, data.panels, strict=True)):
        colour = look(place)[0]
        if panel.val is not None:
            axes.fill_between(panel.val.steps_K, *panel.val.range_2K, color=colour, alpha=0.15, lw=0)
            axes.fill_between(panel.val.steps_K, *panel.val.quartiles_2K, color=colour, alpha=0.3, lw=0)
            axes.plot(panel.val.steps_K, panel.val.median_K, color=colour, lw=1.7)
        if panel.train is not None:
            axes.plot(panel.train.steps_K, panel.train.median_K, color=INK, lw=0.9, ls=(0, (4, 1.5)))
        for level, dots in zip(data.levels, BLIND, strict=False):
            axes.axhline(level.value, color=INK, lw=0.9, ls=dots, zorder=1.5)
        if panel.val is not None and not data.is_loss and bool((panel.val.median_K < -1).all()):
            axes.text(0.5, 0.06, "below -100%", transform=axes.transAxes, ha="center", color=FAINT, fontsize=8)
        if not data.is_loss:
            axes.set_ylim(floor - 0.03, 1.05)
            axes.set_yticks([floor + quarter * (1 - floor) / 4 for quarter in range(5)])
            axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    if data.is_loss and any(_any_positive(panel) for panel in data.panels):
        log_losses(drawn)
    return figure


def log_losses(drawn: Sequence[Any]) -> None:
    """Make the shared y axis of panels logarithmic, with numbers that people read."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes = drawn[0]
    axes.set_yscale("log", nonpositive="mask")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e3 * low else (1,)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _any_positive(panel: BandsPanel) -> bool:
    return any(one is not None and bool((one.median_K > 0).any()) for one in (panel.train, panel.val))


def _is_below_zero(panel: BandsPanel) -> bool:
    return any(one is not None and bool((one.median_K < -0.04).any()) for one in (panel.train, panel.val))
