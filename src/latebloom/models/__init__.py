"""What learns. A model component builds a `Module` with its initial weights.

A module has `forward(inputs_BT)`, its plain definition, and a pair for training that computes the same with less:
`feed(inputs_NT)` prepares a whole set of examples once and returns a function from a batch's indices to what
`answer` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from pydantic import Field
from torch import Tensor

from ..base.component import table

from .mlp import Mlp
from .shape import Shape
from .transformer import Transformer

Model = Annotated[Transformer | Mlp, Field(discriminator="kind")]
MODELS = table(Model)


class Answers(Protocol):
    """What the engine asks of a module beyond `torch.nn.Module`."""

    def feed(self, inputs_NT: Tensor) -> Callable[[Tensor], Any]:
        """From indices of examples, (B,) int64, to what `answer` takes."""

    def answer(self, fed: Any) -> Tensor:
        """Logits (B, V)."""


__all__ = ["MODELS", "Answers", "Mlp", "Model", "Shape", "Transformer"]
