"""Squared error between outputs and one-hot labels."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from ..base.component import Component


class SquaredError(Component):
    """Mean over the V outputs of (output - one-hot label)^2, per example, as `torch.nn.MSELoss` averages it."""

    kind: Literal["squared_error"] = "squared_error"

    def per_example(self, logits_BV: Tensor, labels_B: Tensor) -> Tensor:
        """(B,) losses, dimensionless, for labels int64 in 0..V-1."""
        one_hot_BV = F.one_hot(labels_B, logits_BV.shape[1]).to(logits_BV.dtype)
        return (logits_BV - one_hot_BV).square().mean(1)
