"""Residual network of small convolutions on a picture, with what stands beside the picture in a branch of its own.

Suffixes: B and N examples, T features, C channels, V outputs.
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
from .features import as_features, feeding, pictured, side_of
from .learner import Learner
from .shape import Shape

Norm = Literal["layernorm", "batchnorm", "none"]


class ResNet(Component):
    """Convolutional ReLU-ResNet: stem, blocks `relu(x + norm(conv(relu(norm(conv(x))))))`, and two linear maps.

    The first side * side features are the picture; the others, e.g. the size of a code, pass a linear map and join
    before the last two. With 64 channels, 5 blocks and LayerNorm it is the expert for 6 x 6 matrices with 3 numbers
    beside them, of 1,027,585 parameters, that the public project *Learning the m-height* trains.
    """

    kind: Literal["resnet"] = "resnet"
    channels: int = Field(16, ge=1)
    """Channels of every convolution."""
    blocks: int = Field(2, ge=0, le=64)
    """Residual blocks of two 3 x 3 convolutions."""
    norm: Norm = "layernorm"
    """After each convolution: over channels and pixels of one example, over the batch, or nothing."""
    side: int | None = Field(None, ge=1, json_schema_extra={"unit": "pixels"})
    """Height and width of the picture; left out: the largest square that the features hold."""
    beside: int = Field(64, ge=1, json_schema_extra={"unit": "features"})
    """Width of the branch of what stands beside the picture."""
    hidden: int = Field(256, ge=1, json_schema_extra={"unit": "features"})
    """Width between the last two linear maps."""
    dropout: float = Field(0.0, ge=0, lt=1, json_schema_extra={"unit": "probability"})
    """Dropout before the last linear map."""
    init_scale: float = Field(1.0, gt=0)
    """Factor on all initial parameters but the norms'."""

    @property
    def draws_noise(self) -> bool:
        """Whether a training pass consumes random numbers."""
        return self.dropout > 0

    @property
    def plain_because(self) -> str | None:
        """Why nothing is shared between examples, in words for the run's notices; None: nothing to say."""
        return None

    def build(self, shape: Shape, seed: int) -> ResNetModule:
        """The model with its initial weights, a function of the seed alone.

        Raises:
            SpecError: The task has tokens, or fewer features than the picture has pixels.
        """
        module = ResNetModule(self, shape, side_of(shape, self.side, self.kind))
        initial.default(module, seed, self.init_scale)
        return module


class ResNetModule(Learner):
    """The weights of a `ResNet`."""

    def __init__(self, spec: ResNet, shape: Shape, side: int) -> None:
        super().__init__()
        self.side, self.dropout = side, spec.dropout
        others = shape.length - side * side
        self.stem = Convolution(1, spec.channels, side, spec.norm)
        self.blocks = nn.ModuleList(Block(spec.channels, side, spec.norm) for _ in range(spec.blocks))
        self.beside = nn.Linear(others, spec.beside) if others else None
        self.hidden = nn.Linear(spec.channels * side * side + (spec.beside if others else 0), spec.hidden)
        self.unembed = nn.Linear(spec.hidden, shape.labels)

    def forward(self, inputs_BT: Tensor) -> Tensor:
        """Outputs (B, V) for features: floats, or bytes that mean byte / 255."""
        return self.answer(as_features(inputs_BT, self.unembed.weight))

    def feed(self, inputs_NT: Tensor, *, fixed_shapes: bool = False) -> Callable[[Tensor], Tensor]:
        """From indices of examples to what `answer` takes."""
        return feeding(inputs_NT, self.unembed.weight)

    def answer(self, fed: Tensor) -> Tensor:
        """Outputs (B, V); the same as `forward`."""
        x, others_BC = pictured(fed, self.side)
        x = F.relu(self.stem(x))
        for block in self.blocks:
            x = block(x)
        x = x.flatten(1)
        if self.beside is not None:
            x = torch.cat([x, F.relu(self.beside(others_BC))], 1)
        outputs_BV: Tensor = self.unembed(F.dropout(F.relu(self.hidden(x)), self.dropout, self.training))
        return outputs_BV


class Convolution(nn.Sequential):
    """A 3 x 3 convolution that keeps the size, and its norm."""

    def __init__(self, inputs: int, channels: int, side: int, norm: Norm) -> None:
        norms: dict[Norm, nn.Module] = {
            "layernorm": nn.LayerNorm([channels, side, side]),
            "batchnorm": nn.BatchNorm2d(channels),
            "none": nn.Identity(),
        }
        super().__init__(nn.Conv2d(inputs, channels, 3, padding=1), norms[norm])


class Block(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, channels: int, side: int, norm: Norm) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, side, norm)
        self.second = Convolution(channels, channels, side, norm)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """The definition."""
        return F.relu(x_BCHW + self.second(F.relu(self.first(x_BCHW))))
