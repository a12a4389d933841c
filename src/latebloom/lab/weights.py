"""The weights of stored runs that another run starts from: which are meant, and the tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..base.component import from_dict
from ..base.errors import LatebloomError, SpecError, StoreError
from ..engine.checkpoint import model_tensors
from ..engine.weights import Weights, sha256
from ..spec import InitialWeights, RunSpec, Trial, identity, plain
from ..store import Store, StoredRun
from ..tasks import Split


class Initial(NamedTuple):
    """What a run starts from, besides its seed."""

    spec: RunSpec  # with id, step and hash of everything it names
    weights: list[Weights]  # as `engine.start` takes them


def initial(spec: RunSpec, root: str | Path) -> Initial:
    """Find and read the weights that a run starts from.

    Raises:
        SpecError: There is no such run or checkpoint, it is damaged, or its weights are not those asked for.
    """
    if not spec.weights:
        return Initial(spec, [])
    found = [_found(f"weights[{place}]", one, Store(root)) for place, one in enumerate(spec.weights)]
    return Initial(spec.but(weights=[one.model_dump() for one, _ in found]), [weights for _, weights in found])


def notices(spec: RunSpec, split: Split, root: str | Path) -> list[str]:
    """What a reader must know of a run that starts from weights: whose, in which other model, and what they have seen.

    Weights that were trained on what validates here make it look as if the run generalized.
    """
    if not spec.weights:
        return []
    told = ", ".join(f"run {one.run} at step {one.step:,}" for one in spec.weights)
    found = [f"It starts from the weights of {told}. Steps are counted from there."]
    for source in map(Store(root).find, dict.fromkeys(one.run for one in spec.weights)):
        if others := _other_settings(spec, source):
            found.append(f"Weights of run {source.id} in another model: {', '.join(others)}")
        try:
            seen = _seen(spec, split, from_dict(RunSpec, source.spec))
        except LatebloomError as error:  # settings of another version, or data that are not here
            found.append(f"Whether run {source.id} was trained on examples that validate here is not known: {error}")
        else:
            if seen:
                shown = f"{seen:,} of {len(split.val_M):,}"
                found.append(f"Run {source.id} was trained on {shown} examples that validate here")
    return found


def pinned(trials: Sequence[Trial], root: str | Path) -> list[Trial]:
    """A plan with id, step and hash of all weights written in, so that every run of it means the same.

    Raises:
        SpecError: As `initial`; or two trials are the same run then.
    """
    known: dict[tuple[InitialWeights, ...], RunSpec] = {}
    found = []
    for trial in trials:
        if any(one.sha256 is None for one in trial.spec.weights):
            wanted = trial.spec.weights
            known[wanted] = known.get(wanted) or initial(trial.spec, root).spec
            spec = trial.spec.but(weights=[one.model_dump() for one in known[wanted].weights])
            trial = trial._replace(spec=spec, key=identity(spec, without={"name"}))
        found.append(trial)
    if len({trial.key for trial in found}) < len(found):
        raise SpecError("weights: two runs of the plan start from the same weights and are the same run; keep one")
    return found


def _found(where: str, wanted: InitialWeights, store: Store) -> tuple[InitialWeights, Weights]:
    try:
        source = store.find(wanted.run)
        saved = source.checkpoints()
        steps = [one.step for one in saved if wanted.step in (None, one.step, *one.labels)]
        if not steps:
            listed = ", ".join(f"{one.step} ({', '.join(one.labels)})" for one in saved) or "none yet"
            asked = "" if wanted.step is None else f" {wanted.step!r}"
            raise SpecError(f"{where}: run {source.id} has no checkpoint{asked}; it has: {listed}")
        weights = model_tensors(source.load(steps[-1]))
    except StoreError as error:
        raise SpecError(f"{where}: {error}") from None
    now = sha256(weights)
    if wanted.sha256 not in (None, now):
        raise SpecError(
            f"{where}.sha256 = {wanted.sha256}, but the weights of run {source.id} at step {steps[-1]:,} have {now}: "
            "the run was trained anew since. Leave sha256 out to take them as they are"
        )
    return InitialWeights(run=source.id, step=steps[-1], sha256=now), weights


def _other_settings(spec: RunSpec, source: StoredRun) -> list[str]:
    """Settings of the model that differ, though the tensors may fit."""
    ours, theirs = plain(spec)["model"], source.spec.get("model", {})
    if theirs.get("kind") != ours["kind"]:
        ours = ours.get("expert", {})
    return [
        f"{key} is {value} here and was {theirs[key]}"
        for key, value in ours.items()
        if key != "init_scale" and theirs.get(key, value) != value
    ]


def _seen(spec: RunSpec, split: Split, source: RunSpec) -> int:
    """How many examples that validate here a source was trained on."""
    if (source.task, source.seed) == (spec.task, spec.seed):
        return 0
    theirs = source.task.split(source.seed)
    if (theirs.vocabulary, theirs.inputs_NT.shape[1:]) != (split.vocabulary, split.inputs_NT.shape[1:]):
        return 0  # the same numbers mean something else
    trained_on = {row.tobytes() for row in theirs.inputs_NT[theirs.train_M]}
    return sum(row.tobytes() in trained_on for row in split.inputs_NT[split.val_M])
