"""Which examples a step sees: a function of (seed, step), so that there is no position to lose.

epoch          each operation's training examples pass by in shuffled order, again and again; step k takes
               the k-th slice of its share, so a batch is always full and may reach into the next epoch
replacement    independent draws at every step
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base import seeds
from ..base.errors import SpecError
from ..spec import Batches
from ..tasks import Split, share_counts


class BatchStream:
    """The batches of a run.

    Args:
        spec: Size and sampling.
        split: The task's examples. A mixture's shares hold exactly in every batch, in whole examples.
        seed: The run's seed.

    Raises:
        SpecError: A part would give more examples to one batch than it has.
    """

    def __init__(self, spec: Batches, split: Split, seed: int) -> None:
        self.seed, self.sampling = seed, spec.sampling
        self.parts = {name: part.train_M for name, part in split.parts.items()}
        self.all_B = torch.from_numpy(split.train_M) if spec.size is None else None
        shares = {name: part.share for name, part in split.parts.items()}
        self.counts = {} if spec.size is None else share_counts(spec.size, shares)
        too_large = [
            f"batch.size = {spec.size} asks for {count} different examples of {name} in every batch, but it has "
            f"{len(self.parts[name])} for training. Use a smaller batch, or null for the full batch."
            for name, count in self.counts.items()
            if count > len(self.parts[name]) and spec.sampling == "epoch"
        ]
        if too_large:
            raise SpecError(too_large)
        # an epoch is needed for its whole length, and at its end together with the next
        self._epoch = lru_cache(maxsize=2 * len(self.parts))(self._shuffled)

    @property
    def full(self) -> bool:
        """Whether every step sees all training examples."""
        return self.all_B is not None

    def at(self, step: int) -> Tensor:
        """Indices (B,) int64 of the examples of update `step`, counted from 1."""
        if self.all_B is not None:
            return self.all_B
        return torch.from_numpy(np.concatenate([self._draw(name, step) for name in self.parts]))

    def _draw(self, name: str, step: int) -> NDArray[np.int64]:
        examples_M, count = self.parts[name], self.counts[name]
        if self.sampling == "replacement":
            return examples_M[seeds.stream(self.seed, f"batches/{name}", step).integers(len(examples_M), size=count)]
        epoch, begin = divmod((step - 1) * count, len(examples_M))
        batch = self._epoch(name, epoch)[begin : begin + count]
        if len(batch) < count:
            batch = np.concatenate([batch, self._epoch(name, epoch + 1)[: count - len(batch)]])
        return batch

    def _shuffled(self, name: str, epoch: int) -> NDArray[np.int64]:
        return seeds.stream(self.seed, f"batches/{name}", epoch).permutation(self.parts[name])
