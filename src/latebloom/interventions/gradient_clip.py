"""Gradient clipping by the norm of all gradients together: g' = g * min(1, max_norm / ||g||).

Source: Pascanu et al. (2013), arXiv:1211.5063, algorithm 1.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field

from .rule import Intervention, Place, State, Tensors, norm


class GradientClip(Intervention):
    """Shorten gradients that are longer than `max_norm`. Its place in the list decides what it clips."""

    kind: Literal["gradient_clip"] = "gradient_clip"
    max_norm: float = Field(1.0, gt=0)
    """Largest L2 norm of all gradients together, in nats per unit of weight."""
    acts: ClassVar[Place] = "gradients"

    def init(self, params: Tensors, seed: int) -> State:
        """Nothing to remember."""
        return {}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Scale all gradients by the same factor."""
        torch._foreach_mul_(list(grads.values()), (self.max_norm / norm(grads.values())).clamp(max=1.0))
