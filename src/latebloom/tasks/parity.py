"""Sparse parity: whether an even or odd number of a few hidden bits is set.

Here / in the paper: `bits` is n, `subset_size` is k.
Source: Barak et al. (2022), arXiv:2207.08799; as a grokking task, Merrill et al. (2023), arXiv:2303.11873.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from ..base.component import Component
from ..base.seeds import stream
from .split import Split, cut


class Parity(Component):
    """All strings of `bits` bits; the label is the parity of the bits at a few positions.

    Examples count up in binary, position 0 being the most significant bit; chance accuracy is 1/2.

    Example:
        >>> split = Parity(bits=4, subset_size=2, positions=(0, 3)).split(seed=0)
        >>> split.example(0b1010), split.example(0b1001)
        ('1 0 1 0 odd', '1 0 0 1 even')

    Source: Barak et al. (2022), arXiv:2207.08799.
    """

    kind: Literal["parity"] = "parity"
    bits: int = Field(12, ge=2, le=20)
    """Bits per example; there are 2 ** bits examples."""
    subset_size: int = Field(3, ge=1)
    """How many of the bits decide the label."""
    positions: tuple[int, ...] | None = None
    """The deciding bits, counted from 0. None: drawn by the seed of the cut."""
    train_fraction: float = Field(0.5, gt=0, lt=1)
    """Share of all examples that is for training; the rest is validation."""
    split_seed: int | None = None
    """Seed of the positions and of the cut into training and validation. None: the run's seed."""

    @field_validator("subset_size")
    @classmethod
    def _no_more_than_there_are(cls, subset_size: int, info: ValidationInfo) -> int:
        if subset_size > info.data.get("bits", subset_size):
            raise ValueError(f"{subset_size} of {info.data['bits']} bits; expected 1 to {info.data['bits']}.")
        return subset_size

    @field_validator("positions")
    @classmethod
    def _distinct_and_inside(cls, positions: tuple[int, ...] | None, info: ValidationInfo) -> tuple[int, ...] | None:
        bits, size = info.data.get("bits"), info.data.get("subset_size")
        if positions is None or bits is None or size is None:
            return positions
        if len(set(positions)) != size or len(positions) != size or not all(0 <= at < bits for at in positions):
            raise ValueError(
                f"{list(positions)}; expected {size} (subset_size) different positions in 0 .. {bits - 1}."
            )
        return positions

    @property
    def length(self) -> int:
        """Tokens per example."""
        return self.bits

    @property
    def operator(self) -> None:
        """No token says what is asked: the example is the bits alone."""

    def split(self, seed: int) -> Split:
        """All strings, labelled and cut by `split_seed`, or else by the run's `seed`."""
        seed = seed if self.split_seed is None else self.split_seed
        inputs_NT = np.arange(2**self.bits, dtype=np.int64)[:, None] >> np.arange(self.bits)[::-1] & 1
        deciding = self.positions or self.draw_positions(seed)
        labels_N = inputs_NT[:, deciding].sum(axis=1) % 2
        part = cut(len(labels_N), self.train_fraction, seed, "parity")
        return Split(inputs_NT, labels_N, ("0", "1"), ("even", "odd"), {"parity": part})

    def draw_positions(self, seed: int) -> tuple[int, ...]:
        """The deciding bits that belong to a seed, ascending."""
        drawn = stream(seed, "parity").choice(self.bits, size=self.subset_size, replace=False)
        return tuple(sorted(drawn.tolist()))
