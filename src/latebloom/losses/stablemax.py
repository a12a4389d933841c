"""StableMax cross-entropy: a softmax whose exponential is replaced by something that cannot run away.

    loss = -log(s(z_y) / sum_v s(z_v)),   s(z) = z + 1 for z >= 0,   1 / (1 - z) for z < 0

Scaling the logits up gains little, so float32 does not absorb the small terms of the sum when everything is fitted.
Source: Prieto et al. (2025), arXiv:2501.04697, definition 4, whose code takes it in float64.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from ..base.component import Component


class StableMax(Component):
    """StableMax cross-entropy, in nats per example. Knowing nothing of V equally frequent labels costs ln V."""

    kind: Literal["stablemax"] = "stablemax"
    answers: ClassVar[tuple[str, ...]] = ("classes",)
    precision: Literal["float32", "float64"] = "float64"
    """Type in which it is taken."""

    def per_example(self, logits_BV: Tensor, labels_B: Tensor) -> Tensor:
        """(B,) losses in nats, for labels int64 in 0..V-1."""
        z_BV = logits_BV.to(getattr(torch, self.precision))
        # clamped, because `where` multiplies the gradient of the side not taken by 0, which 1 / 0 survives
        s_BV = torch.where(z_BV >= 0, z_BV + 1, 1 / (1 - z_BV.clamp(max=0)))
        log_share_BV = s_BV.log() - s_BV.sum(1, keepdim=True).log()
        return -log_share_BV.gather(1, labels_B[:, None])[:, 0]
