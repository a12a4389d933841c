"""Muon: move each hidden matrix along the nearest orthogonal matrix to its momentum.

    m = momentum * m + (1 - momentum) * g,   u = (1 - momentum) * g + momentum * m   (Nesterov)
    w = w * (1 - lr * weight_decay) - lr * max(1, rows / columns)^0.5 * orthogonal(u)

`orthogonal` runs five quintic Newton-Schulz iterations, which bring all singular values near 1.
Embeddings, the answer layer, biases and gains are moved by AdamW with its own learning rate.
Source: Jordan et al. (2024), kellerjordan.github.io/posts/muon; same arithmetic as `torch.optim.Muon`, in float32.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from .adam import AdamW
from .rule import Rule, State, Tensors

QUINTIC = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon(Rule):
    """Muon for hidden matrices, AdamW for everything else; decoupled weight decay in both."""

    kind: Literal["muon"] = "muon"
    momentum: float = Field(0.95, ge=0, lt=1)
    """Memory of the gradient of the matrices."""
    adamw_learning_rate: float = Field(1e-3, gt=0, json_schema_extra={"unit": "1/step"})
    """Step size of all other parameters; the schedule's factor applies to it too."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """AdamW's memory of the mean gradient."""
    beta2: float = Field(0.98, ge=0, lt=1)
    """AdamW's memory of the mean squared gradient."""

    def init(self, params: Tensors) -> State:
        """All memories at zero."""
        matrices, others = _parted(params)
        momentum = {n: torch.zeros_like(p) for n, p in matrices.items()}
        return {"momentum": momentum, **self._adamw().init(others)}

    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Change `params` and `state` in place. `lr` is in force at this step; `step` counts from 1."""
        matrices, others = _parted(params)
        for name, w in matrices.items():
            g, m = grads[name], state["momentum"][name]
            m.lerp_(g, 1 - self.momentum)
            move = orthogonal(g.lerp(m, self.momentum))
            w.mul_(1 - lr * self.decay_of(w))
            w.sub_(move, alpha=lr * max(1.0, w.shape[0] / w.shape[1]) ** 0.5)
        adamw_lr = self.adamw_learning_rate * lr / self.learning_rate
        self._adamw().update(others, grads, state, adamw_lr, step)

    def _adamw(self) -> AdamW:
        return AdamW(weight_decay=self.weight_decay, decays=self.decays, beta1=self.beta1, beta2=self.beta2)


def orthogonal(g: Tensor) -> Tensor:
    """The matrix `g` with its singular values brought to about 1 (0.7 to 1.2), its singular vectors kept."""
    a, b, c = QUINTIC
    x = g.T if g.shape[0] > g.shape[1] else g
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(a * x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x)
    return x.T if g.shape[0] > g.shape[1] else x


def _parted(params: Tensors) -> tuple[Tensors, Tensors]:
    def hidden(name: str, p: Tensor) -> bool:
        return p.ndim == 2 and not name.startswith(("embed.", "unembed.", "layers.0."))

    matrices = {n: p for n, p in params.items() if hidden(n, p)}
    return matrices, {n: p for n, p in params.items() if n not in matrices}
