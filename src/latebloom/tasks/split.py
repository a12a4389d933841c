"""What a task hands over: every example it has, and which of them are for training.

Suffixes: N examples, T tokens (or features) per example, M examples of one part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import SpecError
from ..base.seeds import stream


@dataclass(frozen=True)
class Part:
    """The examples of one operation, e.g. the division half of a mixture."""

    train_M: NDArray[np.int64]  # indices into the split's examples, ascending
    val_M: NDArray[np.int64]
    share: float = 1.0  # of every training batch; the shares of a split sum to 1


@dataclass(frozen=True)
class Split:
    """All examples of a task, cut once into training and validation."""

    inputs_NT: NDArray[np.int64] | NDArray[np.uint8] | NDArray[np.floating]  # token ids; without vocabulary features
    labels_N: NDArray[np.int64] | NDArray[np.float64]  # ids into label_names; without label names numbers to predict
    vocabulary: tuple[str, ...]  # what each token id means; () for features: floats, or bytes that mean byte / 255
    label_names: tuple[str, ...]  # what each label means; () for numbers
    parts: dict[str, Part]  # by operation; one entry unless the task is a mixture
    image_of: Callable[[NDArray[Any], np.random.Generator], NDArray[Any]] | None = (
        None  # inputs (B, T) -> random images of them that have the same labels, where a symmetry is known
    )
    floors_N: NDArray[np.float64] | None = None  # numbers that no label is below, known without solving the task
    blind: float | None = None  # accuracy of always answering the commonest label, where that is the fair chance

    @property
    def outputs(self) -> int:
        """How many numbers a model answers with: one per label name, or the one to predict."""
        return max(1, len(self.label_names))

    @property
    def chance(self) -> float:
        """What knowing nothing scores: the accuracy of guessing, or the share of variance that a mean explains."""
        if self.blind is not None:
            return self.blind
        return 1 / len(self.label_names) if self.label_names else 0.0

    @property
    def train_M(self) -> NDArray[np.int64]:
        """Indices of all training examples, part by part."""
        return np.concatenate([part.train_M for part in self.parts.values()])

    @property
    def val_M(self) -> NDArray[np.int64]:
        """Indices of all validation examples, part by part."""
        return np.concatenate([part.val_M for part in self.parts.values()])

    def example(self, index: int) -> str:
        """One example in words, label last, e.g. `3 / 5 = 20`."""
        words = [self.vocabulary[token] if self.vocabulary else f"{token}" for token in self.inputs_NT[index]]
        label = self.labels_N[index]
        return " ".join([*words, self.label_names[int(label)] if self.label_names else f"{label:g}"])


def cut(count: int, train_fraction: float, seed: int, name: str) -> Part:
    """Draw which of `count` examples are for training.

    Args:
        count: How many examples there are.
        train_fraction: Of them for training, in (0, 1); the nearest whole number of examples, a half to the even one.
        seed: Whose stream `split/<name>` is used.
        name: What is cut, e.g. `divide`.

    Raises:
        SpecError: Nothing would be left to train on, or to validate on.

    Example:
        >>> part = cut(10, 0.3, seed=0, name="divide")
        >>> len(part.train_M), len(part.val_M)
        (3, 7)
    """
    train_count = round(train_fraction * count)
    if not 1 <= train_count <= count - 1:
        raise SpecError(
            f"train_fraction = {train_fraction:g} of the {count} examples of {name} leaves {train_count} for training "
            f"and {count - train_count} for validation; each needs at least 1. Try 0.5."
        )
    order_N = stream(seed, f"split/{name}").permutation(count)
    return Part(np.sort(order_N[:train_count]), np.sort(order_N[train_count:]))


def equation_split(
    name: str,
    elements: Sequence[str],
    operator: str,
    equations: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    train_fraction: float,
    seed: int,
) -> Split:
    """The split of a binary operation: inputs `a operator b =`, label c.

    Args:
        name: Of the operation, e.g. `divide`.
        elements: The names of what is combined; they are the first tokens, and the labels.
        operator: The token between a and b.
        equations: a_N, b_N, c_N, as positions in `elements`.
        train_fraction: See `cut`.
        seed: See `cut`.
    """
    a_N, b_N, c_N = equations
    inputs_NT = np.empty((len(c_N), 4), dtype=np.int64)
    inputs_NT[:, 0], inputs_NT[:, 2] = a_N, b_N
    inputs_NT[:, 1], inputs_NT[:, 3] = len(elements), len(elements) + 1
    part = cut(len(c_N), train_fraction, seed, name)
    return Split(inputs_NT, c_N, (*elements, operator, "="), tuple(elements), {name: part})


def share_counts(batch_size: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many examples of each part make one batch.

    The largest remainders are rounded up, so that every part gets its exact share rounded down or up; but a part
    gets at least 1 example, at the cost of the others. Of equal remainders the first by name is rounded up.

    Args:
        batch_size: Examples in a batch.
        shares: By part, > 0; only their proportions matter.

    Returns:
        Counts >= 1 by part, in the order of `shares`, that sum to `batch_size`.

    Raises:
        SpecError: Fewer examples than parts, or a share that is not a positive number.

    Example:
        >>> share_counts(512, {"divide": 0.5, "add": 0.5})
        {'divide': 256, 'add': 256}
        >>> share_counts(512, {"divide": 0.33, "add": 0.33, "subtract": 0.34})
        {'divide': 169, 'add': 169, 'subtract': 174}

    Source:
        Hamilton's method of apportionment (Hare quota, largest remainders).
    """
    for name, share in shares.items():
        if not 0 < share < math.inf:
            raise SpecError(f"share of {name} = {share}; expected a number > 0. Leave the part out instead of 0.")
    if batch_size < len(shares):
        raise SpecError(
            f"batch_size = {batch_size} is smaller than the {len(shares)} parts of the mixture; every batch needs at "
            f"least 1 example of each. Use {len(shares)} or more."
        )
    counts = dict.fromkeys(shares, 1)
    quota = {name: batch_size * share / math.fsum(shares.values()) for name, share in shares.items()}
    # A part below 1 keeps its 1 and the others share what is left. fsum rounds once, so the largest is never below 1.
    while any(exact < 1 for exact in quota.values()):
        above = {name: shares[name] for name, exact in quota.items() if exact >= 1}
        left = batch_size - (len(shares) - len(above))
        quota = {name: left * share / math.fsum(above.values()) for name, share in above.items()}
    counts |= {name: int(exact) for name, exact in quota.items()}
    # Rounded, so that parts which tie on paper tie here too, whatever the last bits of their floats say.
    lacking = sorted(quota, key=lambda name: (round(counts[name] - quota[name], 9), name))
    for name in lacking[: batch_size - sum(counts.values())]:
        counts[name] += 1
    return counts


def share_notice(batch_size: int, shares: Mapping[str, float]) -> str | None:
    """What a reader must know if a batch cannot have exactly the shares asked for; None if it can.

    Example:
        >>> share_notice(512, {"divide": 0.33, "add": 0.33, "subtract": 0.34})
        'divide/add/subtract at 0.33/0.33/0.34 of 512 are 169/169/174 examples (0.3301/0.3301/0.3398)'
        >>> share_notice(512, {"divide": 0.5, "add": 0.5}) is None
        True
    """
    counts = share_counts(batch_size, shares)
    total = math.fsum(shares.values())
    if all(math.isclose(counts[name] / batch_size, share / total) for name, share in shares.items()):
        return None
    asked = "/".join(f"{share:g}" for share in shares.values())
    given = "/".join(str(count) for count in counts.values())
    actual = "/".join(f"{count / batch_size:.4f}" for count in counts.values())
    return f"{'/'.join(shares)} at {asked} of {batch_size} are {given} examples ({actual})"
