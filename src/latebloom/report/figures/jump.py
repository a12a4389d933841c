"""The figure of a jump: losses, updates, weight norms and curvature at every step around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...analysis.jump import Explanation
from .panels import look, panels
from .picture import INK, Picture, rendered

PANELS = (  # title, whether its y axis is logarithmic, curves
    (
        "training loss",
        True,
        (("train", "all examples"), ("median", "median example"), ("running_mean", "running mean")),
    ),
    ("validation loss", False, (("val", "all examples"),)),
    ("update / weights", True, (("update", "all weights"), ("last_update", "last layer"))),
    ("norm, 1 at the foot", False, (("norm", "all weights"), ("last_norm", "last layer"))),
)
LOOKS = {"all examples": 1, "median example": 6, "running mean": 5, "all weights": 3, "last layer": 4}
BEFORE, AFTER = 100, 60  # steps that are shown


def picture(found: Explanation, name: str = "") -> Picture:
    """The figure as SVG and PNG; the same explanation gives the same SVG."""
    return rendered(lambda: draw(found, name))


def draw(found: Explanation, name: str = "") -> Any:
    """A matplotlib Figure: three panels over the steps around the jump, and the curvature if it is known."""
    from matplotlib.lines import Line2D

    curves = {key: np.array(values, dtype=float) for key, values in found.curves.items()}
    steps = curves["step"]
    shown = [(title, log, [one for one in lines if one[0] in curves]) for title, log, lines in PANELS]
    shown = [one for one in shown if one[2]]
    labels = dict.fromkeys(label for _, _, lines in shown for _, label in lines)
    keys = [Line2D([], [], color=look(LOOKS[one])[0], ls=look(LOOKS[one])[1], lw=1.6, label=one) for one in labels]
    keys.append(Line2D([], [], color=INK, lw=0.8, ls=(0, (2, 2)), label="foot and top of the jump"))
    names = [title for title, _, _ in shown] + ["curvature / threshold"] * bool(found.sharpness)
    title = f"{found.reading} jumps at step {found.top_step:,}" + (f": {name}" if name else "")
    figure, axes = panels(
        [(one, "") for one in names], None, keys, title=title, share_y=False, x_label="optimizer steps",
        subtitle="Every optimizer step around it, trained once more. Curvature: at 1 the optimizer becomes unstable.",
    )  # fmt: skip
    for panel, (_, log, lines) in zip(axes, shown, strict=False):
        for key, label in lines:
            values = curves[key]
            if key.endswith("norm"):
                values = values / values[np.searchsorted(steps, found.onset_step)]
            colour, style = look(LOOKS[label])
            near = (steps >= found.onset_step - BEFORE) & (steps <= found.top_step + AFTER)
            panel.plot(steps[near], values[near], color=colour, ls=style, lw=1.3)
        panel.set_yscale("log" if log else "linear")
    if found.sharpness:
        axes[-1].plot(list(found.sharpness), list(found.sharpness.values()), "o-", color=look(1)[0], ms=3, lw=1)
        axes[-1].axhline(1, color=INK, lw=0.8)
        axes[-1].set_yscale("log")
    for panel in axes:
        for step in (found.onset_step, found.top_step):
            panel.axvline(step, color=INK, lw=0.8, ls=(0, (2, 2)), zorder=0)
        panel.set_xlim(max(steps[0], found.onset_step - BEFORE), min(steps[-1], found.top_step + AFTER))
        panel.locator_params(axis="x", nbins=4)
        panel.tick_params(labelleft=True)
    return figure
