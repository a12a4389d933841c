"""Binary operations on residues, from Power et al. (2022): inputs `a ∘ b =`, label c. See `algebra.modular`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from ..algebra.modular import MAX_MODULUS, OPERATIONS, equations, why_not_prime
from ..base.component import Component
from .split import Split, equation_split


class Modular(Component):
    """All equations a ∘ b = c of one operation on the residues 0 .. modulus - 1.

    Examples are ordered by ascending a, then b; chance accuracy is 1 / modulus.

    Example:
        >>> split = Modular(operation="divide", modulus=97).split(seed=0)
        >>> split.example(97), len(split.train_M), len(split.val_M)    # 49 * 2 = 98 = 1 (mod 97)
        ('1 / 2 = 49', 4656, 4656)

    Source: Power et al. (2022), arXiv:2201.02177, appendix A.1.1.
    """

    kind: Literal["modular"] = "modular"
    # The table is the only list of names; mypy cannot look into it, pydantic can.
    operation: Literal[*OPERATIONS] = "divide"  # type: ignore[valid-type]
    """The operation: add, subtract, multiply, divide, ... (`algebra.modular.OPERATIONS`)."""
    modulus: int = Field(97, ge=2, le=MAX_MODULUS)
    """The number of residues; a prime where the operation divides."""
    train_fraction: float = Field(0.5, gt=0, lt=1)
    """Share of all examples that is for training; the rest is validation."""
    split_seed: int | None = None
    """Seed of the cut into training and validation. None: the run's seed."""

    @field_validator("modulus")
    @classmethod
    def _division_needs_a_prime(cls, modulus: int, info: ValidationInfo) -> int:
        operation = info.data.get("operation")  # absent if it was itself refused
        if operation and (problem := why_not_prime(operation, modulus)):
            raise ValueError(problem)
        return modulus

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
        elements = [str(residue) for residue in range(self.modulus)]
        seed = seed if self.split_seed is None else self.split_seed
        cases = equations(self.operation, self.modulus)
        return equation_split(self.operation, elements, self.operator, cases, self.train_fraction, seed)
