"""Features as a network takes them: numbers in the type of its weights, a picture and what stands beside it.

Suffixes: N and B examples, T features, H = W pixels of a side, C numbers beside the picture.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..base.errors import SpecError
from .shape import Shape


def as_features(inputs_NT: Tensor, like: Tensor) -> Tensor:
    """Features in the type of `like`; bytes divided by 255."""
    features_NT = inputs_NT.to(like.dtype)
    return features_NT / 255 if inputs_NT.dtype == torch.uint8 else features_NT


def feeding(inputs_NT: Tensor, like: Tensor) -> Callable[[Tensor], Tensor]:
    """From indices of examples to their features in the type of `like`, which are made once."""
    features_NT = as_features(inputs_NT, like)
    return lambda batch_B: features_NT.index_select(0, batch_B)


def pictured(features_BT: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """The picture (B, 1, H, W) of the first side * side features, and the others (B, C)."""
    return features_BT[:, : side * side].reshape(-1, 1, side, side), features_BT[:, side * side :]


def side_of(shape: Shape, side: int | None, kind: str) -> int:
    """Pixels of a side: the one asked for, or the largest square that the features hold.

    Raises:
        SpecError: The task has tokens, or fewer features than the picture has pixels.
    """
    if shape.vocabulary:
        raise SpecError(
            f"model.kind = {kind} reads features, but an example of this task is {shape.length} tokens. "
            "Use model.kind=transformer or mlp."
        )
    if side is None:
        return int(shape.length**0.5)
    if side * side > shape.length:
        raise SpecError(
            f"model.side = {side} asks for {side * side} features of picture, but an example has {shape.length}. "
            "Leave it out to take the largest square."
        )
    return side
