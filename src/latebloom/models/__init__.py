"""What learns. A model component builds a `Learner` with its initial weights."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..base.component import table
from .learner import Learner
from .mlp import Mlp
from .shape import Shape
from .transformer import Transformer

Model = Annotated[Transformer | Mlp, Field(discriminator="kind")]
MODELS = table(Model)

__all__ = ["MODELS", "Learner", "Mlp", "Model", "Shape", "Transformer"]
