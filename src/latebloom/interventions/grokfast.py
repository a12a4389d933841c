"""Grokfast: amplify the slow part of each gradient before the optimizer sees it.

    g'_t = g_t + amplify * slow_t

    GrokfastEma   slow_t = ema_decay * slow_{t-1} + (1 - ema_decay) * g_t,   slow_0 = g_1
    GrokfastMa    slow_t = mean of the last window_steps gradients, nothing before there are so many

Here / in the paper: `ema_decay` is alpha, `amplify` is lambda, `window_steps` is w.
A constant gradient grows by 1 + amplify: with plain SGD that is a larger learning rate, with Adam it mostly cancels.
Source: Lee et al. (2024), arXiv:2405.20233, algorithms 1 and 2, with the start of its published code: in print the
mean is added from the first step on, and the average starts at the initial weights.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from .rule import Intervention, Place, State, Tensors


class GrokfastEma(Intervention):
    """Grokfast with an exponential moving average of the gradients: one buffer as large as the weights."""

    kind: Literal["grokfast_ema"] = "grokfast_ema"
    ema_decay: float = Field(0.98, ge=0, lt=1)
    """Memory of the average: 0.98 remembers about 1 / (1 - 0.98) = 50 steps."""
    amplify: float = Field(2.0, ge=0)
    """How often the slow part is added."""
    acts: ClassVar[Place] = "gradients"

    def init(self, params: Tensors, seed: int) -> State:
        """No gradient seen."""
        return {"slow": {n: torch.zeros_like(p) for n, p in params.items()}, "seen": _none_seen(params)}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Take the gradients into the average, then add it to them."""
        for n, g in grads.items():
            if not state["seen"][n]:
                state["slow"][n].copy_(g)
            state["seen"][n] += 1
        gradients, slow = list(grads.values()), [state["slow"][n] for n in grads]
        torch._foreach_lerp_(slow, gradients, 1 - self.ema_decay)
        torch._foreach_add_(gradients, slow, alpha=self.amplify)


class GrokfastMa(Intervention):
    """Grokfast with the mean of the last gradients: `window_steps` buffers as large as the weights, saved with them."""

    kind: Literal["grokfast_ma"] = "grokfast_ma"
    window_steps: int = Field(100, ge=1, json_schema_extra={"unit": "steps"})
    """How many gradients the mean is over."""
    amplify: float = Field(5.0, ge=0)
    """How often the slow part is added."""
    acts: ClassVar[Place] = "gradients"

    def init(self, params: Tensors, seed: int) -> State:
        """No gradient seen."""
        return {
            "window": {n: p.new_zeros(self.window_steps, *p.shape) for n, p in params.items()},
            "sum": {n: torch.zeros_like(p) for n, p in params.items()},
            "seen": _none_seen(params),
        }

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Put the gradients in the place of the oldest ones, then add the mean to them."""
        for n, g in grads.items():
            window, total, seen = state["window"][n], state["sum"][n], int(state["seen"][n].item())
            place = seen % self.window_steps
            total.sub_(window[place]).add_(g)
            window[place] = g
            if place == self.window_steps - 1:  # once a round, so that rounding errors of the running sum never add up
                total.copy_(window.sum(0))
            if seen + 1 >= self.window_steps:
                g.add_(total, alpha=self.amplify / self.window_steps)
            state["seen"][n] += 1


def _none_seen(params: Tensors) -> dict[str, Tensor]:
    """Counted for each parameter: one that has no gradient at first begins with its own first one."""
    return {n: torch.zeros((), dtype=torch.int64) for n in params}
