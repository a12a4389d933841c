"""Stochastic gradient descent with momentum.

g = g + weight_decay * w,   m = momentum * m + g,   w -= lr * m        (nesterov: w -= lr * (g + momentum * m))
"""

from __future__ import annotations

from typing import Literal, Self

import torch
from pydantic import Field, model_validator

from .rule import Rule, State, Tensors


class Sgd(Rule):
    """SGD; weight decay is coupled L2 (added to the gradient), as in torch."""

    kind: Literal["sgd"] = "sgd"
    momentum: float = Field(0.0, ge=0, lt=1)
    """Share of the last move that is kept."""
    nesterov: bool = False
    """Look one move ahead; needs momentum."""

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum above 0, e.g. 0.9")
        return self

    def init(self, params: Tensors) -> State:
        """The momentum at zero; nothing without momentum."""
        return {"momentum": {n: torch.zeros_like(p) for n, p in params.items()}} if self.momentum else {}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Change `params` and `state` in place. `lr` is in force at this step; `step` counts from 1."""
        for name, parameter in params.items():
            move = grads[name].add(parameter, alpha=self.decay_of(parameter))
            if self.momentum:
                moved = state["momentum"][name].mul_(self.momentum).add_(move)
                move = move.add(moved, alpha=self.momentum) if self.nesterov else moved
            parameter.sub_(move, alpha=lr)
