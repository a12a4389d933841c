"""Binary operations on a symmetric group, from Power et al. (2022): inputs `a ∘ b =`, label c.

See `algebra.permutations`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from ..algebra.permutations import MAX_DEGREE, OPERATIONS, operation_table, permutations
from ..base.component import Component
from .split import Split, equation_split


class Permutation(Component):
    """All equations a ∘ b = c of one operation on the permutations of 0 .. degree - 1.

    Examples are ordered by a, then b, both lexicographically; chance accuracy is 1 / degree!.

    Example:
        >>> split = Permutation(operation="compose", degree=3).split(seed=0)
        >>> split.example(3 * 6 + 1)  # b acts first: 0 -> 0 -> 1, 1 -> 2 -> 0, 2 -> 1 -> 2
        '[120] ∘ [021] = [102]'

    Source: Power et al. (2022), arXiv:2201.02177, appendix A.1.1.
    """

    kind: Literal["permutation"] = "permutation"
    # The table is the only list of names; mypy cannot look into it, pydantic can.
    operation: Literal[*OPERATIONS] = "compose"  # type: ignore[valid-type]
    """The operation: compose a ∘ b, conjugate a ∘ b ∘ a⁻¹, sandwich a ∘ b ∘ a."""
    degree: int = Field(5, ge=2, le=MAX_DEGREE)
    """How many numbers are permuted; the group has degree! elements."""
    train_fraction: float = Field(0.5, gt=0, lt=1)
    """Share of all examples that is for training; the rest is validation."""
    split_seed: int | None = None
    """Seed of the cut into training and validation. None: the run's seed."""

    @property
    def length(self) -> int:
        """Tokens per example."""
        return 4

    @property
    def operator(self) -> str:
        """The token that says what is asked."""
        return OPERATIONS[self.operation].token

    def split(self, seed: int) -> Split:
        """All equations, cut by `split_seed`, or else by the run's `seed`."""
        # Brackets keep the permutation [10] apart from the residue 10 when the two are mixed.
        elements = [f"[{''.join(map(str, row))}]" for row in permutations(self.degree)]
        seed = seed if self.split_seed is None else self.split_seed
        c_GG = operation_table(self.operation, self.degree)
        a_N, b_N = np.indices(c_GG.shape, dtype=np.int64).reshape(2, -1)
        cases = a_N, b_N, c_GG.ravel()
        return equation_split(self.operation, elements, self.operator, cases, self.train_fraction, seed)
