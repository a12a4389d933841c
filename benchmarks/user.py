"""The other side: the networks that a user writes with torch.nn, trained as tutorials train them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class UserTransformer(nn.Module):
    """Embeddings, torch.nn.TransformerEncoder with a causal mask, and a linear map of the last position."""

    def __init__(self, vocabulary: int, length: int, labels: int, *, layers: int, width: int, norm: bool, bias: bool):
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, activation="relu", batch_first=True, norm_first=True, bias=bias
        )
        if not norm:
            layer.norm1, layer.norm2 = nn.Identity(), nn.Identity()  # type: ignore[assignment]
        last = nn.LayerNorm(width) if norm else None
        self.encoder = nn.TransformerEncoder(layer, layers, norm=last, enable_nested_tensor=False)
        self.unembed = nn.Linear(width, labels, bias=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))
        self.register_buffer("places", torch.arange(length))

    def forward(self, inputs_BT: Tensor) -> Tensor:
        """Logits (B, V)."""
        x_BTD = self.token(inputs_BT) + self.position(self.places)
        logits_BV: Tensor = self.unembed(self.encoder(x_BTD, mask=self.mask, is_causal=True)[:, -1])
        return logits_BV


def user_step(
    module: nn.Module,
    inputs_NT: Tensor,
    labels_N: Tensor,
    batch_at: Callable[[int], Tensor],
    *,
    fused: bool,
    compile_: bool,
) -> Callable[[int], float]:
    """One training step as a user writes it: forward, zero_grad, backward, AdamW."""
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=1.0, betas=(0.9, 0.98), fused=fused)
    run = torch.compile(module, dynamic=False) if compile_ else module

    def step(round_: int) -> float:
        batch_B = batch_at(round_)
        loss = F.cross_entropy(run(inputs_NT[batch_B]), labels_N[batch_B])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.item()

    return step


def user_mlp(sizes: list[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(sizes):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def user_mlp_step(
    module: nn.Module,
    inputs_NT: Tensor,
    labels_N: Tensor,
    batch_at: Callable[[int], Tensor],
    *,
    fused: bool | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.01,
) -> Callable[[int], float]:
    """One training step as a user writes it: squared error on one-hot labels, made once; AdamW."""
    one_hot_NV = F.one_hot(labels_N).to(inputs_NT.dtype)
    loss_of = nn.MSELoss()
    optimizer = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=fused)

    def step(round_: int) -> float:
        batch_B = batch_at(round_)
        loss = loss_of(module(inputs_NT[batch_B]), one_hot_NV[batch_B])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


class UserBlock(nn.Module):
    """Two convolutions with LayerNorm beside the identity."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm1 = nn.LayerNorm([channels, side, side])
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.LayerNorm([channels, side, side])

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Of the same shape."""
        return F.relu(x_BCHW + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x_BCHW))))))


class UserResNet(nn.Module):
    """The network of the project *Learning the m-height*: a picture, and a branch for the numbers beside it."""

    def __init__(self, channels: int, blocks: int, hidden: int, *, side: int = 6, numbers: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.norm = nn.LayerNorm([channels, side, side])
        self.blocks = nn.Sequential(*[UserBlock(channels, side) for _ in range(blocks)])
        self.numbers = nn.Linear(numbers, 64)
        self.hidden = nn.Linear(channels * side * side + 64, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, picture_B1HW: Tensor, numbers_BC: Tensor) -> Tensor:
        """Heights (B,)."""
        x = self.blocks(F.relu(self.norm(self.stem(picture_B1HW)))).flatten(1)
        x = torch.cat([x, F.relu(self.numbers(numbers_BC))], dim=1)
        heights_B: Tensor = self.out(F.relu(self.hidden(x))).squeeze(1)
        return heights_B


def user_batches(dataset: TensorDataset, size: int) -> Callable[[int], list[Tensor]]:
    """One shuffled pass of a DataLoader after the other; call for the next batch."""
    loader = DataLoader(dataset, batch_size=size, shuffle=True, drop_last=True)
    batches = iter(loader)

    def batch_at(_: int) -> list[Tensor]:
        nonlocal batches
        while (batch := next(batches, None)) is None:
            batches = iter(loader)
        return list(batch)

    return batch_at


def user_height_step(
    module: nn.Module,
    batch_at: Callable[[int], list[Tensor]],
    *,
    fused: bool | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.01,
) -> Callable[[int], float]:
    """One training step as a user writes it: squared error of log2 of the height; AdamW."""
    optimizer = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=fused)

    def step(round_: int) -> float:
        pictures, numbers, labels = batch_at(round_)
        heights = module(pictures, numbers)
        loss = ((torch.log2(heights.clamp(min=1e-9)) - labels) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return float(loss.item())

    return step
