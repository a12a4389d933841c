"""What a task hands over: every example it has, and which of them are for training.

Suffixes: N examples, T tokens (or features) per example, M examples of one part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """The examples of one operation, e.g. the division half of a mixture."""

    train_M: NDArray[np.int64]  # indices into the split's examples
    val_M: NDArray[np.int64]
    share: float = 1.0  # of every training batch; the shares of a split sum to 1


@dataclass(frozen=True)
class Split:
    """A fully enumerated task: all its examples, cut once into training and validation."""

    inputs_NT: NDArray[np.int64]  # token ids
    labels_N: NDArray[np.int64]  # ids into label_names
    vocabulary: tuple[str, ...]  # what each token id means
    label_names: tuple[str, ...]  # what each label means; chance accuracy is 1 / len(label_names)
    parts: dict[str, Part]  # by operation; one entry unless the task is a mixture

    @property
    def train_M(self) -> NDArray[np.int64]:
        """Indices of all training examples, part by part."""
        return np.concatenate([part.train_M for part in self.parts.values()])

    @property
    def val_M(self) -> NDArray[np.int64]:
        """Indices of all validation examples, part by part."""
        return np.concatenate([part.val_M for part in self.parts.values()])
