"""Gradient noise: g' = g + N(0, variance / (1 + t) ** fading), t = updates done before.

Here / in the paper: `variance` is eta, `fading` is gamma.
Source: Neelakantan et al. (2015), arXiv:1511.06807, equation 1.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field

from ..base import seeds
from .rule import Intervention, Place, State, Tensors


class GradientNoise(Intervention):
    """Gaussian noise on every gradient, fading with time; a function of (seed, step), so nothing of it can be lost."""

    kind: Literal["gradient_noise"] = "gradient_noise"
    variance: float = Field(0.01, ge=0)
    """Variance at the first step, in squared units of the gradient. The paper takes 0.01, 0.3 or 1."""
    fading: float = Field(0.55, ge=0)
    """Power of time with which the variance falls; 0 for constant noise."""
    acts: ClassVar[Place] = "gradients"

    def init(self, params: Tensors, seed: int) -> State:
        """The key of its own number stream."""
        return {"key": {"seed": torch.tensor(seeds.integer(seed, "gradient_noise"))}}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Add this step's noise."""
        draws = torch.Generator().manual_seed(seeds.integer(int(state["key"]["seed"].item()), "noise", step))
        deviation = (self.variance / step**self.fading) ** 0.5
        for g in grads.values():
            g.add_(torch.randn(g.shape, generator=draws, dtype=g.dtype).to(g.device), alpha=deviation)
