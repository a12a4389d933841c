"""The Euclidean norm of all weights."""

from __future__ import annotations

from typing import Literal

import torch

from ..base.cadence import Cadence
from ..base.component import Component
from .view import View


class WeightNorm(Component):
    """`weight_norm/l2`: root of the sum of squares over all trained parameters, dimensionless."""

    kind: Literal["weight_norm"] = "weight_norm"
    cadence: Cadence | None = None
    """When to read; left out: at the run's evaluations."""

    def read(self, view: View) -> dict[str, float]:
        """One reading."""
        with torch.inference_mode():
            norms = torch._foreach_norm([p for p in view.module.parameters() if p.requires_grad])
            return {"weight_norm/l2": float(torch.stack(norms).double().square().sum().sqrt())}
