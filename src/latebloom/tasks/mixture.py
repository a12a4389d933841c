"""Several tasks at once: does practising one operation bring another one forward?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ..base.component import Component
from .modular import Modular
from .parity import Parity
from .permutation import Permutation
from .split import Part, Split


class MixturePart(Component):
    """One task of a mixture, and how much of it."""

    share: float = Field(gt=0, allow_inf_nan=False)
    """Share of every training batch, in proportion to the other shares; they need not sum to 1."""
    task: Annotated[Modular | Permutation | Parity, Field(discriminator="kind")]
    """The task, with its own train_fraction and split_seed."""


class Mixture(Component):
    """Tasks of equal length side by side, over one vocabulary and one set of labels.

    Tokens and labels of the same name are the same token and label: the 5 of division is the 5 of addition, and
    [10] is no residue. Each part has its own operator: where two parts write it alike, it is followed by the name of
    the part. Every part is cut exactly as the same task alone, so a mixture and its controls train on the same
    examples. The order in which parts are written has no meaning; they are taken by name.

    Example:
        >>> parts = {
        ...     "divide": {"share": 3, "task": {"kind": "modular", "operation": "divide", "modulus": 5}},
        ...     "add": {"share": 1, "task": {"kind": "modular", "operation": "add", "modulus": 5}},
        ... }
        >>> split = Mixture(parts=parts).split(seed=0)
        >>> split.vocabulary
        ('0', '1', '2', '3', '4', '+', '=', '/')
        >>> {name: part.share for name, part in split.parts.items()}
        {'add': 0.25, 'divide': 0.75}
    """

    kind: Literal["mixture"] = "mixture"
    parts: dict[str, MixturePart] = Field(min_length=1)
    """The parts by name; readings such as `val/accuracy/divide` carry these names."""

    @field_validator("parts")
    @classmethod
    def _can_be_mixed(cls, parts: dict[str, MixturePart]) -> dict[str, MixturePart]:
        for name in parts:
            if not name.replace("_", "").replace("-", "").isalnum():
                raise ValueError(f"a part is named {name!r}; expected letters, digits, `_` and `-`, e.g. `divide`.")
        if len({part.task.length for part in parts.values()}) > 1:
            lengths = ", ".join(f"{name} has {part.task.length}" for name, part in parts.items())
            raise ValueError(
                f"all parts need equally many tokens per example, but {lengths}. "
                "An equation has 4, as has parity with bits = 4."
            )
        silent = [name for name, part in parts.items() if part.task.operator is None]
        if len(silent) > 1:
            raise ValueError(
                f"{' and '.join(silent)} are parity: the same bits would be asked for two labels, "
                "with nothing to tell them apart. Keep one of them."
            )
        return parts

    def split(self, seed: int) -> Split:
        """All examples of all parts, each part cut by its own `split_seed`, or else by the run's `seed`."""
        by_name = sorted(self.parts.items())
        uses = Counter(part.task.operator for part in self.parts.values())
        total = math.fsum(part.share for part in self.parts.values())
        tokens: dict[str, int] = {}
        labels: dict[str, int] = {}
        inputs, answers, parts = [], [], {}
        start = 0
        for name, part in by_name:
            alone = part.task.split(seed)
            shared_operator = part.task.operator if uses[part.task.operator] > 1 else None
            words = [f"{word} {name}" if word == shared_operator else word for word in alone.vocabulary]
            inputs.append(_ids(words, tokens)[alone.inputs_NT])
            answers.append(_ids(alone.label_names, labels)[alone.labels_N])
            parts[name] = Part(alone.train_M + start, alone.val_M + start, part.share / total)
            start += len(alone.labels_N)
        return Split(np.concatenate(inputs), np.concatenate(answers), tuple(tokens), tuple(labels), parts)


def _ids(names: Iterable[str], known: dict[str, int]) -> NDArray[np.int64]:
    """The id of each name; names not known yet are added to `known`."""
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)
