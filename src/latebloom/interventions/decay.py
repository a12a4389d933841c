"""Weight decay in other forms than the optimizer's: towards the initial weights, or changing with time.

    DecayToInit     w' = w - lr * strength * (w - w_0)
    DecaySchedule   w' = w - lr * strength(step) * w

Both act where AdamW decays: on the weights before they move, apart from the gradient (decoupled), with any optimizer.
As there, a parameter without a gradient does not decay.
Source: Power et al. (2022), arXiv:2201.02177, section 3.3, for the first; Loshchilov & Hutter (2019),
arXiv:1711.05101, for decoupled decay with a schedule.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal

import torch
from pydantic import Field, field_validator

from .rule import Intervention, Place, State, Tensors


class DecayToInit(Intervention):
    """Pull every weight towards its initial value."""

    kind: Literal["decay_to_init"] = "decay_to_init"
    strength: float = Field(1.0, ge=0)
    """As a weight decay: share of the distance per step is learning rate times this."""
    acts: ClassVar[Place] = "decay"

    def init(self, params: Tensors, seed: int) -> State:
        """The initial weights."""
        return {"initial": {name: p.detach().clone() for name, p in params.items()}}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Move the weights towards the initial ones."""
        initial = [state["initial"][name] for name in grads]
        torch._foreach_lerp_([params[name] for name in grads], initial, lr * self.strength)


class DecaySchedule(Intervention):
    """Weight decay that changes with time. The optimizer's own `weight_decay` must be 0, or both would act."""

    kind: Literal["decay_schedule"] = "decay_schedule"
    points: tuple[tuple[int, float], ...] = Field(min_length=1)
    """Steps and strengths, e.g. [[0, 0], [1000, 1]]; constant before the first and after the last."""
    between: Literal["line", "stair"] = "line"
    """From one point to the next in a straight line, or staying until the next."""
    acts: ClassVar[Place] = "decay"

    @field_validator("points")
    @classmethod
    def _in_order(cls, points: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
        steps = [step for step, _ in points]
        if any(a >= b for a, b in pairwise(steps)) or steps[0] < 0:
            raise ValueError(f"{list(map(list, points))} needs steps that rise from 0 on, e.g. [[0, 0], [1000, 1]]")
        if any(strength < 0 for _, strength in points):
            raise ValueError(f"{list(map(list, points))} has a negative strength, which would make weights grow")
        return points

    def strength(self, step: int) -> float:
        """The weight decay in force at an update, counted from 1."""
        before = [point for point in self.points if point[0] <= step]
        after = [point for point in self.points if point[0] > step]
        if not before or not after:
            return (before or after[:1])[-1][1]
        (x0, y0), (x1, y1) = before[-1], after[0]
        return y0 if self.between == "stair" else y0 + (y1 - y0) * (step - x0) / (x1 - x0)

    def init(self, params: Tensors, seed: int) -> State:
        """Nothing to remember: the step says it."""
        return {}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Shrink the weights."""
        torch._foreach_mul_([params[name] for name in grads], 1 - lr * self.strength(step))
