"""The three figures of a comparison, drawn."""

from __future__ import annotations

from typing import NamedTuple

from ..figures.bands import bands_data, draw_bands
from ..figures.pairs import draw_pairs, pairs_data
from ..figures.picture import Picture, rendered
from ..figures.survival import draw_survival, survival_data
from .compared import Compared


class Figures(NamedTuple):
    """Each as bytes."""

    survival: Picture  # the share of runs that are not there yet
    pairs: Picture  # when each run got there, beside the baseline
    curves: Picture  # accuracies of each arm


def figures(told: Compared) -> Figures:
    """Draw them; the same comparison gives the same SVG."""
    comparison, outcomes, names = told.comparison, told.outcomes, told.names
    return Figures(
        rendered(lambda: draw_survival(survival_data(comparison, outcomes, names))),
        rendered(lambda: draw_pairs(pairs_data(comparison, outcomes, names))),
        rendered(lambda: draw_bands(bands_data(comparison, outcomes, told.curves, names))),
    )
