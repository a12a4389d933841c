"""A sweep: every run of a plan once, to the bits it has alone, whatever becomes of its workers."""

import errno
import importlib
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from faults.sweeping import (
    ARMS,
    EXPLOSIVE,
    GREEDY,
    LONG,
    MONSTROUS,
    NAME,
    Coordinator,
    count,
    ends,
    fork_nurseries,
    send,
    state_of,
    swept,
    tiny_study,
    undisturbed,
    what,
)
from faults.training import wait_until, warm_up
from latebloom import lab
from latebloom.base.errors import SpecError, StoreError
from latebloom.lab.engines import Ended, Job, local, nursery
from latebloom.lab.engines.job import work
from latebloom.spec import Study, plain, plan
from latebloom.store import Store, StoredRun, StoredStudy, durable, jsonl

sweeps = importlib.import_module("latebloom.lab.sweep")  # `lab` may have a function of this name


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    warm_up()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fork_nurseries(monkeypatch)


def planned_runs(root: Path) -> list[StoredRun]:
    return [StoredRun(root / one.run) for one in StoredStudy(root, NAME).planned]


def have_begun(root: Path) -> list[Path]:
    """The folders of runs that have taken some steps: the first evaluation is that of step 0."""
    return [log.parent for log in root.glob("2*/readings.jsonl") if log.read_bytes().count(b"\n") > 1]


# A sweep that nothing disturbs


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("done")
    with pytest.MonkeyPatch.context() as patch:
        fork_nurseries(patch)
        result = swept(root, tiny_study())
    assert result.exit_code == 0 and result.progress.is_over and result.progress.finished == 4
    return root


def test_every_run_is_trained_once_to_the_bits_it_has_alone(done: Path, memory: Path) -> None:
    assert count(done) == undisturbed(4)
    for trial, run in zip(plan(tiny_study()), planned_runs(done), strict=True):
        alone = lab.run(trial.spec, store=memory)
        assert ends(done)[trial.key][0] == lab.digest(alone.stored.load(alone.stored.step))
        assert ends(done)[trial.key][1] == (alone.path / "readings.jsonl").read_bytes()
        assert (run.name, run.seed, run.spec) == (alone.stored.name, trial.spec.seed, alone.stored.spec)


def test_the_plan_says_which_run_is_which_and_each_run_where_it_comes_from(done: Path) -> None:
    study = StoredStudy(done, NAME)
    trials = plan(tiny_study())
    assert [(one.label, one.key) for one in study.planned] == [(trial.label, trial.key) for trial in trials]
    assert study.study == tiny_study().plain() and not study.is_swept()
    for one in study.planned:
        run = study.run(one)
        assert run is not None and (run.environment["study"], run.environment["label"]) == (NAME, one.label)


def test_each_run_has_a_process_of_its_own(done: Path) -> None:
    """What a process cannot leak, it cannot carry from one run to the next."""
    pids = {json.loads((run.path / "lock").read_text())["pid"] for run in planned_runs(done)}
    assert len(pids) == 4


