"""A stretch of a stored run, trained once more from one of its checkpoints, or from its seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...analysis.jump import Groups, Replay
from ...base.component import from_dict
from ...base.errors import StoreError
from ...engine import State, pack, prepare, start, unpack
from ...engine.loop import Look
from ...engine.step import Step
from ...measures import View
from ...spec import RunSpec
from ...store import StoredRun
from ...tasks import Split
from ..weights import initial

CHEAP = ("evaluation", "weight_norm")  # measures that are read again, to compare them with what is stored
MOST_VALUES = 1000  # of a token, as groups
TENTHS = 10  # groups of labels that are numbers


class Source(NamedTuple):
    """Where a stretch begins."""

    stored: StoredRun
    spec: RunSpec
    split: Split
    step: int
    blobs: dict[str, bytes] | None  # None: from the seed

    @classmethod
    def before(cls, stored: StoredRun, step: int, quiet: int) -> Source:
        """The newest checkpoint `quiet` steps or more before `step`; else the seed; of a branch the newest before it.

        Raises:
            StoreError: The run branched off another one and has no checkpoint before that step.
        """
        spec: RunSpec = from_dict(RunSpec, stored.spec, f"the spec of run {stored.id}")
        prepare(spec.threads)
        split = spec.task.split(spec.seed)
        saved = [checkpoint.step for checkpoint in stored.checkpoints()]
        early = [one for one in saved if one <= step - quiet] or [one for one in saved if one <= step]
        if early and (stored.parent is not None or step - max(early) >= quiet):
            return cls(stored, spec, split, max(early), stored.load(max(early)))
        if stored.parent is not None:
            raise StoreError(
                f"run {stored.id} has no checkpoint at or before step {step:,}, and it branched off run "
                f"{stored.parent['run']}. Look for the jump there."
            )
        return cls(stored, spec, split, 0, None)

    def state(self) -> State:
        """The state there, fresh each time."""
        if self.blobs is not None:
            return unpack(self.spec, self.split, self.blobs)
        return start(self.spec, self.split, initial(self.spec, self.stored.path.parent).weights)


class Stretch:
    """Trains from the source on, one update at a time.

    Args:
        source: Where it begins.
        spec: What is trained, if not what the run trained: another optimizer, loss or schedule over the same tensors.
    """

    def __init__(self, source: Source, spec: RunSpec | None = None) -> None:
        self.source, self.state = source, source.state()
        self.spec = spec or source.spec
        self.step = Step(self.spec, source.split, self.state)
        own = source.spec
        self.look = Look(own.but(measures=[one for one in own.measures if one.kind in CHEAP]), source.split, self.state)
        self.view: View = self.look.view

    def update(self) -> tuple[float, float]:
        """The next step; the loss of its batch, and its learning rate."""
        batch_loss = self.step.update()
        return batch_loss, self.spec.optimizer.learning_rate * self.spec.schedule.factor(self.state.step)

    def losses(self, cut: str, chunk: int = 1024) -> Tensor:
        """The losses of all examples of a cut, `train` or `val`, in eval mode."""
        module = self.view.module
        was_training = module.training
        module.eval()
        with torch.inference_mode():
            found = [
                self.view.loss_of(self.view.logits_of(chunk_B), self.view.labels_N[chunk_B])
                for examples_M in self.view.cuts[cut].values()
                for chunk_B in torch.split(examples_M, chunk)
            ]
        module.train(was_training)
        return torch.cat(found)


class Comparison:
    """Whether a stretch is what the run was: readings and checkpoints, to the last bit."""

    def __init__(self, source: Source) -> None:
        self.stored = {step: readings for step, readings in source.stored.records() if step >= source.step}
        self.saved = {one.step for one in source.stored.checkpoints()}
        self.source = source
        self.compared, self.different, self.first = 0, 0, ""
        self.checkpoints: dict[int, bool] = {}

    def look(self, stretch: Stretch) -> dict[str, float]:
        """Read what the run read at this step, if it did, and compare; the stored readings."""
        step = stretch.state.step
        here = stretch.look().readings
        stored = self.stored.get(step, {})
        for name in stored.keys() & here.keys():
            self.compared += 1
            if stored[name] != here[name] and not (np.isnan(stored[name]) and np.isnan(here[name])):
                self.different += 1
                self.first = self.first or f"{name} at step {step:,}: {stored[name]!r} stored, {here[name]!r} here"
        if step in self.saved and step > self.source.step:
            self.checkpoints[step] = _tensors(self.source.stored.load(step)) == _tensors(pack(stretch.state))
        return stored

    def told(self) -> Replay:
        """What came of it."""
        return Replay(self.source.step, self.compared, self.different, self.first, self.checkpoints)


def _tensors(blobs: dict[str, bytes]) -> bytes:
    return blobs["tensors.safetensors"]


def groups(split: Split) -> dict[str, Groups]:
    """Every way in which a task's examples fall into groups: label (numbers by tenths), part, and tokens that vary."""
    train_M, val_V = split.train_M, split.val_M
    if split.label_names:
        labels_N, names = split.labels_N.astype(np.int64), split.label_names
    else:
        edges = np.quantile(split.labels_N[train_M], np.linspace(0, 1, TENTHS + 1)[1:-1])
        labels_N, names = np.searchsorted(edges, split.labels_N), tuple(f"tenth {i + 1}" for i in range(TENTHS))
    found = {"label": Groups(names, labels_N[train_M], labels_N[val_V])}
    if len(split.parts) > 1:
        parts, places = list(split.parts.values()), np.arange(len(split.parts))
        train = np.repeat(places, [len(part.train_M) for part in parts])
        val = np.repeat(places, [len(part.val_M) for part in parts])
        found["part"] = Groups(tuple(split.parts), train, val)
    if split.vocabulary and len(split.vocabulary) <= MOST_VALUES:
        for place in range(split.inputs_NT.shape[1]):
            tokens_N = np.asarray(split.inputs_NT[:, place], dtype=np.int64)
            if (tokens_N != tokens_N[0]).any():
                found[f"token {place + 1}"] = Groups(split.vocabulary, tokens_N[train_M], tokens_N[val_V])
    return found
