"""The training loop: update, read, detect, tell, until a reason to stop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base.record import Event
from ..detect.replay import Readings
from ..measures import Evaluation, Measure, View
from ..spec import RunSpec
from ..tasks import Split
from .state import State, detectors
from .step import Step, check_finite


class Moment(NamedTuple):
    """What happened at one step. Most steps have nothing to tell."""

    step: int  # updates done
    readings: dict[str, float]  # empty when nothing was due
    events: list[Event]  # what became known
    best: list[str]  # detectors of bests that this step improved, e.g. `best:val/loss`
    reason: str | None  # why the run ends here
    arrays: dict[str, NDArray[Any]]  # what measures kept, by name


def train(spec: RunSpec, split: Split, state: State) -> Iterator[Moment]:
    """Train from `state` on, changing it in place. Stop asking to pause: the state is whole after every moment.

    A fresh state is read first (step 0); a state from a checkpoint was read before it was saved.

    Raises:
        DivergedError: Loss or gradient is not finite, and the state is that of the step before; or a weight or an
            optimizer memory is not, found when the measures were due.
    """
    step, look = Step(spec, split, state), Look(spec, split, state)
    if state.looked_at != state.step:
        yield look()
    while state.ended is None and state.step < spec.steps:
        look.before_update()
        step.update()
        yield look()


class Look:
    """Reads what is due and draws conclusions."""

    def __init__(self, spec: RunSpec, split: Split, state: State) -> None:
        self.spec, self.state, self.detectors = spec, state, detectors(spec, split)
        self.before: dict[str, Tensor] | None = None
        inputs_NT = torch.from_numpy(split.inputs_NT)
        feed = state.module.feed(inputs_NT)
        self.view = View(
            module=state.module,
            inputs_NT=inputs_NT,
            logits_of=lambda examples_B: state.module.answer(feed(examples_B)),
            labels_N=torch.from_numpy(split.labels_N),
            loss_of=spec.loss.per_example,
            predicted_of=None if split.label_names else getattr(spec.loss, "predicted", None),
            image_of=split.image_of,
            floors_N=None if split.floors_N is None else torch.from_numpy(split.floors_N),
            seed=spec.seed,
            cuts={
                "train": {name: torch.from_numpy(part.train_M) for name, part in split.parts.items()},
                "val": {name: torch.from_numpy(part.val_M) for name, part in split.parts.items()},
            },
        )

    def before_update(self) -> None:
        """Keep the weights for the measures that compare the next ones with them."""
        comparing = [one for one in self.spec.measures if getattr(one, "compares", False)]
        is_due = any(self._is_due(one, self.state.step + 1) for one in comparing)
        self.before = {name: p.detach().clone() for name, p in self.state.params.items()} if is_due else None

    def _is_due(self, measure: Measure, step: int) -> bool:
        return (measure.cadence or self.spec.evaluation).due(step) or step == self.spec.steps

    def __call__(self) -> Moment:
        """The moment after the step just taken."""
        state, spec = self.state, self.spec
        step = state.step
        readings: dict[str, float] = {}
        arrays: dict[str, NDArray[Any]] = {}
        due = [measure for measure in spec.measures if self._is_due(measure, step)]
        if due:  # what is not finite and has not reached the loss yet must not reach the log either
            check_finite(state.tensors, f"the state after step {step:,}")
            view = replace(self.view, step=step, keep=arrays.__setitem__, before=self.before)
            for measure in due:
                readings |= measure.read(view)
            total, count = state.batches
            if count and any(isinstance(measure, Evaluation) for measure in due):
                readings["train/batch_loss"], state.batches = total / count, (0.0, 0)
        if readings:
            with torch.inference_mode():
                for one in spec.interventions:
                    for name, value in one.readings(state.params).items():
                        readings[name] = readings.get(name, 0.0) + value  # two of a kind add up, as in the objective
        events: list[Event] = []
        best: list[str] = []
        if readings:
            for name, detector in self.detectors.items():
                before = state.detectors[name]
                state.detectors[name], new = detector.update(before, step, readings)
                events += new
                if name.startswith("best:") and state.detectors[name] != before:
                    best.append(name)
            state.stopping, state.ended = spec.stopping.update(state.stopping, step, readings)
        state.looked_at = step
        return Moment(step, readings, events, best, why_over(spec, state), arrays)


def listened(spec: RunSpec, split: Split, state: State, records: Iterable[tuple[int, Readings]]) -> State:
    """The state as if the spec's detectors and stopping rule had heard these records, and none ended the run yet."""
    listening = detectors(spec, split)
    state.detectors = {name: detector.init() for name, detector in listening.items()}
    state.stopping, state.ended = spec.stopping.init(), None
    for step, readings in records:
        for name, detector in listening.items():
            state.detectors[name], _ = detector.update(state.detectors[name], step, readings)
        state.stopping, _ = spec.stopping.update(state.stopping, step, readings)
    return state


def why_over(spec: RunSpec, state: State) -> str | None:
    """Why there is no further step to take; None if there is one."""
    done = f"all {spec.steps:,} steps are done" if state.step >= spec.steps else None
    return state.ended or done