def test_sweeping_again_starts_nothing(done: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    engine = Scripted()
    assert sweeps.sweep(tiny_study(), store=done, engine=engine).progress.finished == 4
    assert engine.jobs == []
    after = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    assert {path.name for path in after if after[path] != before.get(path)} == {"lock"}  # the study's own


def test_of_a_plan_some_runs_may_come_first_and_the_others_later(memory: Path) -> None:
    some = sweeps.sweep(tiny_study(), store=memory, only=["arm=heavy"])
    assert (some.exit_code, some.progress.total, some.progress.finished) == (0, 2, 2)
    study = StoredStudy(memory, NAME)
    assert len(study.planned) == 4  # the plan is the same, and says what is still to come
    assert [one.label["arm"] for one in study.planned if study.run(one) is not None] == ["heavy", "heavy"]
    assert swept(memory, tiny_study()).progress.finished == 4
    assert count(memory) == undisturbed(4)


def test_what_no_run_of_the_plan_has_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is 0, 1"):
        sweeps.sweep(tiny_study(), store=tmp_path / "runs", only=["seed=7"])
    assert not (tmp_path / "runs").exists()


def test_a_study_may_be_given_more_runs_but_not_others(memory: Path) -> None:
    swept(memory, tiny_study(1))
    first = StoredStudy(memory, NAME).planned
    fewer, others = tiny_study(1, arms={"light": ARMS["light"]}), {**ARMS, "heavy": {"batch": {"size": 8}}}
    for other in (fewer, tiny_study(1, steps=13), tiny_study(1, arms=others)):
        with pytest.raises(StoreError, match="runs that are not in this plan"):
            swept(memory, other)
    assert StoredStudy(memory, NAME).planned == first
    assert swept(memory, tiny_study(2)).progress.finished == 4
    assert [one for one in StoredStudy(memory, NAME).planned if one.label["seed"] == 0] == first
    assert count(memory) == undisturbed(4)


def test_a_study_of_a_version_without_some_setting_is_gone_on_with(memory: Path, monkeypatch: Any) -> None:
    swept(memory, tiny_study(1))
    path = memory / "studies" / NAME / "plan.json"
    fields = jsonl.read_one(path)
    for one in fields["runs"]:
        del one["spec"]["threads"]  # a setting that did not exist when the study was planned,
        one["key"] = f"before {one['key']}"  # so its runs had other keys
    durable.replace(path, jsonl.frame(fields))
    before = StoredStudy(memory, NAME).planned
    assert swept(memory, tiny_study(2)).progress.finished == 4
    after = StoredStudy(memory, NAME).planned
    assert [one.run for one in after if one.label["seed"] == 0] == [one.run for one in before]
    assert [one.key for one in after] == [trial.key for trial in plan(tiny_study(2))]
    monkeypatch.setattr(sweeps, "key_today", lambda planned: planned.key)
    durable.replace(path, jsonl.frame(fields))
    with pytest.raises(StoreError, match="runs that are not in this plan"):
        swept(memory, tiny_study(2))


def test_a_second_coordinator_is_refused_and_told_of_the_first(memory: Path) -> None:
    first = Coordinator(memory, tiny_study(1, **LONG))
    wait_until(first.workers)
    with pytest.raises(StoreError, match=rf"Study {NAME} is being written by process {first.pid} on"):
        swept(memory, tiny_study(1, **LONG))
    assert StoredStudy(memory, NAME).is_swept()
    send(signal.SIGTERM, [first.pid])
    assert first.wait() == 143
    assert what(memory) == {}  # the second one left no word


def test_one_seed_comes_after_the_other(memory: Path) -> None:
    """So that an unfinished study compares whole replicates."""
    engine = Scripted(work)
    sweeps.sweep(tiny_study(), store=memory, engine=engine)
    assert [(job.spec["seed"], job.origin["label"]["arm"]) for job in engine.jobs] == [
        (0, "light"),
        (0, "heavy"),
        (1, "light"),
        (1, "heavy"),
    ]


# Runs that cannot be trained


def test_a_run_that_cannot_start_is_given_up_with_its_reason_and_the_others_are_trained(memory: Path) -> None:
    study = tiny_study(1, arms={**GREEDY, "light": {}})
    result = swept(memory, study)
    assert (result.exit_code, result.progress.finished) == (1, 1)
    [(run, reason)] = result.progress.given_up.items()
    assert run == StoredStudy(memory, NAME).planned[0].run
    assert reason.startswith("SpecError: batch.size = 5000 asks for 5000 different examples")
    assert what(memory) == {"attempt": 1, "given_up": 1}  # no repetition makes a recipe right

    again = swept(memory, study)
    assert (again.exit_code, again.progress.given_up) == (1, {run: reason})  # told again, and not tried
    assert what(memory) == {"attempt": 1, "given_up": 1}

    assert swept(memory, study, retry=True).progress.given_up == {run: reason}
    assert what(memory) == {"attempt": 2, "given_up": 2, "retry": 1}


def test_a_run_that_diverges_is_counted_and_not_repeated(memory: Path) -> None:
    study = tiny_study(1, arms={**EXPLOSIVE, "light": {}})
    for _ in range(2):
        result = swept(memory, study, retry=True)
        assert (result.exit_code, result.progress.diverged, result.progress.finished) == (1, 1, 1)
        assert not result.progress.given_up and what(memory)["attempt"] == 0
    diverged = planned_runs(memory)[0]
    assert diverged.status == "diverged" and "finite" in diverged.reason
    assert [entry["what"] for entry in diverged.journal()].count("started") == 1


def test_a_run_that_always_fails_is_tried_a_few_times(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "MOST_FRUITLESS", 2)
    result = swept(memory, tiny_study(1, arms={**MONSTROUS, "light": {}}))
    [reason] = result.progress.given_up.values()
    assert "memory" in reason and (result.exit_code, result.progress.finished) == (1, 1)
    assert what(memory) == {"attempt": 2, "given_up": 1}


class Scripted:
    """An engine without processes, one job at a time, and a clock that only moves while nothing is done."""

    slots = 1

    def __init__(self, *acts: Callable[[Job], Ended]) -> None:
        """The attempts act so, one after the other; the last act is that of all further ones."""
        self.acts, self.jobs, self.at = list(acts), list[Job](), list[float]()
        self.now, self.is_closed = 0.0, False

    def start(self, job: Job) -> None:
        self.jobs.append(job)
        self.at.append(self.now)
        self.job: Job | None = job

    def ended(self, timeout_s: float) -> list[Ended]:
        job, self.job = getattr(self, "job", None), None
        if job is None:
            self.now += timeout_s
            return []
        return [self.acts.pop(0)(job) if len(self.acts) > 1 else self.acts[0](job)]

    def kill(self, run: str) -> None:
        raise AssertionError("nothing hangs here")

    def close(self) -> None:
        self.is_closed = True


def fails(job: Job) -> Ended:
    return Ended(job.run, 1, "a reason")


def saves_until(step: int) -> Callable[[Job], Ended]:
    """An attempt that is killed right after its checkpoint of this step."""

    def act(job: Job) -> Ended:
        folder = Path(job.store) / job.run / "checkpoints"
        if not folder.exists():
            work(job._replace(spec={**job.spec, "wall_time_limit_s": 1e-9}))  # makes the folder, and takes one step
        run = StoredRun(folder.parent)
        while run.step < step:
            lab.resume(job.run, store=job.store)
            run = StoredRun(folder.parent)
        return Ended(job.run, -9, "killed")

    return act


def scripted(root: Path, study: Study, engine: Scripted, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    monkeypatch.setattr(sweeps, "time", SimpleNamespace(monotonic=lambda: engine.now))
    return sweeps.sweep(study, store=root, engine=engine, **options)


ONE: dict[str, Any] = {"arms": {"light": {}}}


def test_each_attempt_in_vain_waits_longer_until_the_run_is_given_up(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Scripted(fails)
    result = scripted(memory, tiny_study(1, **ONE), engine, monkeypatch)
    assert engine.at == [0, 1, 3, 7, 15] and len(engine.at) == sweeps.MOST_FRUITLESS
    assert list(result.progress.given_up.values()) == ["a reason"] and engine.is_closed


def test_an_attempt_that_saved_something_new_starts_the_count_again(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Scripted(*[fails] * 4, saves_until(2), *[fails] * 3, saves_until(3), *[fails] * 3, work)
    result = scripted(memory, tiny_study(1, **ONE, wall_time_limit_s=1e-9), engine, monkeypatch)
    assert result.progress.finished == 1 and len(engine.jobs) > 13
    assert [entry["step"] for entry in StoredStudy(memory, NAME).journal()][:9] == [-1] * 4 + [2] * 4 + [3]


def test_attempts_are_counted_over_the_lives_of_coordinators(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a run that kills its whole machine would be tried for ever."""

    def dies(job: Job) -> Ended:
        raise KeyboardInterrupt

    study = tiny_study(1, **ONE)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            scripted(memory, study, Scripted(fails, fails, dies), monkeypatch)
    result = scripted(memory, study, Scripted(fails), monkeypatch)
    assert what(memory) == {"attempt": 5, "given_up": 1} and result.exit_code == 1


def test_a_run_that_somebody_finished_by_hand_is_given_up_no_more(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Scripted(fails)
    assert scripted(memory, tiny_study(1, **ONE), engine, monkeypatch).progress.given_up
    assert work(engine.jobs[0]).exit_code == 0
    result = scripted(memory, tiny_study(1, **ONE), Scripted(), monkeypatch)
    assert (result.exit_code, result.progress.finished, result.progress.given_up) == (0, 1, {})


def test_only_what_is_tried_again_is_forgotten(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = tiny_study(1)
    given_up = scripted(memory, study, Scripted(fails), monkeypatch).progress.given_up
    assert len(given_up) == 2
    light = scripted(memory, study, Scripted(work), monkeypatch, retry=True, only=["arm=light"])
    assert (light.exit_code, light.progress.total, light.progress.finished) == (0, 1, 1)
    again = scripted(memory, study, Scripted(), monkeypatch)  # the other is still known to fail, and why
    assert (again.exit_code, again.progress.finished, len(again.progress.given_up)) == (1, 1, 1)
    assert again.progress.given_up.items() < given_up.items()


def test_a_full_disk_ends_the_sweep_and_is_no_attempt(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No run is to blame, so none may be given up for it."""
    engine = Scripted(work)
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="Make room, then resume"):
        room = itertools.count()

        def observe(operation: str, path: Path) -> None:
            if "checkpoints" in path.parts and operation == "write" and next(room) > 1:
                raise OSError(errno.ENOSPC, "full")

        patch.setattr(durable, "observe", observe)
        scripted(memory, tiny_study(1, **ONE), engine, patch)
    assert len(engine.jobs) == 1 and engine.is_closed and what(memory) == {}
    assert scripted(memory, tiny_study(1, **ONE), Scripted(work), monkeypatch).exit_code == 0


def test_an_impatient_ctrl_c_leaves_the_terminal_as_it_was(memory: Path) -> None:
    """The second one falls into the wait for the workers."""
    heard = list[str]()

    class Slow(Scripted):
        def close(self) -> None:
            heard.append("close")
            raise KeyboardInterrupt

    def asked(job: Job) -> Ended:
        signal.raise_signal(signal.SIGTERM)  # as Ctrl-C, which a test suite in the background may not hear
        return fails(job)

    listener = SimpleNamespace(
        start=lambda *_: None,
        update=lambda _: None,
        ended=lambda *_: None,
        stopping=lambda: heard.append("stopping"),
        stop=lambda: heard.append("stop"),
    )
    with pytest.raises(KeyboardInterrupt):
        sweeps.sweep(tiny_study(1, **ONE), store=memory, engine=Slow(asked), listener=listener)
    assert heard == ["stopping", "close", "stop"]


def test_what_nobody_waits_for_is_not_begun(memory: Path) -> None:
    """The coordinator asked for a run and died, while the process that starts workers was still loading torch."""
    spec = plain(plan(tiny_study(1, **ONE))[0].spec)
    asked = json.dumps({"start": Job("20260101T000000-abcdef", str(memory), spec, {})._asdict()}).encode() + b"\n"
    program = [sys.executable, "-P", "-m", "latebloom.lab.engines.nursery"]
    done = subprocess.run(program, input=asked, capture_output=True, check=True)
    assert [*json.loads(done.stdout)] == ["ready"] and not [*memory.glob("2*")]


def test_a_file_of_the_user_does_not_stand_in_for_pythons_own(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(memory)
    (memory / "random.py").write_text("raise SystemExit('my own file was run')\n")
    monkeypatch.setattr(local, "subprocess", subprocess)  # a nursery as users have it, not one that is forked
    assert swept(memory / "store", tiny_study(1, **ONE)).exit_code == 0
    control = subprocess.run([sys.executable, "-m", "latebloom.lab.engines.nursery"], input=b"", capture_output=True)
    assert control.returncode and b"my own file was run" in control.stderr


def test_a_run_with_a_wall_clock_limit_is_gone_on_with_until_it_is_done(memory: Path) -> None:
    """Each stretch takes at least a step."""
    engine = Scripted(work)
    result = sweeps.sweep(tiny_study(1, **ONE, wall_time_limit_s=1e-9), store=memory, engine=engine)
    assert (result.exit_code, result.progress.finished, len(engine.jobs)) == (0, 1, 13)


def test_a_listener_hears_every_end_and_the_engine_is_closed_whatever_happens(memory: Path) -> None:
    heard = list[str]()

    def hear(*told: Any) -> None:
        heard.append(told[-1])
        if len(heard) == 2:
            raise RuntimeError("a listener of somebody else")

    nothing = {"start": lambda *_: None, "update": lambda _: None, "stop": lambda: heard.append("stop")}
    engine = Scripted(work)
    with pytest.raises(RuntimeError):
        sweeps.sweep(tiny_study(), store=memory, engine=engine, listener=SimpleNamespace(**nothing, ended=hear))
    assert heard == ["finished", "finished", "stop"] and engine.is_closed


# Deaths; hundreds of them are in faults/test_sweep_kills.py


def is_frozen_at_work(coordinator: Coordinator) -> bool:
    """Freeze the nursery; with a worker alive then, it cannot have reported that one's end."""
    send(signal.SIGSTOP, coordinator.nursery())
    if not coordinator.workers():
        send(signal.SIGCONT, coordinator.nursery())
    return bool(coordinator.workers())


def test_killed_workers_and_a_killed_nursery_are_replaced_and_every_run_finishes_once(memory: Path, done: Path) -> None:
    coordinator = Coordinator(memory, tiny_study())
    wait_until(lambda: send(signal.SIGKILL, coordinator.workers()) and what(memory)["attempt"])
    wait_until(lambda: is_frozen_at_work(coordinator))
    workers = coordinator.workers()
    assert send(signal.SIGKILL, coordinator.nursery()) == 1
    wait_until(lambda: not set(workers) & set(coordinator.workers()))  # they die with it
    assert coordinator.wait() == 0
    assert count(memory) == undisturbed(4) and ends(memory) == ends(done)
    reasons = {entry["reason"] for entry in StoredStudy(memory, NAME).journal()}
    assert {"the worker was killed by signal 9 (Killed)", "the process that starts workers died"} <= reasons


def test_a_worker_that_stands_still_is_killed_and_its_run_goes_on(
    memory: Path, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "HUNG_AFTER_S", 1.5)
    monkeypatch.setattr(sweeps, "MOST_FRUITLESS", 20)  # a busy machine may seem to stand still
    coordinator = Coordinator(memory, tiny_study())
    wait_until(lambda: any(send(signal.SIGSTOP, [pid]) and state_of(pid) == "T" for pid in coordinator.workers()))
    assert coordinator.wait() == 0
    assert what(memory)["hung"] >= 1 and count(memory) == undisturbed(4) and ends(memory) == ends(done)


STOPPED = tiny_study(1, steps=300, evaluation={"every": 10}, checkpoints={"every": 1000, "best": []})


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> str:
    """SHA-256 of the last state of the first run, trained without a stop."""
    run = lab.run(plan(STOPPED)[0].spec, store=tmp_path_factory.mktemp("alone"))
    return lab.digest(run.stored.load(300))


def frozen(root: Path) -> list[int]:
    """Freeze the workers of all runs that have begun."""
    pids = [json.loads((run / "lock").read_text())["pid"] for run in have_begun(root)]
    send(signal.SIGSTOP, [pid for pid in pids if state_of(pid) != "T"])
    return pids


def is_asked_to_end(pid: int) -> bool:
    """Whether a SIGTERM waits for a frozen process."""
    waiting = Path(f"/proc/{pid}/status").read_text().partition("ShdPnd:")[2].split()[0]
    return bool(int(waiting, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_all_runs_save_and_the_next_call_finishes_with_the_same_bits(
    memory: Path, number: signal.Signals, alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "PATIENCE_S", 20)
    coordinator = Coordinator(memory, STOPPED)
    wait_until(lambda: len(frozen(memory)) == 2)  # or they would be done too soon
    send(number, [coordinator.pid])
    wait_until(lambda: all(map(is_asked_to_end, frozen(memory))))
    send(signal.SIGCONT, frozen(memory))
    assert coordinator.wait() == 128 + number and not coordinator.left()
    for run in planned_runs(memory):
        assert (run.status, run.reason) == ("interrupted", "asked to stop by SIGTERM")
        assert run.step and run.checkpoints()[-1].step == run.step
    assert swept(memory, STOPPED).exit_code == 0 and count(memory) == undisturbed(2)
    assert ends(memory)[plan(STOPPED)[0].key][0] == alone


def test_when_the_coordinator_is_killed_each_of_its_workers_saves_and_nobody_is_left(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "PATIENCE_S", 20)
    coordinator = Coordinator(memory, tiny_study(1, **LONG))
    wait_until(lambda: len(have_begun(memory)) == 2)
    quick, slow = coordinator.workers()
    send(signal.SIGSTOP, [slow])
    coordinator.kill()
    wait_until(lambda: not state_of(quick))  # its end is reported to nobody
    time.sleep(0.3)  # to do what would be wrong
    send(signal.SIGCONT, [slow])
    wait_until(lambda: not coordinator.left())
    for run in planned_runs(memory):
        assert (run.status, run.reason) == ("interrupted", "asked to stop by SIGTERM")


def test_a_run_that_a_dying_coordinators_worker_still_has_is_waited_for(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = {"wall_time_limit_s": 1e-9}

    def meets_the_old_one(job: Job) -> Ended:
        work(job._replace(spec={**job.spec, **limited}))  # makes the run, and takes one step
        with Store(job.store).open(job.run):
            return work(job)

    def comes_after_the_old_one_has_finished(job: Job) -> Ended:
        while StoredRun(Path(job.store) / job.run).status != "finished":
            work(job)
        return work(job)

    engine = Scripted(meets_the_old_one, comes_after_the_old_one_has_finished)
    result = scripted(memory, tiny_study(1, **ONE, **limited), engine, monkeypatch)
    assert (result.exit_code, len(engine.jobs)) == (0, 2)
    [attempt] = StoredStudy(memory, NAME).journal()
    assert attempt["exit_code"] == 5 and "is being written by process" in attempt["reason"]
    [run] = planned_runs(memory)
    assert [entry.get("status") for entry in run.journal()].count("finished") == 1
