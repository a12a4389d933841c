"""Multilayer perceptron on one-hot tokens.

Suffixes: B examples, T positions, W hidden width, V labels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ..base.component import Component
from . import initial
from .activation import FUNCTIONS, Activation
from .learner import Learner
from .shape import Shape


class Mlp(Component):
    """Fully connected network; its first layer reads all tokens one-hot, side by side."""

    kind: Literal["mlp"] = "mlp"
    width: int = Field(200, ge=1, json_schema_extra={"unit": "features"})
    """Width of every hidden layer."""
    depth: int = Field(2, ge=1, le=64)
    """Number of hidden layers."""
    activation: Activation = "relu"
    """Nonlinearity after each hidden layer."""
    init_scale: float = Field(1.0, gt=0)
    """Factor on all initial parameters, biases included. Above 1 delays generalization (Liu et al. 2022, Omnigrok)."""

    @property
    def draws_noise(self) -> bool:
        """Whether a training pass consumes random numbers."""
        return False

    @property
    def plain_because(self) -> str | None:
        """Why nothing is shared between examples, in words for the run's notices; None: nothing to say."""
        return None

    def build(self, shape: Shape, seed: int) -> MlpModule:
        """The model with its initial weights, a function of the seed alone."""
        module = MlpModule(self, shape)
        for name, parameter in module.named_parameters():
            # One token in each position is 1, all others 0: what adds up in a unit are T numbers, not T x vocabulary.
            fan_in = shape.length if name.startswith("layers.0.") else self.width
            initial.uniform(parameter, seed, name, fan_in, self.init_scale)
        return module


class OneHot(nn.Module):
    """Linear map of one-hot tokens side by side, by looking its columns up."""

    offset_T: Tensor

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape.length * shape.vocabulary, width))
        self.bias = nn.Parameter(torch.empty(width))
        self.register_buffer("offset_T", torch.arange(shape.length) * shape.vocabulary, persistent=False)

    def forward(self, inputs_BT: Tensor) -> Tensor:
        """(B, W) pre-activations of token ids (B, T) int64."""
        return F.embedding_bag(inputs_BT + self.offset_T, self.weight, mode="sum") + self.bias


class MlpModule(Learner):
    """The weights of an `Mlp`."""

    def __init__(self, spec: Mlp, shape: Shape) -> None:
        super().__init__()
        hidden = [nn.Linear(spec.width, spec.width) for _ in range(spec.depth - 1)]
        self.layers = nn.ModuleList([OneHot(shape, spec.width), *hidden])
        self.unembed = nn.Linear(spec.width, shape.labels)
        self.activation = FUNCTIONS[spec.activation]

    def forward(self, inputs_BT: Tensor) -> Tensor:
        """Logits (B, V) for token ids (B, T) int64."""
        x = inputs_BT
        for layer in self.layers:
            x = self.activation(layer(x))
        logits_BV: Tensor = self.unembed(x)
        return logits_BV

    def feed(self, inputs_NT: Tensor, *, fixed_shapes: bool = False) -> Callable[[Tensor], Tensor]:
        """From indices of examples to what `answer` takes."""
        return lambda batch_B: inputs_NT[batch_B]

    def answer(self, fed: Tensor) -> Tensor:
        """Logits (B, V); the same as `forward`."""
        return self.forward(fed)
