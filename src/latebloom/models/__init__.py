"""What learns. A model component builds a `Learner` with its initial weights."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..base.component import table
from .learner import Learner
from .mixture_of_experts import MixtureOfExperts
from .mlp import Mlp
from .resnet import ResNet
from .shape import Shape
from .transformer import Transformer
from .vision_transformer import VisionTransformer

Model = Annotated[Transformer | Mlp | ResNet | VisionTransformer | MixtureOfExperts, Field(discriminator="kind")]
MODELS = table(Model)

__all__ = [
    "MODELS",
    "Learner",
    "MixtureOfExperts",
    "Mlp",
    "Model",
    "ResNet",
    "Shape",
    "Transformer",
    "VisionTransformer",
]
