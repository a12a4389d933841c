"""Everything of a run that learns or counts, as one value. What is not here is a function of seed and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..base.errors import SpecError
from ..detect import Crossing, Detector
from ..interventions import Intervention
from ..interventions.rule import State as Remembered
from ..losses import LOSSES
from ..models import Learner, Shape
from ..optimizers import rule
from ..spec import RunSpec
from ..tasks import Split
from .batches import BatchStream
from .weights import Weights, fill


@dataclass
class State:
    """A run between two steps."""

    step: int  # updates done
    module: Learner  # the weights
    optimizer: rule.State  # its memories
    interventions: dict[str, Remembered]  # of each, by place in the list and kind, e.g. `0.grokfast_ema`
    detectors: dict[str, Any]  # by name, plain JSON data
    stopping: dict[str, Any]  # plain JSON data
    looked_at: int = -1  # the last step at which the measures were asked; -1 before the first
    batches: tuple[float, int] = (0.0, 0)  # sum and number of the batches' losses since the last evaluation
    ended: str | None = None  # why the stopping rule ended the run

    @property
    def params(self) -> dict[str, Tensor]:
        """The trained parameters by name."""
        return {name: p for name, p in self.module.named_parameters() if p.requires_grad}

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that a checkpoint holds, e.g. `model/unembed.weight`, `optimizer/mean/unembed.weight`."""
        tensors = {f"model/{name}": t.detach() for name, t in self.module.state_dict().items()}
        for slot, memories in self.optimizer.items():
            tensors |= {f"optimizer/{slot}/{name}": t for name, t in memories.items()}
        for of, remembered in self.interventions.items():
            for slot, memories in remembered.items():
                tensors |= {f"intervention/{of}/{slot}/{name}": t for name, t in memories.items()}
        return tensors


def start(spec: RunSpec, split: Split, weights: Sequence[Weights] = ()) -> State:
    """The state at step 0.

    Args:
        spec: The run.
        split: The task's examples.
        weights: The tensors of everything that `spec.weights` names.

    Raises:
        SpecError: The batches cannot be filled from the split, the loss cannot score what the task asks for, or the
            weights that the spec names were not given or do not fit the model.
    """
    _scores(spec, split)
    BatchStream(spec.batch, split, spec.seed)
    shape = Shape(len(split.vocabulary), split.inputs_NT.shape[1], split.outputs)
    module = spec.model.build(shape, spec.seed)
    if spec.weights or weights:  # before anything that remembers the weights it begins with
        fill(spec, module, weights)
    state = State(0, module, {}, {}, {}, spec.stopping.init())
    state.optimizer = spec.optimizer.init(state.params)
    state.interventions = {name: one.init(state.params, spec.seed) for name, one in interventions(spec).items()}
    state.detectors = {name: detector.init() for name, detector in detectors(spec, split).items()}
    return state


def _scores(spec: RunSpec, split: Split) -> None:
    asked, task = "classes" if split.label_names else "numbers", spec.task.kind
    if asked not in spec.loss.answers:
        fit = [kind for kind, loss in LOSSES.items() if asked in loss.answers]
        raise SpecError(
            f"loss.kind = {spec.loss.kind} scores {' and '.join(spec.loss.answers)}, but the task {task} asks "
            f"for {asked}. Use {' or '.join(fit)}."
        )
    violation = getattr(spec.loss, "violation", 0.0)
    if violation and split.floors_N is None:
        raise SpecError(
            f"loss.violation = {violation:g} needs a task that bounds its answers from below, and this one does "
            "not: set task.codewords, e.g. to 20, of linear_codes; or loss.violation=0"
        )


def interventions(spec: RunSpec) -> dict[str, Intervention]:
    """The run's interventions by the name under which their state is kept."""
    return {f"{place}.{one.kind}": one for place, one in enumerate(spec.interventions)}


def detectors(spec: RunSpec, split: Split) -> dict[str, Detector]:
    """All that listens to the records, by name: the run's detector, one crossing per mixed operation, the bests."""
    main = spec.detector if spec.detector.chance is not None else spec.detector.but(chance=split.chance)
    listening: dict[str, Detector] = {"grokking": main}
    if len(split.parts) > 1:
        for part in split.parts:
            listening[f"generalized/{part}"] = Crossing(
                event=f"generalized/{part}",
                reading=f"{main.val_reading}/{part}",
                at_least=main.generalized_at,
                window_evaluations=main.window_evaluations,
                share=main.share,
            )
    return listening | {f"best:{best.reading}": best for best in spec.checkpoints.best}
