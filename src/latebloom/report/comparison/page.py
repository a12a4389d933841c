"""A comparison as one HTML file."""

from __future__ import annotations

from typing import Any

from ..html import html
from . import words
from .compared import Compared
from .figures import Figures


def page(told: Compared, figures: Figures) -> str:
    """The page of a comparison.

    Args:
        told: The comparison.
        figures: Its figures, of which the page shows the SVG.
    """
    comparison = told.comparison
    return html(
        "comparison/page.html.j2",
        told=told,
        comparison=comparison,
        words=words,
        tests=sum(one.p is not None for one in comparison.contrasts),
        settings=[
            (key, [_shown(values.get(arm.arm)) for arm in comparison.arms])
            for key, values in comparison.differs.items()
        ],
        survival=figures.survival.svg,
        pairs=figures.pairs.svg,
        curves=figures.curves.svg,
    )


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
