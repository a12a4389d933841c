"""Start a run, go on with one, branch from one."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from ..base.component import from_dict
from ..base.errors import SpecError, StoreError
from ..engine import fingerprint, listened, pack, prepare, start, unpack
from ..spec import RunSpec, build, identity, plain, read_recipe
from ..store import RunWriter, Store, StoredRun, default_root
from ..tasks import Split, share_notice
from .handle import Run
from .session import Listener, Session
from .trackers import asked_for
from .weights import initial
from .weights import notices as notices_of_weights

Started = Callable[[StoredRun], None]
IN_A_STUDY = ("study", "label")  # what a sweep adds to the environment of its runs, and their branches have not


def run(
    recipe: str | Path | RunSpec,
    overrides: Sequence[str] = (),
    *,
    store: str | Path | None = None,
    listener: Listener | None = None,
    started: Started | None = None,
    run_id: str | None = None,
    origin: Mapping[str, Any] | None = None,
    tensorboard: str | Path | None = None,
    trackers: Sequence[str] = (),
    **settings: Any,
) -> Run:
    """Train one run from the beginning, and store it as it goes.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, or a spec.
        overrides: `key=value` settings as on the command line, e.g. `["optimizer.weight_decay=0.3"]`.
        store: Folder of runs; by default `$LATEBLOOM_STORE`, or `runs` where you are.
        listener: Watches the training.
        started: Called once with the run when it exists on disk, before the first step.
        run_id: The id that a plan has given to the run.
        tensorboard: Also write event files, in a folder of the run's own below this one (`tensorboard --logdir`).
        trackers: Who else is told of the run while it trains: `wandb`, `mlflow`, `tensorboard`, or
            `package.module:Class` of a tracker of your own (see `latebloom.integrations.tracker`). None of them can
            stop or change a training.
        origin: What goes into the run's environment about where it comes from, e.g. its study.
        **settings: Top-level settings, e.g. `seed=1` or `optimizer={"weight_decay": 0.3}`; they win over `overrides`.

    Returns:
        The run, finished or interrupted; see `Run.status`.

    Raises:
        SpecError: The run is described wrongly; all problems at once. Or there is no such tracker.
        MissingExtra: A tracker is not installed.
        DivergedError: Loss or gradient stopped being finite.
        StoreError: The disk refused.

    Example:
        run = latebloom.run("modular-division", seed=1)
        print(run.verdict.headline)
    """
    told = asked_for(trackers, tensorboard)
    spec = build(recipe if isinstance(recipe, RunSpec) else read_recipe(str(recipe)), overrides, settings)
    prepare(spec.threads)
    split = spec.task.split(spec.seed)
    spec = settled(spec, split)
    root = store or default_root()
    spec, weights = initial(spec, root)
    state = start(spec, split, weights)
    to_know = notices(spec, split) + notices_of_weights(spec, split, root)
    environment = {
        "fingerprint": fingerprint(compiled=spec.compile),
        "latebloom": version("latebloom"),
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "recipe": recipe if isinstance(recipe, str) else str(type(recipe).__name__),
        "overrides": list(overrides),
        **told,
        **(origin or {}),
    }
    with Store(root).create(
        name=spec.name,
        seed=spec.seed,
        spec=plain(spec),
        spec_hash=identity(spec),
        environment=environment,
        run_id=run_id,
    ) as writer:
        for notice in to_know:
            writer.note("notice", text=notice)
        if started:
            started(writer.run)
        outcome = Session(writer, spec, split, state, listener).run()
    return Run(writer.run, outcome)


def resume(
    wanted: str = "latest",
    *,
    steps: int | None = None,
    store: str | Path | None = None,
    listener: Listener | None = None,
    started: Started | None = None,
) -> Run:
    """Go on with a stored run from its last good checkpoint, or from its seed when it has none.

    On the same fingerprint the run ends with the same bits as if it had never stopped; otherwise the journal says
    from which step on it may differ.

    Args:
        wanted: `latest`, a name, an id or a part of one.
        steps: A new number of steps in all; only more than before. The stored spec stays as it was.
        store: Folder of runs, as for `run`.
        listener: Watches the training.
        started: Called once with the run, before the first new step.

    Raises:
        StoreError: No such run, somebody is writing it, or its checkpoint does not fit.
        SpecError: `steps` is not more than before, or the run was ended by its own rule.
    """
    shelf = Store(store or default_root())
    with shelf.open(shelf.find(wanted).id) as writer:
        stored = writer.run
        spec: RunSpec = from_dict(RunSpec, stored.spec, f"the spec of run {stored.id}")
        budget = _steps_so_far(stored, spec.steps)
        if steps is not None and steps <= budget:
            raise SpecError(f"steps = {steps:,}; run {stored.id} has {budget:,} already. Give a larger number in all.")
        spec = spec.but(steps=steps or budget)
        prepare(spec.threads)
        split = spec.task.split(spec.seed)
        if writer.recovered:
            state = unpack(spec, split, writer.recovered[1])
        else:
            state = start(spec, split, initial(spec, shelf.root).weights)
        if steps and state.ended:
            raise SpecError(
                f"run {stored.id} was ended by its stopping rule ({state.ended}), and more steps change nothing. Go on "
                f"without it: latebloom resume {stored.words} --from {state.step} stopping.kind=never steps={steps}"
            )
        if steps:
            writer.note("extended", steps=spec.steps)
        _note_other_machine(writer, spec, state.step)
        if started:
            started(writer.run)
        outcome = Session(writer, spec, split, state, listener).run()
    return Run(writer.run, outcome)


def rollback(
    wanted: str, step: int, overrides: Sequence[str] = (), *, name: str | None = None, store: str | Path | None = None
) -> Run:
    """A new run that starts from a checkpoint of an old one, which stays as it is. `resume` trains it.

    Args:
        wanted: `latest`, a name, an id or a part of one.
        step: One of the run's checkpoints.
        overrides: Settings to change from here on, e.g. `["optimizer.learning_rate=1e-4"]`. Another stopping rule,
            another detector or other bests are told all readings up to here first.
        name: The new run's name; by default the old one's with the step.
        store: Folder of runs, as for `run`.

    Raises:
        StoreError: No such run or checkpoint; it is damaged; or an override changes the shape of what is in it.
        SpecError: An override is wrong, or gives other examples for training and validation.
    """
    shelf = Store(store or default_root())
    source = shelf.find(wanted)
    known = [checkpoint.step for checkpoint in source.checkpoints()]
    if step not in known:
        raise StoreError(
            f"run {source.id} has no checkpoint of step {step:,}; it has {', '.join(f'{s:,}' for s in known) or 'none'}"
        )
    was: RunSpec = from_dict(RunSpec, source.spec, f"the spec of run {source.id}")
    was = was.but(steps=_steps_so_far(source, was.steps))
    spec = build(was, overrides)
    if spec.steps < step:
        raise SpecError(f"steps = {spec.steps:,} is over at step {step:,} already; expected a larger number")
    if spec.weights != was.weights:
        raise SpecError("weights: a branch goes on with those of its checkpoint. Start a run of its own with others")
    if name is None and not any(o.startswith("name=") for o in overrides):
        name = f"{source.name[:150]} from step {step}"
    spec = spec.but(name=name or spec.name)
    split = spec.task.split(spec.seed)
    spec, was = settled(spec, split), settled(was, split)
    if not _is_same(split, was.task.split(was.seed)):
        raise SpecError(
            "a branch goes on with the examples it has, and these settings of task and seed give others. Start a run "
            f"of its own: weights=[{source.id}@{step}], which counts the examples that were trained on before"
        )
    blobs = source.load(step)
    if _heard(spec) != _heard(was):
        state = unpack(was, split, blobs)
        records = takewhile(lambda record: record[0] <= step, source.records())
        blobs = pack(listened(spec, split, state, records))
    unpack(spec, split, blobs)  # refuses now what could not be resumed later
    run_id = shelf.branch(
        source,
        step,
        name=spec.name,
        spec=plain(spec),
        spec_hash=identity(spec),
        seed=spec.seed,
        environment={
            **{k: v for k, v in source.environment.items() if k not in IN_A_STUDY},
            "overrides": list(overrides),
        },
        blobs=blobs,
    )
    return Run(shelf.find(run_id))


def _heard(spec: RunSpec) -> tuple[object, ...]:
    """What listens to the readings."""
    return spec.stopping, spec.detector, spec.checkpoints.best


def _is_same(split: Split, other: Split) -> bool:
    """Whether the same examples are trained on and validated."""
    parts = ("inputs_NT", "labels_N", "train_M", "val_M")
    return all(np.array_equal(getattr(split, part), getattr(other, part)) for part in parts)


def rehearse(spec: RunSpec, store: str | Path | None = None) -> RunSpec:
    """Do all that comes before the first step, and write nothing.

    Returns:
        The spec, in which the weights of other runs are named by id, step and hash.

    Raises:
        SpecError: What only data and store can refuse, e.g. a batch larger than the training set.
    """
    spec, weights = initial(spec, store or default_root())
    start(spec, spec.task.split(spec.seed), weights)
    return spec


def settled(spec: RunSpec, split: Split) -> RunSpec:
    """The spec with what only the task can tell written in: the chance accuracy."""
    if spec.detector.chance is not None:
        return spec
    return spec.but(detector=spec.detector.but(chance=split.chance).model_dump())


def notices(spec: RunSpec, split: Split) -> list[str]:
    """What a reader of this run must know and the spec alone does not say."""
    shares = {name: part.share for name, part in split.parts.items()}
    rounded = _without_shares(split) if spec.batch.size is None else share_notice(spec.batch.size, shares)
    return [text for text in (rounded, spec.model.plain_because, _unjudged(spec, split), _pulled_twice(spec)) if text]


def _without_shares(split: Split) -> str | None:
    """That the full batch has other shares than were asked for, in words; None if it has the same."""
    has = {name: len(part.train_M) / len(split.train_M) for name, part in split.parts.items()}
    wanted = sum(part.share for part in split.parts.values())
    if all(abs(part.share / wanted - has[name]) < 1e-9 for name, part in split.parts.items()):
        return None
    told = ", ".join(f"{share:.3g} {name}" for name, share in has.items())
    return f"The full batch is all training examples, {told}: the shares of the parts have no effect. Give a batch.size"


def _pulled_twice(spec: RunSpec) -> str | None:
    """That two decays pull in different directions, in words; None if they do not."""
    decay = spec.optimizer.weight_decay
    if not decay or not any(one.kind == "decay_to_init" for one in spec.interventions):
        return None
    return (
        f"decay_to_init pulls to the initial weights and optimizer.weight_decay = {decay:g} to 0, so the weights go to "
        "a point between the two. For the first alone set optimizer.weight_decay=0"
    )


def _unjudged(spec: RunSpec, split: Split) -> str | None:
    """That the detector waits for readings that this task has not, in words; None if it does not."""
    score, other = ("accuracy", "r2") if split.label_names else ("r2", "accuracy")
    asked = {f"detector.{key}": getattr(spec.detector, key) for key in ("train_reading", "val_reading")}
    vain = {key: reading for key, reading in asked.items() if reading.split("/")[1:2] == [other]}
    if not vain:
        return None
    instead = " ".join(f"{key}={reading.replace(other, score, 1)}" for key, reading in vain.items())
    return f"This task has no {' and no '.join(vain.values())}, so nothing will be judged. Set {instead}"


def _steps_so_far(stored: StoredRun, steps: int) -> int:
    """The budget of steps, as last extended."""
    extended = [int(entry["steps"]) for entry in stored.journal() if entry.get("what") == "extended"]
    return max([steps, *extended])


def _note_other_machine(writer: RunWriter, spec: RunSpec, step: int) -> None:
    before, now = writer.run.environment.get("fingerprint", {}), fingerprint(compiled=spec.compile)
    changed = [f"{key} was {before.get(key)!r}, is {now[key]!r}" for key in now if now[key] != before.get(key)]
    if changed:
        writer.note("notice", text=f"Not bit-exact from step {step:,} on: {'; '.join(changed)}", fingerprint=now)
