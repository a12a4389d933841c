"""Squared error of a logarithm, for numbers that span many powers of two, e.g. heights of codes."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ..base.component import Component

LEAST = 1e-9  # what a raw output is raised to before its logarithm, as the public project has it


class Log2SquaredError(Component):
    """(log2 of the answer - label)^2, where the label is already the logarithm to base 2.

    Source: the public project *Learning the m-height* (Log2-MSE). The head of its grokking experiment is `raw`, that of
    its lower-bound experts `at_least_one`. It takes violations in units of h, which one large height decides; ours are
    in bits.
    """

    kind: Literal["log2_squared_error"] = "log2_squared_error"
    head: Literal["log2", "log2_at_least_zero", "at_least_one", "raw"] = "log2_at_least_zero"
    """What the output z means: `log2` log2 h = z; `log2_at_least_zero` log2 h = softplus(z), so h >= 1;
    `at_least_one` h = 1 + softplus(z); `raw` h = z, where an output below 1e-9 has no gradient and costs some 1,000."""
    violation: float = Field(0.0, ge=0)
    """Weight of the violation loss in training: how many bits an answer is below what some codewords prove it to be at
    least, on average. Needs `task.codewords`; the loss that is read stays without it."""
    answers: ClassVar[tuple[str, ...]] = ("numbers",)

    def per_example(self, outputs_BV: Tensor, labels_B: Tensor) -> Tensor:
        """(B,) losses in squares of bits, for labels log2 h."""
        return (self.predicted(outputs_BV) - labels_B.to(outputs_BV.dtype)).square()

    def shortfall(self, outputs_BV: Tensor, floors_B: Tensor) -> Tensor:
        """(B,) bits by which predictions are below what is known, 0 where they are not."""
        return F.relu(floors_B.to(outputs_BV.dtype) - self.predicted(outputs_BV))

    def predicted(self, outputs_BV: Tensor) -> Tensor:
        """(B,) predictions of log2 h."""
        z_B = outputs_BV[:, 0]
        if self.head == "log2":
            return z_B
        if self.head == "log2_at_least_zero":
            return F.softplus(z_B)
        return torch.log2(z_B.clamp(min=LEAST) if self.head == "raw" else 1 + F.softplus(z_B))
