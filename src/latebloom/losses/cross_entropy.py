"""Cross-entropy between logits and the right label."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base.component import Component


class CrossEntropy(Component):
    """Cross-entropy, in nats per example. Knowing nothing of V equally frequent labels costs ln V."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    answers: ClassVar[tuple[str, ...]] = ("classes",)
    precision: Literal["float32", "float64"] = "float32"
    """Type in which the log-softmax is taken. In float32 a loss below 6e-8 becomes exactly 0 and late spikes appear."""

    def per_example(self, logits_BV: Tensor, labels_B: Tensor) -> Tensor:
        """(B,) losses in nats, for labels int64 in 0..V-1."""
        return F.cross_entropy(logits_BV.to(getattr(torch, self.precision)), labels_B, reduction="none")
