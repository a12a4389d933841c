"""Checkpoints of other programs, opened without running a line of what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..base.errors import StoreError

Shapes = dict[str, tuple[tuple[int, ...], str]]  # name -> shape, type


def tensors_of(path: Path) -> Shapes:
    """Names, shapes and types of all tensors in a file that `torch.save` wrote, at any depth.

    Raises:
        StoreError: Not such a file, or one that holds more than tensors and plain data.
    """
    try:
        # Never without weights_only: a pickle is a program. mmap, so that a large file is not read.
        found = torch.load(path, weights_only=True, map_location="meta", mmap=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else repr(error)
        raise StoreError(
            f"{path} is no checkpoint of tensors and plain data, so it is not opened: {first} "
            "Ask its author for a file with the state_dict alone."
        ) from None
    shapes: Shapes = {}
    _collect(found, "", shapes)
    return shapes


def _collect(value: Any, name: str, shapes: Shapes) -> None:
    if isinstance(value, Tensor):
        shapes[name] = (tuple(value.shape), str(value.dtype).removeprefix("torch."))
    elif isinstance(value, dict | list | tuple):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in inner:
            _collect(part, f"{name}/{key}".lstrip("/"), shapes)
