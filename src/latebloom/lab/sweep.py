"""Train all runs of a plan, each exactly once, whatever dies.

The coordinator remembers nothing that matters: which runs there are stands in the plan, how each of them is in its
folder, how often it was tried in the study's journal. Killed and started again, it goes on where it was.

No rule here stops a run because others do better: such rules stop exactly the late bloomers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..analysis.standing import Attempts, Progress
from ..base.component import from_dict
from ..base.errors import SpecError, StoreError
from ..spec import RunSpec, Study, Trial, chosen, identity, plain, plan, study_named
from ..store import Planned, StoredRun, StoredStudy, StudyWriter, default_root, open_study
from .engines import NO_ROOM, Ended, Engine, Job, Local
from .signals import Interruption
from .trackers import asked_for
from .weights import pinned

MOST_FRUITLESS = 5  # attempts in a row that saved nothing new
HOPELESS = (2, 3)  # exit codes that no repetition changes: a wrong recipe, a missing package
LOOK_EVERY_S = 0.5
HUNG_AFTER_S = 900.0  # without a step; an evaluation or a compilation takes less


class SweepListener(Protocol):
    """Who wants to watch; see `latebloom.report.sweep.SweepView`."""

    def start(self, study: StoredStudy, slots: int) -> None:
        """The sweep begins, or goes on."""

    def update(self, progress: Progress) -> None:
        """Some time has passed."""

    def ended(self, planned: Planned, run: StoredRun | None, text: str) -> None:
        """An attempt ended, as `text` says."""

    def stopping(self) -> None:
        """Somebody asked to stop, and the runs are being saved."""

    def stop(self) -> None:
        """The sweep is over."""


class Swept(NamedTuple):
    """How a sweep ended."""

    study: StoredStudy
    progress: Progress
    exit_code: int  # 0: all runs are finished; 1: some diverged or were given up; 128 + the signal's number


def sweep(
    what: str | Study,
    values: Sequence[str] = (),
    *,
    name: str | None = None,
    workers: int = 1,
    engine: Engine | None = None,
    store: str | Path | None = None,
    listener: SweepListener | None = None,
    retry: bool = False,
    only: Sequence[str] = (),
    tensorboard: str | Path | None = None,
    trackers: Sequence[str] = (),
    trials: Sequence[Trial] | None = None,
) -> Swept:
    """Train what is not trained yet of a study.

    Args:
        what: A study, the name of a shipped one or of a recipe, or a YAML file with either. A study of the same name
            and content is gone on with.
        values: As on the command line, e.g. `["optimizer.weight_decay=0.1,1", "seed=0..4"]`.
        name: What to call it, by default after its content.
        workers: Runs at a time on this machine, each in a process of its own.
        engine: Where to train instead.
        store: Folder of runs, as for `run`.
        listener: Watches.
        retry: Try those again that were given up.
        only: Train these runs of the plan and leave the others, e.g. `["arm=baseline,ema", "seed=0..3"]`.
        tensorboard: Also write event files, a folder for each run below this one.
        trackers: Who else is told of each run while it trains, as for `run`.
        trials: The study's plan, if it is at hand already.

    Raises:
        SpecError: The study is described wrongly; all problems of all its runs at once. Or `only` names no run of it.
        StoreError: Another coordinator is at work on it, a study of this name has other runs, or the store takes no
            more.

    Example:
        latebloom.sweep("demo", ["optimizer.weight_decay=0.1,1", "seed=0..4"], workers=2)
    """
    told = asked_for(trackers, tensorboard)
    study = what if isinstance(what, Study) else study_named(what, values, name)
    root = Path(store or default_root()).resolve()
    trials = pinned(plan(study) if trials is None else trials, root)
    runs = [(trial.label, trial.key, plain(trial.spec)) for trial in trials]
    chosen(trials, only)  # refuses before anything is written
    with open_study(root, study.name, study.plain(), runs, key_today) as writer:
        origin = {"study": study.name, **told}
        return Coordinator(writer, engine or Local(workers), listener, retry=retry, origin=origin, only=only).run()


def key_today(planned: Planned) -> str:
    """The key of a run planned by an earlier version, whose spec lacks the settings that are new since.

    A new setting must therefore have a default that trains as before.
    """
    try:
        spec: RunSpec = from_dict(RunSpec, planned.spec)
    except SpecError:  # a setting has gone: the run is none that this version can plan
        return planned.key
    return identity(spec, without={"name"})


class Coordinator:
    """Hands out the runs of one study, and judges what comes back."""

    def __init__(
        self,
        writer: StudyWriter,
        engine: Engine,
        listener: SweepListener | None = None,
        *,
        retry: bool = False,
        origin: Mapping[str, Any] | None = None,
        only: Sequence[str] = (),
    ) -> None:
        self.origin = dict(origin or {"study": writer.stored.name})
        self.writer, self.study, self.engine, self.listener = writer, writer.stored, engine, listener
        # One seed after the other, so that an unfinished study compares whole replicates.
        in_order = sorted(chosen(self.study.planned, only), key=lambda one: int(one.spec["seed"]))
        self.planned = {one.run: one for one in in_order}
        self.attempts = Attempts()
        for entry in self.study.journal():
            self.attempts.hear(entry)
        tried = [run for run in self.planned if run in self.attempts.given_up or self.attempts.fruitless(run)]
        if retry and tried:
            self._note("retry", runs=tried)
        self.not_before: dict[str, float] = {}
        self.running: dict[str, Seen] = {}
        self.over: dict[str, str] = {}  # run -> finished, diverged or given up
        for run, one in self.planned.items():
            self._settle(run, self.study.run(one))

    def run(self) -> Swept:
        """Until nothing is left, or somebody asks to stop."""
        if self.listener:
            self.listener.start(self.study, self.engine.slots)
        try:
            with Interruption() as interruption:
                while not self.progress().is_over and interruption.asked is None:
                    self._hand_out()
                    for ended in self.engine.ended(LOOK_EVERY_S):
                        self._judge(ended)
                    self._end_hung()
                    if self.listener:
                        self.listener.update(self.progress())
                asked = interruption.asked
            if asked and self.listener:
                self.listener.stopping()
        finally:
            try:  # a second Ctrl-C ends this at once, and leaves the terminal as it was
                self.engine.close()
            finally:
                if self.listener:
                    self.listener.stop()
        for run_id in self.running:  # what the last of them saved while they were asked to end
            self._settle(run_id, self.study.run(self.planned[run_id]))
        self.running = {}
        progress = self.progress()
        incomplete = progress.diverged or progress.given_up
        return Swept(self.study, progress, 128 + asked if asked else int(bool(incomplete)))

    def progress(self) -> Progress:
        """How the study stands now."""
        how = list(self.over.values())
        return Progress(
            total=len(self.planned),
            finished=how.count("finished"),
            diverged=how.count("diverged"),
            given_up={run: why for run, why in self.attempts.given_up.items() if self.over.get(run) == "given up"},
            running=[self.planned[run] for run in self.running],
            waiting=len(self.planned) - len(self.over) - len(self.running),
        )

    def _hand_out(self) -> None:
        now = time.monotonic()
        for run, one in self.planned.items():
            if len(self.running) >= self.engine.slots:
                return
            if run not in self.over and run not in self.running and self.not_before.get(run, 0) <= now:
                self.running[run] = Seen(None, now)
                self.engine.start(Job(run, str(self.study.store.root), one.spec, {**self.origin, "label": one.label}))

    def _judge(self, ended: Ended) -> None:
        self.running.pop(ended.run, None)
        if ended.exit_code == NO_ROOM:  # no run can be saved now, and none of them is to blame
            raise StoreError(ended.reason)
        one = self.planned[ended.run]
        run = self.study.run(one)
        if self._settle(ended.run, run):
            text = self.over[ended.run]
        else:
            step = max((c.step for c in run.checkpoints()), default=-1) if run else -1
            self._note("attempt", run=ended.run, exit_code=ended.exit_code, reason=ended.reason, step=step)
            fruitless = self.attempts.fruitless(ended.run)
            text = f"attempt ended: {ended.reason.splitlines()[0] if ended.reason else 'not finished'}"
            if ended.exit_code in HOPELESS or fruitless >= MOST_FRUITLESS:
                self._note("given_up", run=ended.run, reason=ended.reason)
                self._settle(ended.run, run)
                text = f"given up: {ended.reason}"
            # Waiting longer each time: a worker of a coordinator killed a moment ago may still hold the run.
            self.not_before[ended.run] = time.monotonic() + (0.5 * 2**fruitless if ended.exit_code else 0)
        if self.listener:
            self.listener.ended(one, run, text)

    def _settle(self, run_id: str, run: StoredRun | None) -> bool:
        """Whether nothing more is to be done for this run."""
        if run is not None and run.status in ("finished", "diverged"):
            self.over[run_id] = run.status
        elif run_id in self.attempts.given_up:
            self.over[run_id] = "given up"
        return run_id in self.over

    def _end_hung(self) -> None:
        for run_id, seen in self.running.items():
            run, now = self.study.run(self.planned[run_id]), time.monotonic()
            step = run.step if run else None
            if step != seen.step:
                self.running[run_id] = Seen(step, now)
            elif now - seen.since > HUNG_AFTER_S:
                self.running[run_id] = Seen(step, now)
                self.writer.note("hung", run=run_id, step=step)
                self.engine.kill(run_id)

    def _note(self, what: str, **facts: Any) -> None:
        self.writer.note(what, **facts)
        self.attempts.hear({"what": what, **facts})


class Seen(NamedTuple):
    """The last step seen of a running run, and since when."""

    step: int | None
    since: float  # of time.monotonic()
