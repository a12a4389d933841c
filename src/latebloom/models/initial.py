"""Initial weights as a function of the seed and the parameter's name alone.

A parameter's numbers do not depend on which other parameters exist, nor on torch's generator.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..base import seeds

EMBEDDING_STD = 0.1


def normal(module: nn.Module, seed: int, init_scale: float = 1.0) -> None:
    """Fill `module` in place: linear maps normal with std 1 / sqrt(fan in), embeddings with std 0.1, biases zero.

    Args:
        module: With Linear and Embedding submodules at any depth; LayerNorms stay the identity.
        seed: The run's seed.
        init_scale: Factor on everything drawn.
    """
    with torch.no_grad():
        for path, part in module.named_modules():
            if isinstance(part, nn.Linear | nn.Embedding):
                std = part.in_features**-0.5 if isinstance(part, nn.Linear) else EMBEDDING_STD
                numbers = seeds.stream(seed, f"init/{path}.weight").standard_normal(part.weight.shape, np.float32)
                part.weight.copy_(torch.from_numpy(numbers)).mul_(std * init_scale)
                if isinstance(part, nn.Linear) and part.bias is not None:
                    part.bias.zero_()


def uniform(parameter: Tensor, seed: int, name: str, fan_in: int, init_scale: float = 1.0) -> None:
    """Fill one weight or bias in place, uniform in +-init_scale / sqrt(fan in): torch's default for Linear."""
    with torch.no_grad():
        numbers = seeds.stream(seed, f"init/{name}").random(tuple(parameter.shape), np.float32)
        parameter.copy_(torch.from_numpy(numbers)).mul_(2).sub_(1).mul_(init_scale * fan_in**-0.5)


def default(module: nn.Module, seed: int, init_scale: float = 1.0) -> None:
    """Fill every linear map and convolution in place as torch would: uniform in +-init_scale / sqrt(fan in)."""
    for path, part in module.named_modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            fan_in = part.weight[0].numel()
            for name, parameter in part.named_parameters(recurse=False):
                uniform(parameter, seed, f"{path}.{name}", fan_in, init_scale)
