"""How every figure looks, and a figure as bytes. matplotlib is imported when something is drawn, without pyplot."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

INK, FAINT = "#1F2328", "#5B636E"
STYLE: Any = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same bytes on every machine
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9AA1AA",
    "axes.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "svg.hashsalt": "latebloom",
    "svg.fonttype": "path",
    "path.simplify": False,
}


class Picture(NamedTuple):
    """A figure, drawn."""

    svg: bytes
    png: bytes  # 150 dots per inch


def rendered(draw: Callable[[], Any]) -> Picture:
    """The Figure that `draw` returns; the same figure gives the same SVG."""
    import matplotlib

    svg, png = io.BytesIO(), io.BytesIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # A name in a script the font lacks shows boxes; the page and the terminal show it right.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure = draw()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "latebloom"})
        figure.savefig(png, format="png", dpi=150)
    return Picture(svg.getvalue(), png.getvalue())
