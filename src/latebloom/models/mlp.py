"""Multilayer perceptron on features, e.g. pixels, or on one-hot tokens.

Suffixes: B and N examples, T positions or features, W hidden width, V labels.
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
from .features import as_features
from .learner import Learner
from .relu_layers import relu_layers
from .shape import Shape


class Mlp(Component):
    """Fully connected network; its first layer reads features as they are, and tokens one-hot, side by side."""

    kind: Literal["mlp"] = "mlp"
    width: int = Field(200, ge=1, json_schema_extra={"unit": "features"})
    """Width of every hidden layer."""
    depth: int = Field(2, ge=1, le=64)
    """Number of hidden layers."""
    activation: Activation = "relu"
    """Nonlinearity after each hidden layer."""
    init_scale: float = Field(1.0, gt=0)
    """Factor on all initial parameters, biases included. Above 1 delays generalization (Liu et al. 2022, Omnigrok)."""
    precision: Literal["float32", "float64"] = "float32"
    """Type of weights and features. Both start from the same weights, drawn in float32."""

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
        module = MlpModule(self, shape).to(getattr(torch, self.precision))
        for name, parameter in module.named_parameters():
            # Of tokens one in each position is 1, all others 0: what adds up are T numbers, not T x vocabulary.
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
        self.dense = not shape.vocabulary
        first = nn.Linear(shape.length, spec.width) if self.dense else OneHot(shape, spec.width)
        self.layers = nn.ModuleList([first, *hidden])
        self.unembed = nn.Linear(spec.width, shape.labels)
        self.activation = FUNCTIONS[spec.activation]

    def forward(self, inputs_BT: Tensor) -> Tensor:
        """Logits (B, V) for token ids (B, T) int64, or for features: floats, or bytes that mean byte / 255."""
        x = self.prepared(inputs_BT)
        for layer in self.layers:
            x = self.activation(layer(x))
        logits_BV: Tensor = self.unembed(x)
        return logits_BV

    def feed(self, inputs_NT: Tensor, *, fixed_shapes: bool = False) -> Callable[[Tensor], Tensor]:
        """From indices of examples to what `answer` takes."""
        prepared_NT = self.prepared(inputs_NT)
        return lambda batch_B: prepared_NT.index_select(0, batch_B)

    def answer(self, fed: Tensor) -> Tensor:
        """Logits (B, V); the same as `forward`."""
        if self.activation is not F.relu:
            return self.forward(fed)
        first, *rest = self.layers
        linear = [*rest, self.unembed]
        return relu_layers(fed, [first, *linear]) if self.dense else relu_layers(F.relu(first(fed)), linear)

    def prepared(self, inputs_NT: Tensor) -> Tensor:
        """Token ids as they are; features in the type of the weights, bytes divided by 255."""
        return as_features(inputs_NT, self.unembed.weight) if self.dense else inputs_NT
