"""What every optimizer is: a frozen rule with `(init, update)`, whose state is a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field
from torch import Tensor

from ..base.component import Component

Tensors = Mapping[str, Tensor]
State = dict[str, dict[str, Tensor]]  # slot -> parameter name -> tensor, e.g. state["momentum"]["unembed.weight"]


class Rule(Component):
    """Fields that all optimizers have. A leaf adds `kind`, its own fields, `init` and `update`."""

    learning_rate: float = Field(1e-3, gt=0, json_schema_extra={"unit": "1/step"})
    """Step size, before the schedule's factor."""
    weight_decay: float = Field(0.0, ge=0)
    """Strength of the pull of decaying parameters towards zero; the optimizer's card says in which form."""
    decays: Literal["all", "matrices"] = "all"
    """Which parameters decay: all of them, or only those with two dimensions or more."""

    def decay_of(self, parameter: Tensor) -> float:
        """The weight decay that applies to one parameter."""
        return self.weight_decay if self.decays == "all" or parameter.ndim >= 2 else 0.0

    def by_decay(self, params: Tensors) -> list[tuple[float, list[str]]]:
        """Parameter names grouped by the decay that applies to them."""
        groups: dict[float, list[str]] = {}
        for name, parameter in params.items():
            groups.setdefault(self.decay_of(parameter), []).append(name)
        return list(groups.items())
