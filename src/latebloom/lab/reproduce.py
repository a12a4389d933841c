"""Train what is missing for the published claims about a recipe or a study, each run once, and judge them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..analysis.claims import AnyClaim, claims_of
from ..analysis.reproduction import Reproduction, reproduction
from ..base.errors import SpecError
from ..recipes import STUDIES
from ..recipes import names as shipped
from ..spec import Study, Trial, is_study, plan, read_recipe, study_named
from ..spectra import convention as named
from ..store import StoredRun, StoredStudy, studies
from .engines import Engine
from .refit import refitted
from .sweep import SweepListener, Swept, key_today, sweep
from .trained import is_enough, trained
from .weights import pinned


class Meant(NamedTuple):
    """What is to be reproduced, and how it stands in a store."""

    name: str
    source: str  # the recipe or study that has the claims; mostly the same
    about: dict[str, str]
    claims: tuple[AnyClaim, ...]
    changes: tuple[str, ...]  # assignments
    study: Study
    trials: list[Trial]
    root: Path

    @property
    def runs(self) -> dict[str, StoredRun]:
        """The runs that are there, by the key of their trial."""
        return trained(self.root, self.trials) if self.root.exists() else {}


def meant(what: str, changes: Sequence[str] = (), *, root: Path) -> Meant:
    """The claims about something, and the runs that they need.

    Args:
        what: A shipped recipe or study, or a YAML file with either.
        changes: As `sweep` takes them, e.g. `["seed=0", "task.train_size=2000"]`.
        root: The store.

    Raises:
        SpecError: There is no such thing, nobody claims anything of it, or something is wrong in it.
    """
    if what in shipped(STUDIES) or (what.endswith((".yaml", ".yml")) and is_study(read_recipe(what).settings)):
        source = study_named(what)
        claims, lines, about = source.claims, source.lines, source.about
    else:
        source, recipe = study_named(what), read_recipe(what)
        claims, lines, about = recipe.claims, recipe.lines, recipe.about
        if isinstance(claims, str) and claims not in shipped(STUDIES):
            raise SpecError(f"claims = {claims!r}; expected a list of claims, or the name of a shipped study")
        if isinstance(claims, str):
            return meant(claims, changes, root=root)._replace(name=what)
    if not claims:
        raise SpecError(f"nobody claims anything of {what!r}; expected `claims:` in it. Try `latebloom reproduce`.")
    study = study_named(what, changes) if changes else source
    return Meant(what, what, about, claims_of(claims, lines), tuple(changes), study, pinned(plan(study), root), root)


def outstanding(one: Meant) -> list[Trial]:
    """What is to be trained: trials without a run, and those that an earlier call of the same study left unfinished."""
    runs, ours = one.runs, _planned(one)
    return [
        trial
        for trial in one.trials
        if (run := runs.get(trial.key)) is None or (run.id in ours.values() and not is_enough(run, trial))
    ]


def train(
    one: Meant,
    *,
    engine: Engine | None = None,
    listener: SweepListener | None = None,
    retry: bool = False,
    tensorboard: Path | None = None,
    trackers: Sequence[str] = (),
) -> Swept | None:
    """Train what is outstanding, as a study that the same call goes on with; None if nothing is. As `sweep` does it.

    Raises:
        StoreError: Another coordinator is at work on the study.
    """
    if not (missing := outstanding(one)):
        return None
    wanted = {trial.key for trial in missing} | set(_planned(one))
    trials = [trial for trial in one.trials if trial.key in wanted]
    return sweep(
        one.study,
        engine=engine,
        store=one.root,
        listener=listener,
        retry=retry,
        tensorboard=tensorboard,
        trackers=trackers,
        trials=trials,
    )


def judged(one: Meant, convention: str | None = None) -> Reproduction:
    """The claims, judged from the runs as they stand.

    Args:
        one: What is meant.
        convention: The rule by which tail exponents are fitted anew, from the eigenvalues that the runs kept.

    Raises:
        SpecError: There is no such convention.
    """
    runs, notes, words = one.runs, list[str](), list[str]()
    if convention is not None:
        notes = [f"tail exponents by the rule {named(convention).name}, fitted to the eigenvalues that the runs kept"]
        words = ["--convention", convention]
    return reproduction(
        one.name,
        one.about,
        one.claims,
        [runs[trial.key] for trial in one.trials if trial.key in runs],
        command=shlex.join(["latebloom", "reproduce", one.name, *one.changes, *words]),
        made_at=time.strftime("%Y-%m-%d", time.gmtime()),
        notes=[*notes, *_notes(one, runs)],
        instead=lambda run: refitted(run, convention) if convention is not None else {},
    )


def _planned(one: Meant) -> dict[str, str]:
    """The runs of the study in the store, if it has been begun: ids by key."""
    if one.study.name not in studies(one.root):
        return {}
    return {key_today(planned): planned.run for planned in StoredStudy(one.root, one.study.name).planned}


def _notes(one: Meant, runs: dict[str, StoredRun]) -> list[str]:
    notes = [f"changed from what is claimed about: {', '.join(changed)}"] if (changed := _changed(one)) else []
    if missing := len(one.trials) - len(runs):
        notes.append(f"{missing:,} of {len(one.trials):,} runs have not been trained")
    for trial in one.trials:
        run = runs.get(trial.key)
        if run is None or is_enough(run, trial):
            continue
        how = f"`latebloom resume {run.id}`"
        if run.status == "finished":
            how += f" with `--steps {trial.spec.steps}`"
        told = "is being trained" if run.status == "running" else f"is {run.status}; {how} goes on with it"
        notes.append(f"run {run.id}, at step {run.step:,} of {trial.spec.steps:,}, {told}")
    return notes


def _changed(one: Meant) -> list[str]:
    """The assignments that make it something else, not less or more of the same."""
    same = {"seed", "steps", *(key for axis in study_named(one.source).axes for key in axis)}
    return [word for word in one.changes if word.partition("=")[0] not in same]
