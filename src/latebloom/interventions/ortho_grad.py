"""OrthoGrad (⊥Grad): take from each gradient the part along its own weights.

    g' = (g - (w.g / w.w) w) * ||g|| / ||g - (w.g / w.w) w||          for each parameter tensor by itself

Once the training set is fitted, scaling the weights up lowers the loss without learning anything; this forbids it.
A gradient parallel to its weights, as that of any single number is, becomes zero.
Source: Prieto et al. (2025), arXiv:2501.04697, definition 7, which only projects, and all weights as one vector.
Tensor by tensor and stretched to the old length as in its published code.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch

from .rule import Intervention, Place, State, Tensors

TINY = 1e-30  # as published: weights that are all zero have no direction to be orthogonal to
ROUNDING = 8  # machine epsilons, relative to the gradient: so little is left of one that was parallel to its weights


class OrthoGrad(Intervention):
    """The gradient orthogonal to the weights, as long as before."""

    kind: Literal["ortho_grad"] = "ortho_grad"
    acts: ClassVar[Place] = "gradients"

    def init(self, params: Tensors, seed: int) -> State:
        """Nothing to remember."""
        return {}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Project, then stretch to the old length."""
        for name, g in grads.items():
            w = params[name].flatten()
            along = torch.dot(w, g.flatten()) / (torch.dot(w, w) + TINY)
            length = g.norm()
            g.sub_((along * w).view_as(g))
            left = g.norm()
            # stretched, what is left by rounding would be a long step in no direction at all
            g.mul_(torch.where(left > ROUNDING * torch.finfo(g.dtype).eps * length, length / left, 0.0))
