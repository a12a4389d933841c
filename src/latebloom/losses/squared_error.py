"""Squared error between outputs and one-hot labels, or between the one output and a number."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from ..base.component import Component


class SquaredError(Component):
    """Mean over the V outputs of (output - one-hot label)^2, per example, as `torch.nn.MSELoss` averages it.

    Where the task asks for a number there is one output, and the label is that number.
    """

    kind: Literal["squared_error"] = "squared_error"
    answers: ClassVar[tuple[str, ...]] = ("classes", "numbers")

    def per_example(self, logits_BV: Tensor, labels_B: Tensor) -> Tensor:
        """(B,) losses, dimensionless for labels int64 in 0..V-1, else in the square of the label's unit."""
        if labels_B.is_floating_point():
            return (self.predicted(logits_BV) - labels_B.to(logits_BV.dtype)).square()
        one_hot_BV = F.one_hot(labels_B, logits_BV.shape[1]).to(logits_BV.dtype)
        return (logits_BV - one_hot_BV).square().mean(1)

    def predicted(self, outputs_BV: Tensor) -> Tensor:
        """(B,) predictions of a number, in the label's unit: the only output."""
        return outputs_BV[:, 0]
