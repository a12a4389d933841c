"""One optimizer update, in this order:

batch   = examples of this step                         a function of (seed, step)
loss    = mean over the batch of the loss                refused unless finite; dropout acts in here
          + violation * mean shortfall                   where answers are below what is known
grads   = d loss / d parameters                          refused unless finite
rate    = learning rate * schedule(step)

grads   = grads + d penalty / d parameters               interventions on the objective: l1
grads   = filter(grads)                                  on gradients: grokfast, ortho_grad, noise, clip
weights = decay(weights, rate)                           decays that are not the optimizer's own
weights = optimizer(weights, grads, its state, rate)     its own weight decay included
weights = project(weights)                               on weights: norm_rescale, norm_clamp

Interventions that act at the same place do so in the order in which the recipe lists them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..base import seeds
from ..base.errors import DivergedError
from ..interventions import PLACES, Intervention
from ..losses import Log2SquaredError
from ..spec import RunSpec
from ..tasks import Split
from .batches import BatchStream
from .device import flushed
from .state import State, interventions


class Step:
    """Makes one update after the other. Holds no state of its own: what it prepares follows from spec and split."""

    def __init__(self, spec: RunSpec, split: Split, state: State) -> None:
        self.spec, self.state, self.params = spec, state, state.params
        self.batches = BatchStream(spec.batch, split, spec.seed)
        self.labels_N = torch.from_numpy(split.labels_N)
        floors_N = split.floors_N if isinstance(spec.loss, Log2SquaredError) and spec.loss.violation else None
        self.floors_N = None if floors_N is None else torch.from_numpy(floors_N)
        # Only training examples: the fewer sequences a trie knows, the fewer prefixes they can differ in.
        self.place_N = torch.full((len(split.labels_N),), -1)
        train_M = torch.from_numpy(split.train_M)
        self.place_N[train_M] = torch.arange(len(train_M))
        inputs_MT = torch.from_numpy(split.inputs_NT)[train_M]
        self.feed: Callable[[Tensor], Any] = state.module.feed(inputs_MT, fixed_shapes=spec.compile)
        self.always = self._fed(self.batches.at(1)) if self.batches.full else None
        named = sorted(interventions(spec).items(), key=lambda one: PLACES.index(one[1].acts))  # stable
        self.before = [one for one in named if one[1].acts != "weights"]
        self.after = [one for one in named if one[1].acts == "weights"]
        self.loss_of = torch.compile(self._loss, dynamic=False) if spec.compile else self._loss
        # Where a pixel is seldom or a unit is dead, a memory decays below 1e-38, and a CPU is many times slower there.
        # Taken as 0 instead, it moves no weight. Runs on tokens keep the bits of memories that they always had.
        self.flush = not split.vocabulary

    def update(self) -> float:
        """Take the next step and return the loss of its batch.

        Raises:
            DivergedError: Loss or gradient is not finite; weights and optimizer are as before the step.
        """
        step = self.state.step + 1
        if self.spec.model.draws_noise:
            torch.manual_seed(seeds.integer(self.spec.seed, "noise", step))
        loss = self.loss_of(*(self.always or self._fed(self.batches.at(step))))
        value = loss.item()
        if not math.isfinite(value):
            check_finite(self.state.tensors, f"the loss of step {step:,} is {value}: the state before it")
            raise DivergedError(f"the loss of step {step:,} is {value}, from a state that is finite")
        grads = dict(zip(self.params, torch.autograd.grad(loss, list(self.params.values())), strict=True))
        check_finite(grads, f"the gradient of step {step:,}")
        rate = self.spec.optimizer.learning_rate * self.spec.schedule.factor(step)
        with torch.no_grad(), flushed(self.flush):
            self._intervene(self.before, grads, rate, step)
            self.spec.optimizer.update(self.params, grads, self.state.optimizer, rate, step)
            self._intervene(self.after, grads, rate, step)
        total, count = self.state.batches
        self.state.step, self.state.batches = step, (total + value, count + 1)
        return value

    def _intervene(
        self, those: list[tuple[str, Intervention]], grads: dict[str, Tensor], rate: float, step: int
    ) -> None:
        for name, one in those:
            one.update(self.params, grads, self.state.interventions[name], rate, step)

    def _fed(self, batch_B: Tensor) -> tuple[Any, ...]:
        known = () if self.floors_N is None else (self.floors_N[batch_B],)
        return self.feed(self.place_N[batch_B]), self.labels_N[batch_B], *known

    def _loss(self, fed: Any, labels_B: Tensor, floors_B: Tensor | None = None) -> Tensor:
        outputs_BV = self.state.module.answer(fed)
        loss = self.spec.loss.per_example(outputs_BV, labels_B).mean()
        if floors_B is not None and isinstance(self.spec.loss, Log2SquaredError):
            loss = loss + self.spec.loss.violation * self.spec.loss.shortfall(outputs_BV, floors_B).mean()
        return loss


def check_finite(tensors: dict[str, Tensor], what: str) -> None:
    """Refuse NaN and infinity, naming every tensor that has one.

    Raises:
        DivergedError: E.g. "the gradient of step 812 is not finite in unembed.weight (3 of 12,416 numbers)".
    """
    tensors = {name: t for name, t in tensors.items() if t.is_floating_point()}
    norms = torch.stack(torch._foreach_norm(list(tensors.values())))
    if bool(norms.isfinite().all()):
        return
    bad = {name: int((~t.isfinite()).sum()) for name, t in tensors.items()}
    named = [f"{name} ({count:,} of {tensors[name].numel():,} numbers)" for name, count in bad.items() if count]
    if named:  # otherwise only the norm itself overflowed
        raise DivergedError(f"{what} is not finite in {', '.join(named)}")
