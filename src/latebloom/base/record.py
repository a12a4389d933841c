"""Records flow, objects do not: the two things a training says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # numpy takes longer to load than a store to list
    import numpy as np
    from numpy.typing import NDArray


class Record(NamedTuple):
    """One reading: what was measured, when."""

    step: int  # optimizer updates done when it was read; 0 is the untrained model
    name: str  # slash-separated, e.g. `val/accuracy`, `val/accuracy/divide`, `weight_norm/l2`
    value: float  # in the unit of the reading; may be NaN or infinite


class Event(NamedTuple):
    """One conclusion drawn from records.

    `known_at` is never before `step`: a sustained crossing is dated by its first evaluation
    but only known some evaluations later.
    """

    step: int  # when it happened
    kind: str  # e.g. `memorized`, `generalized`
    known_at: int  # the step at which the evidence sufficed
    evidence: dict[str, float | int | str]  # the numbers that decided


class Curve(NamedTuple):
    """All readings of one name in step order: what a detector replays and a figure draws."""

    steps: NDArray[np.int64]  # (K,) strictly increasing
    values: NDArray[np.float64]  # (K,)
