"""What the engine trains: a `torch.nn.Module` that also knows how to be fed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


class Learner(nn.Module):
    """Interface of every model's weights.

    `forward(inputs_BT)` is the plain definition. `feed` and `answer` compute the same for training with less:
    `feed(inputs_NT)` prepares a whole set of examples once.
    """

    @abstractmethod
    def feed(self, inputs_NT: Tensor, *, fixed_shapes: bool = False) -> Callable[[Tensor], Any]:
        """From indices of examples, (B,) int64, to what `answer` takes; equally large at every step if asked so."""

    @abstractmethod
    def answer(self, fed: Any) -> Tensor:
        """Logits (B, V)."""
