"""What a measure may look at: the model as it is now, and the task's examples. It never touches either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..losses import Loss


@dataclass(frozen=True)
class View:
    """The running experiment, for reading only."""

    module: nn.Module
    feed: Callable[[Tensor], Any]  # see `latebloom.models`
    labels_N: Tensor
    loss: Loss
    cuts: dict[str, dict[str, Tensor]]  # `train` and `val` -> operation -> indices of examples
