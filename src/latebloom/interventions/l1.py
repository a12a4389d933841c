"""L1: a price on the absolute values of the weights.

    loss' = loss + strength * sum |w|                       plain
    loss' = loss + strength * sum |w| / ||w||_2             per_norm, ||w||_2 over all weights and held constant

Source: Tibshirani (1996) for the penalty; `per_norm` is the form of the public project grok-tests (ndtippens, 2025),
where the norm is a Python number and so has no gradient.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field

from .rule import Intervention, Place, State, Tensors, norm


class L1(Intervention):
    """Sum of absolute weights, added to the loss; biases and norms included."""

    kind: Literal["l1"] = "l1"
    strength: float = Field(1e-5, ge=0)
    """Factor of the penalty: nats per unit of weight, or nats with `per_norm`."""
    per_norm: bool = False
    """Divide by the L2 norm of all weights together, held constant; the smaller it is, the harder all are pulled."""
    acts: ClassVar[Place] = "penalty"

    def init(self, params: Tensors, seed: int) -> State:
        """Nothing to remember."""
        return {}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Add the penalty's gradient, strength * sign(w)."""
        signs = [params[n].sign() for n in grads]
        torch._foreach_add_(list(grads.values()), signs, alpha=self._factor(params))

    def readings(self, params: Tensors) -> dict[str, float]:
        """`penalty/l1`: what is added to the loss."""
        total = torch.stack(torch._foreach_norm(list(params.values()), 1)).sum()
        return {"penalty/l1": self._factor(params) * total.item()}

    def _factor(self, params: Tensors) -> float:
        length = norm(params.values()).item() if self.per_norm else 1.0
        return self.strength / length if length else 0.0  # weights that are all zero have no price
