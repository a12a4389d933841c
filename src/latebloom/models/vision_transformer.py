"""Transformer on the patches of a picture, with what stands beside the picture added before the answer.

Suffixes: B and N examples, T features, P patches, D width, V outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Self

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from ..base.component import Component
from ..base.errors import SpecError
from . import initial
from .features import as_features, feeding, pictured, side_of
from .learner import Learner
from .shape import Shape


class VisionTransformer(Component):
    """Encoder of patches (Dosovitskiy et al. 2020, arXiv:2010.11929), pooled by their mean.

    The first side * side features are the picture. The others, e.g. the size of a code, are mapped to the width and
    added to the pooled patches. Its defaults are the baseline of the public project *Learning the m-height*.
    """

    kind: Literal["vision_transformer"] = "vision_transformer"
    patch: int = Field(3, ge=1, json_schema_extra={"unit": "pixels"})
    """Height and width of a patch; must divide the side of the picture."""
    layers: int = Field(6, ge=1, le=64)
    """Number of blocks."""
    width: int = Field(128, ge=1, json_schema_extra={"unit": "features"})
    """Width of the residual stream."""
    heads: int = Field(8, ge=1)
    """Attention heads; must divide the width."""
    mlp_width: int = Field(512, ge=1, json_schema_extra={"unit": "features"})
    """Hidden width of each block's MLP."""
    dropout: float = Field(0.1, ge=0, lt=1, json_schema_extra={"unit": "probability"})
    """Dropout inside the blocks."""
    side: int | None = Field(None, ge=1, json_schema_extra={"unit": "pixels"})
    """Height and width of the picture; left out: the largest square that the features hold."""
    init_scale: float = Field(1.0, gt=0)
    """Factor on all initial parameters but the norms'."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads = {self.heads} does not divide width = {self.width}")
        return self

    @property
    def draws_noise(self) -> bool:
        """Whether a training pass consumes random numbers."""
        return self.dropout > 0

    @property
    def plain_because(self) -> str | None:
        """Why nothing is shared between examples, in words for the run's notices; None: nothing to say."""
        return None

    def build(self, shape: Shape, seed: int) -> VisionTransformerModule:
        """The model with its initial weights, a function of the seed alone.

        Raises:
            SpecError: The task has tokens, or too few features, or the patches do not tile the picture.
        """
        side = side_of(shape, self.side, self.kind)
        if side % self.patch:
            fitting = [p for p in range(1, side + 1) if side % p == 0]
            raise SpecError(
                f"model.patch = {self.patch} does not divide the picture's side of {side}; these do: {fitting}"
            )
        module = VisionTransformerModule(self, shape, side)
        initial.default(module, seed, self.init_scale)
        fan_in = self.patch * self.patch
        initial.uniform(module.position_PD, seed, "position_PD", fan_in, self.init_scale)
        for place, block in enumerate(module.blocks):  # torch keeps query, key and value in one matrix of its own
            for name in ("in_proj_weight", "in_proj_bias"):
                parameter = getattr(block.self_attn, name)
                initial.uniform(parameter, seed, f"blocks.{place}.self_attn.{name}", self.width, self.init_scale)
        return module


class VisionTransformerModule(Learner):
    """The weights of a `VisionTransformer`."""

    def __init__(self, spec: VisionTransformer, shape: Shape, side: int) -> None:
        super().__init__()
        self.side, self.patch, width = side, spec.patch, spec.width
        others = shape.length - side * side
        self.embed = nn.Linear(spec.patch**2, width)
        self.position_PD = nn.Parameter(torch.empty((side // spec.patch) ** 2, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, spec.heads, spec.mlp_width, spec.dropout, F.gelu, batch_first=True, norm_first=True
            )
            for _ in range(spec.layers)
        )
        self.beside = nn.Linear(others, width) if others else None
        self.norm = nn.LayerNorm(width)
        self.unembed = nn.Linear(width, shape.labels)

    def forward(self, inputs_BT: Tensor) -> Tensor:
        """Outputs (B, V) for features: floats, or bytes that mean byte / 255."""
        return self.answer(as_features(inputs_BT, self.unembed.weight))

    def feed(self, inputs_NT: Tensor, *, fixed_shapes: bool = False) -> Callable[[Tensor], Tensor]:
        """From indices of examples to what `answer` takes."""
        return feeding(inputs_NT, self.unembed.weight)

    def answer(self, fed: Tensor) -> Tensor:
        """Outputs (B, V); the same as `forward`."""
        picture_B1HW, others_BC = pictured(fed, self.side)
        patches_BPF = F.unfold(picture_B1HW, self.patch, stride=self.patch).transpose(1, 2)
        x_BPD = self.embed(patches_BPF) + self.position_PD
        for block in self.blocks:
            x_BPD = block(x_BPD)
        pooled_BD = x_BPD.mean(1)
        if self.beside is not None:
            pooled_BD = pooled_BD + self.beside(others_BC)
        outputs_BV: Tensor = self.unembed(self.norm(pooled_BD))
        return outputs_BV
