"""What a reading means: which direction is better, what knowing nothing scores, what perfection scores.

Rules are written once, for a level that is better when it is higher and for the progress from the floor, see `scale`.
The floor is the score of an uninformed predictor: 1 / C for the accuracy of C classes, ln C for cross-entropy, the
variance of the targets for squared error, 0 for a correlation. If it is not given, the first reading stands for it; an
untrained model knows nothing, but one with scaled-up weights is worse than that, so a known floor is better.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from pydantic import Field

from ..base.component import Component
from .scale import Kind, Scale

_WORDS: dict[str, Kind] = {
    **dict.fromkeys(("acc", "accuracy", "acc@1", "top1"), "accuracy"),
    **dict.fromkeys(("loss", "nll", "ce", "mse", "rmse", "mae", "bce", "perplexity", "error"), "loss"),
    **dict.fromkeys(("corr", "correlation", "spearman", "pearson"), "correlation"),
    "coverage": "coverage",
}


class Gauge(Component):
    """How one reading is to be understood."""

    reading: str
    """Its name, e.g. `val/accuracy`."""
    kind: Kind = "custom"
    """What is measured."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is better. Losses are better lower, whatever is said here."""
    floor: float | None = None
    """Value of an uninformed predictor; if not given, the first reading (0 for correlation and coverage)."""
    ceiling: float | None = None
    """Best possible value; if not given, 1 for an accuracy, and the best level held for what has no natural one."""
    standard_error: float | None = Field(None, ge=0)
    """Standard error of one reading; noise is never taken for smaller."""
    matters: float | None = Field(None, gt=0)
    """Fall of the level that matters in practice; if not given, that of the kind."""
    unit: float = Field(1.0, gt=0)
    """Factor on the values as they come: 0.01 for per cent."""

    @cached_property
    def scale(self) -> Scale:
        """The rules for its values."""
        return Scale(**self.model_dump())


def gauge(reading: str, **given: object) -> Gauge:
    """The gauge of a reading by its name; what is given decides.

    Example:
        >>> gauge("val/accuracy").kind, gauge("train/loss").better, gauge("score").kind
        ('accuracy', 'lower', 'custom')
    """
    words = [word for word in re.split(r"[^a-z0-9@]+", reading.lower()) if word]
    kind = given.pop("kind", None) or next((_WORDS[word] for word in reversed(words) if word in _WORDS), "custom")
    better = given.pop("better", None) or ("lower" if kind == "loss" else "higher")
    return Gauge(reading=reading, kind=kind, better=better, **given)
