"""The other side: the transformer a user writes with torch.nn, trained as tutorials train it."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
