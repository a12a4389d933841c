"""A stretch of training around a jump, read after every update.

Suffixes: S steps in order, the first of them the state before the first update; M training examples, V validation
examples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOOT = 0.1  # share of the rise of the logarithm
TINY, HUGE = 1e-300, 1e3


class Groups(NamedTuple):
    """One way to part the examples, e.g. by their class."""

    names: tuple[str, ...]
    train_M: NDArray[np.int64]  # place in `names` of each training example
    val_V: NDArray[np.int64]  # of each validation example; empty if they were not read


class Replay(NamedTuple):
    """How far a replay was the run itself."""

    from_step: int
    compared: int  # stored readings that the replay computed again
    different: int  # of them not equal to the last bit
    first_difference: str  # in words, e.g. "val/loss at step 320: 2.5 stored, 2.4999 here"; empty if there is none
    checkpoints: dict[int, bool]  # stored states that the replay passed: whether it had the same bytes

    @property
    def is_exact(self) -> bool:
        """Whether everything that could be compared was equal, and there was something to compare."""
        return not self.different and all(self.checkpoints.values()) and bool(self.compared or self.checkpoints)


class Window(NamedTuple):
    """What was read. A loss is anything positive that is better when lower, averaged over examples."""

    steps_S: NDArray[np.int64]
    reading: str  # name of the reading in which the jump was seen
    recorded_S: Floats  # that reading, as the log has it or would have it
    losses_SM: NDArray[np.float32]  # of each training example at these weights, in eval mode
    batch_S: Floats  # of the batch of the update that led here, in training mode; nan at the first
    batches_per_pass: int  # updates in which the training examples pass by once
    update_S: Floats  # length of the update that led here / length of the weights before it; nan at the first
    last_update_S: Floats  # the same of the last layer alone
    norm_S: Floats  # length of all weights
    last_norm_S: Floats  # of the last layer's
    rate_S: Floats  # learning rate of the update that led here; nan at the first
    val_losses_SV: NDArray[np.float32] | None = None
    recorded_val_S: Floats | None = None  # the validation loss as the log has it; None: the mean of all of them
    groups: dict[str, Groups] = {}  # noqa: RUF012 (never changed)
    events: tuple[tuple[int, str], ...] = ()  # what was changed, on purpose or not: step, words
    excluded: tuple[str, ...] = ()  # events that the replay itself rules out
    sharpness: dict[int, float] = {}  # noqa: RUF012 (step -> curvature, in the unit of its threshold)
    sharpness_unit: str = "not measured"  # words: the threshold beyond which the optimizer is unstable
    replay: Replay | None = None  # None: the window was recorded while the run trained

    @property
    def train_S(self) -> Floats:
        """Mean loss of all training examples at the same weights, in eval mode."""
        mean_S: Floats = self.losses_SM.mean(1, dtype=np.float64)
        return mean_S

    @property
    def val_S(self) -> Floats | None:
        """Mean loss of all validation examples at the same weights; None if they were not read."""
        if self.val_losses_SV is None:
            return None
        mean_S: Floats = self.val_losses_SV.mean(1, dtype=np.float64)
        return mean_S

    @property
    def running_S(self) -> Floats:
        """Mean loss of the last batches, as many as make one pass: what a progress bar shows."""
        sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(self.batch_S))])
        counts = np.concatenate([[0], np.cumsum(np.isfinite(self.batch_S))])
        ends = np.arange(1, len(sums))
        begins = np.maximum(0, ends - self.batches_per_pass)
        with np.errstate(invalid="ignore"):
            mean_S: Floats = (sums[ends] - sums[begins]) / (counts[ends] - counts[begins])
        return mean_S

    def place(self, step: int) -> int:
        """Where a step stands in the window."""
        return int(np.searchsorted(self.steps_S, step))


class Span(NamedTuple):
    """The jump inside a window, as places in it."""

    onset: int  # the foot: the last reading before the rise
    top: int  # the highest reading

    @classmethod
    def of(cls, window: Window, after_step: int, until_step: int) -> Span:
        """The top of the recorded reading after one step and until another, and the foot on its left.

        The foot is the last reading, before the top, from whose logarithm at least 0.9 of the way up is still to come.

        Args:
            window: Whose `recorded_S` is looked at.
            after_step: The last step that was still as before.
            until_step: The last step at which the top may be.
        """
        first, last = window.place(after_step), min(window.place(until_step), len(window.steps_S) - 1)
        is_known = ~np.isnan(window.recorded_S)
        logs = np.log(np.maximum(np.where(is_known, window.recorded_S, np.inf), TINY))
        top = first + int(np.argmax(np.where(is_known, logs, -np.inf)[first : last + 1]))
        # A rise can begin before the last reading that looked quiet, but no further back than that is from the top.
        earliest = max(0, min(first, 2 * first - top))
        before = logs[earliest : top + 1]
        lowest = float(before.min())
        onset = earliest + int(np.flatnonzero(before <= lowest + FOOT * min(logs[top] - lowest, HUGE))[-1])
        return cls(min(onset, top), top)
