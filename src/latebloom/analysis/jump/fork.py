"""The same stretch of training once more from just before the jump, with one thing changed."""

from __future__ import annotations

from typing import NamedTuple


class Fork(NamedTuple):
    """What became of the jump when one thing was changed."""

    changed: str  # e.g. `weight decay 0`
    jumps: bool | None  # whether the loss rose half way (of its logarithm) to the top; None if it could not be tried
    at_step: int | None  # the first step at which it had
    highest: float | None  # the highest loss until `until_step`
    until_step: int
    note: str = ""
