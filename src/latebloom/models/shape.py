"""What a model has to fit: the sizes of a task."""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """Sizes that a task dictates to a model."""

    vocabulary: int  # different tokens; 0 for features
    length: int  # tokens or features per example
    labels: int  # different answers; 1 for a number
