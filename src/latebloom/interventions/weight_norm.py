"""The length of the weights, held or capped after every update.

    NormRescale   w' = w * target / ||w||
    NormClamp     w' = w * min(1, target / ||w||)

||w|| is the L2 norm of all parameters together, or of each tensor by itself (`each`).
Source: Liu et al. (2022, Omnigrok), arXiv:2210.01117: training at constant weight norm, here `NormRescale`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from .rule import Intervention, Place, State, Tensors, norm


class NormRescale(Intervention):
    """Hold the norm of the weights: after each update they are scaled back to it."""

    kind: Literal["norm_rescale"] = "norm_rescale"
    norm: float = Field(1.0, gt=0)
    """The norm to hold, in `unit`."""
    unit: Literal["initial", "absolute"] = "initial"
    """Whether `norm` is a multiple of the initial norm or the norm itself."""
    each: Literal["model", "tensor"] = "model"
    """Whether all parameters are scaled together or each tensor by itself."""
    acts: ClassVar[Place] = "weights"

    def init(self, params: Tensors, seed: int) -> State:
        """The norm to hold."""
        return _targets(params, self.norm, self.unit, self.each)

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Scale the weights."""
        for group, target in _groups(params, state):
            torch._foreach_mul_(group, _factor(group, target))


class NormClamp(Intervention):
    """Cap the norm of the weights: after an update that passes it they are scaled back to it."""

    kind: Literal["norm_clamp"] = "norm_clamp"
    norm: float = Field(1.0, gt=0)
    """The largest norm, in `unit`."""
    unit: Literal["initial", "absolute"] = "initial"
    """Whether `norm` is a multiple of the initial norm or the norm itself."""
    each: Literal["model", "tensor"] = "model"
    """Whether all parameters are scaled together or each tensor by itself."""
    acts: ClassVar[Place] = "weights"

    def init(self, params: Tensors, seed: int) -> State:
        """The norm not to pass."""
        return _targets(params, self.norm, self.unit, self.each)

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Scale the weights down where they are too long."""
        for group, target in _groups(params, state):
            torch._foreach_mul_(group, _factor(group, target).clamp(max=1.0))


def _targets(params: Tensors, to: float, unit: str, each: str) -> State:
    weights = {name: p.detach() for name, p in params.items()}
    now = {"": norm(weights.values())} if each == "model" else {name: w.norm() for name, w in weights.items()}
    return {"target": {name: (to * n if unit == "initial" else torch.full_like(n, to)) for name, n in now.items()}}


def _groups(params: Tensors, state: State) -> list[tuple[list[Tensor], Tensor]]:
    """Tensors that are scaled together, and the norm that they are to have."""
    targets = state["target"]
    if "" in targets:
        return [(list(params.values()), targets[""])]
    return [([params[name]], target) for name, target in targets.items()]


def _factor(group: list[Tensor], target: Tensor) -> Tensor:
    now = norm(group)
    return torch.where(now > 0, target / now, torch.ones_like(now))  # zero has no direction to be scaled in
