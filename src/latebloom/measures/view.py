"""What a measure may look at: the model as it is now, and the task's examples. It never touches either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@dataclass(frozen=True)
class View:
    """The running experiment, for reading only."""

    module: nn.Module
    logits_of: Callable[[Tensor], Tensor]  # indices of examples (B,) -> logits (B, V)
    labels_N: Tensor
    loss_of: Callable[[Tensor, Tensor], Tensor]  # logits (B, V), labels (B,) -> loss of each example (B,)
    cuts: dict[str, dict[str, Tensor]]  # `train` and `val` -> operation -> indices of examples
    step: int = 0  # updates done
    seed: int = 0  # of the run, for measures that draw: by (seed, purpose, step)
    keep: Callable[[str, NDArray[Any]], None] = lambda name, array: None  # stored beside the readings of this step
    inputs_NT: Tensor = field(default_factory=lambda: torch.empty(0))  # of all examples, for `module.forward`
    predicted_of: Callable[[Tensor], Tensor] | None = (
        None  # logits (B, 1) -> numbers (B,), where the task asks for them
    )
    image_of: Callable[[NDArray[Any], np.random.Generator], NDArray[Any]] | None = (
        None  # random images of inputs (B, T) with the same labels, where the task knows a symmetry
    )
    floors_N: Tensor | None = None  # numbers that no label is below, where the task knows some
    before: dict[str, Tensor] | None = None  # the trained parameters before the last update, if they were kept
