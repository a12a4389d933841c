"""The description of a run as one value: everything that decides its bits, and what is kept of it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ..base.cadence import Cadence
from ..base.component import Component
from ..base.label import why_no_label
from ..detect import Best, DelayDetector, StoppingRule
from ..detect.stopping import Never
from ..interventions import DecaySchedule, Interventions
from ..losses import CrossEntropy, Loss
from ..measures import Evaluation, Measures, WeightNorm
from ..models import MixtureOfExperts, Model, Transformer
from ..optimizers import AdamW, Optimizer, Schedule
from ..optimizers.schedules import Constant
from ..tasks import Task
from .weights import InitialWeights


class Batches(Component):
    """How training examples are drawn. Every draw is a function of the seed and the step."""

    size: int | None = Field(512, ge=1, json_schema_extra={"unit": "examples"})
    """Examples per step; null for all of them at every step (full batch)."""
    sampling: Literal["epoch", "replacement"] = "epoch"
    """`epoch`: one shuffled pass after the other, batches always full; `replacement`: independent draws."""


class Checkpoints(Component):
    """What is saved, and what of it is kept. Nothing here changes a bit of the training."""

    every: int | None = Field(1000, ge=1, json_schema_extra={"unit": "steps"})
    """Save every n steps; null to save only for the other reasons and at the end."""
    latest: int = Field(2, ge=2)
    """How many of the newest to keep."""
    milestones: Cadence = Cadence(every=10_000)
    """Steps whose checkpoints are saved and never deleted."""
    events: tuple[str, ...] = ("memorized", "generalized")
    """Save and keep when one of these becomes known."""
    best: tuple[Best, ...] = (
        Best(reading="val/loss", better="lower"),
        Best(reading="val/accuracy", better="higher"),
    )
    """Save and keep the best by each of these readings."""


class RunSpec(Component):
    """One run. Same spec, same fingerprint of the machine: same bits."""

    name: str = "run"
    """What people call it; only text, never a path."""
    seed: int = Field(1, ge=0, lt=2**63)
    """Decides split, initial weights, batches and noise, each by its own stream."""
    steps: int = Field(10_000, ge=1, json_schema_extra={"unit": "steps"})
    """Largest number of optimizer updates."""
    task: Task
    """Where the examples come from."""
    model: Model = Transformer()
    """What learns them."""
    weights: tuple[InitialWeights, ...] = ()
    """Weights of other runs to start from, e.g. [RUN@STEP]; for a mixture's experts one for all or one for each."""
    loss: Loss = CrossEntropy()
    """What is minimised."""
    optimizer: Optimizer = AdamW(weight_decay=1.0)
    """How the weights move."""
    schedule: Schedule = Constant()
    """How the learning rate changes."""
    interventions: Interventions = ()
    """What changes objective, gradients or weights of every step; a word stands for its kind's defaults."""
    batch: Batches = Batches()
    """How examples are drawn."""
    evaluation: Cadence = Cadence(every=100)
    """When the measures read."""
    measures: Measures = (Evaluation(), WeightNorm())
    """What is read."""
    detector: DelayDetector = DelayDetector()
    """What counts as memorized and generalized."""
    stopping: StoppingRule = Never()
    """Whether the run may end before its last step."""
    checkpoints: Checkpoints = Checkpoints()
    """What is saved."""
    wall_time_limit_s: float | None = Field(None, gt=0, json_schema_extra={"unit": "s"})
    """Stop, resumable, after this much time in one go; null for no limit."""
    threads: int = Field(1, ge=1, le=1024)
    """CPU threads. Other numbers of threads give other bits."""
    compile: bool = False
    """Compile the training step: faster after about a minute, other bits than uncompiled."""

    @field_validator("name")
    @classmethod
    def _is_a_label(cls, name: str) -> str:
        if problem := why_no_label(name):
            raise ValueError(problem)
        return name

    @model_validator(mode="after")
    def _reads_what_it_needs(self) -> Self:
        if not any(isinstance(measure, Evaluation) for measure in self.measures):
            raise ValueError("measures need {kind: evaluation}: nothing else tells whether the run generalizes")
        return self

    @model_validator(mode="after")
    def _weights_have_a_place(self) -> Self:
        most = self.model.experts if isinstance(self.model, MixtureOfExperts) else 1
        if len(self.weights) not in (0, 1, most):
            each = f", or {most}: one for each expert" if most > 1 else ""
            raise ValueError(f"weights names {len(self.weights)} runs; model.kind = {self.model.kind} takes 1{each}")
        return self

    @model_validator(mode="after")
    def _decays_once(self) -> Self:
        if self.optimizer.weight_decay and any(isinstance(one, DecaySchedule) for one in self.interventions):
            raise ValueError(
                f"optimizer.weight_decay = {self.optimizer.weight_decay:g} would act beside decay_schedule; set it to 0"
            )
        return self
