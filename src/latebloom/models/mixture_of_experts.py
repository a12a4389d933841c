"""Several networks of one kind and a gate that says which of them answer.

Suffixes: B and N examples, T features, G features that the gate reads, E experts, V outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self, cast

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from ..base import seeds
from ..base.component import Component
from ..base.errors import SpecError
from . import initial
from .features import as_features, feeding
from .learner import Learner
from .mlp import Mlp
from .resnet import ResNet
from .shape import Shape
from .vision_transformer import VisionTransformer

Expert = Annotated[ResNet | VisionTransformer | Mlp, Field(discriminator="kind")]


class HardGate(Component):
    """Expert i answers alone where the features equal case i."""

    kind: Literal["hard"] = "hard"
    cases: tuple[tuple[float, ...], ...] = ((9, 4), (9, 5), (9, 6), (10, 4), (10, 5), (10, 6))
    """What the features must be, for each expert: by default the size (n, k) of a linear code."""


class SoftGate(Component):
    """A small network weighs the experts, and of each example the heaviest few answer (Shazeer et al. 2017)."""

    kind: Literal["soft"] = "soft"
    active: int = Field(2, ge=1)
    """Experts that answer for one example; the softmax is taken over them."""
    hidden: int = Field(16, ge=1, json_schema_extra={"unit": "features"})
    """Hidden width of the gate."""
    centre: tuple[float, ...] = (9.5, 5.0)
    """Subtracted from the features before the gate reads them."""
    spread: tuple[float, ...] = (0.5, 0.8)
    """Divides what is left."""


class MixtureOfExperts(Component):
    """Experts of one kind, each with initial weights of its own, and a gate on a few of the features.

    Outputs are mixed before the loss gives them a meaning: with a logarithmic head that is a mixture of logarithms.
    """

    kind: Literal["mixture_of_experts"] = "mixture_of_experts"
    experts: int = Field(6, ge=1, le=256)
    """How many."""
    expert: Expert = ResNet()
    """What each of them is."""
    gate: Annotated[HardGate | SoftGate, Field(discriminator="kind")] = SoftGate()
    """Who answers."""
    reads: tuple[int, ...] = (-3, -2)
    """Places of the features that the gate reads, counted from the end if negative."""

    @model_validator(mode="after")
    def _gate_fits(self) -> Self:
        if isinstance(self.gate, SoftGate):
            if self.gate.active > self.experts:
                raise ValueError(f"gate.active = {self.gate.active} is more than the {self.experts} experts")
            wrong = {len(self.gate.centre), len(self.gate.spread)} - {len(self.reads)}
        else:
            if len(self.gate.cases) != self.experts:
                raise ValueError(f"gate.cases has {len(self.gate.cases)} cases for {self.experts} experts")
            wrong = {len(case) for case in self.gate.cases} - {len(self.reads)}
        if wrong:
            raise ValueError(f"the gate reads {len(self.reads)} features, but is given {min(wrong)} numbers for them")
        return self

    @property
    def draws_noise(self) -> bool:
        """Whether a training pass consumes random numbers."""
        return self.expert.draws_noise

    @property
    def plain_because(self) -> str | None:
        """Why nothing is shared between examples, in words for the run's notices; None: nothing to say."""
        return None

    def build(self, shape: Shape, seed: int) -> MixtureOfExpertsModule:
        """The model with its initial weights, a function of the seed alone.

        Raises:
            SpecError: The task has tokens, or fewer features than the gate or the experts read.
        """
        if shape.vocabulary or any(not -shape.length <= place < shape.length for place in self.reads):
            raise SpecError(
                f"model.reads = {list(self.reads)} are not places of {shape.length} features; this task has "
                f"{'tokens' if shape.vocabulary else f'features 0 to {shape.length - 1}'}"
            )
        return MixtureOfExpertsModule(self, shape, seed)


class MixtureOfExpertsModule(Learner):
    """The weights of a `MixtureOfExperts`."""

    cases_EG: Tensor
    centre_G: Tensor
    spread_G: Tensor

    def __init__(self, spec: MixtureOfExperts, shape: Shape, seed: int) -> None:
        super().__init__()
        self.reads, self.labels, gate = list(spec.reads), shape.labels, spec.gate
        own = [seeds.integer(seed, "init/expert", place) for place in range(spec.experts)]
        self.experts = nn.ModuleList(spec.expert.build(shape, one) for one in own)
        self.gate: nn.Sequential | None = None
        if isinstance(gate, SoftGate):
            self.active = gate.active
            hidden = nn.Linear(len(spec.reads), gate.hidden)
            self.gate = nn.Sequential(hidden, nn.ReLU(), nn.Linear(gate.hidden, spec.experts))
            initial.default(self.gate, seed)
            self.register_buffer("centre_G", torch.tensor(gate.centre), persistent=False)
            self.register_buffer("spread_G", torch.tensor(gate.spread), persistent=False)
        else:
            self.register_buffer("cases_EG", torch.tensor(gate.cases), persistent=False)

    def forward(self, inputs_BT: Tensor) -> Tensor:
        """Outputs (B, V) for features: floats, or bytes that mean byte / 255."""
        return self.answer(as_features(inputs_BT, next(self.parameters())))

    def feed(self, inputs_NT: Tensor, *, fixed_shapes: bool = False) -> Callable[[Tensor], Tensor]:
        """From indices of examples to what `answer` takes."""
        return feeding(inputs_NT, next(self.parameters()))

    def weights(self, fed_BT: Tensor) -> Tensor:
        """(B, E) how much each expert counts, 0 for those that are not asked; rows sum to 1.

        Raises:
            SpecError: A hard gate has no case for an example.
        """
        read_BG = fed_BT[:, self.reads]
        if self.gate is None:
            weights_BE = (read_BG[:, None] == self.cases_EG).all(2).to(fed_BT.dtype)
            if bool((weights_BE.sum(1) != 1).any()):
                odd = read_BG[weights_BE.sum(1) != 1][0].tolist()
                raise SpecError(f"model.gate.cases has not exactly one case for features {odd}: name each once")
            return weights_BE
        logits_BE = self.gate((read_BG - self.centre_G) / self.spread_G)
        top = logits_BE.topk(self.active, 1)
        return torch.zeros_like(logits_BE).scatter(1, top.indices, F.softmax(top.values, 1))

    def answer(self, fed: Tensor) -> Tensor:
        """Outputs (B, V); an expert computes only the examples that it is asked for."""
        weights_BE = self.weights(fed)
        outputs_BV = fed.new_zeros(len(fed), self.labels)
        for place, expert in enumerate(self.experts):
            asked = weights_BE[:, place].nonzero()[:, 0]
            if len(asked):
                mine = cast(Learner, expert).answer(fed[asked]) * weights_BE[asked, place, None]
                outputs_BV = outputs_BV.index_add(0, asked, mine)
            else:  # every parameter must have a gradient in memory of its own, also of an expert nobody asked: zeros
                outputs_BV = outputs_BV + torch.stack([(p * 0).sum() for p in expert.parameters()]).sum()
        return outputs_BV
