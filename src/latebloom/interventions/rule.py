"""What every intervention is: a frozen rule with `(init, update)`, whose state is a value. As an optimizer has it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from ..base.component import Component

Tensors = Mapping[str, Tensor]
State = dict[str, dict[str, Tensor]]  # slot -> name -> tensor, e.g. state["slow"]["unembed.weight"]

Place = Literal["penalty", "gradients", "decay", "weights"]
"""Where in a step an intervention acts; `engine/step.py` is the page on the order."""
PLACES: tuple[Place, ...] = get_args(Place)


class Intervention(Component):
    """Interface. A leaf adds `kind`, its own fields, `acts`, `init` and `update`."""

    kind: str
    acts: ClassVar[Place]

    @abstractmethod
    def init(self, params: Tensors, seed: int) -> State:
        """The state before the first update.

        Args:
            params: The trained parameters by name, with their initial values.
            seed: The run's seed, for those that draw numbers.
        """

    @abstractmethod
    def update(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Change `grads` or `params`, and `state`, in place.

        Args:
            params: The parameters by name.
            grads: The gradients of this step, by the names of those parameters that have one.
            state: As `init` made it.
            lr: The learning rate in force, 1/step.
            step: Number of this update, counted from 1.
        """

    def readings(self, params: Tensors) -> dict[str, float]:
        """What it adds to the objective, e.g. `{"penalty/l1": 0.71}`, in the unit of the loss; usually nothing."""
        return {}


def norm(tensors: Iterable[Tensor]) -> Tensor:
    """L2 norm of all numbers of all tensors together, a scalar tensor."""
    together: Tensor = torch.stack(torch._foreach_norm(list(tensors))).norm()
    return together
