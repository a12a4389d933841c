"""A sweep's workers, nursery and coordinator are killed, at every write and at random; every run finishes once."""

import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults.sweeping import (
    ALIVE_S,
    GREEDY,
    NAME,
    Coordinator,
    count,
    ends,
    fork_nurseries,
    send,
    swept,
    tiny_study,
    trained_again,
    undisturbed,
    what,
)
from faults.training import publish, wait_until, warm_up
from latebloom import lab
from latebloom.spec import Study
from latebloom.store import StoredRun, StoredStudy, durable

RUNS = int(os.environ.get("LATEBLOOM_SWEEP_RUNS", "60"))
WORKER_KILLS = int(os.environ.get("LATEBLOOM_SWEEP_WORKER_KILLS", "30"))
COORDINATOR_KILLS = int(os.environ.get("LATEBLOOM_SWEEP_COORDINATOR_KILLS", "5"))
PACE_S = 0.3  # at most between two looks: about as long as a run
LAST_KILL = 0.8  # of the runs are finished then, so that all kills find a sweep at work

MEDIUM: dict[str, Any] = {
    "steps": 120,
    "evaluation": {"every": 10},
    "checkpoints": {"every": 10, "best": [{"reading": "val/loss"}]},
}


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    warm_up()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fork_nurseries(monkeypatch)


def finished(root: Path) -> int:
    """How many runs say that they are."""
    return sum(b'"status":"finished"' in state.read_bytes() for state in root.glob("2*/state.json"))


def gone(coordinator: Coordinator) -> float:
    """Seconds until nobody of a dead coordinator's is left."""
    began = time.monotonic()
    wait_until(lambda: not coordinator.left(), ALIVE_S)
    return time.monotonic() - began


# Killed at every write of the sweep's own files

FIRST, MORE = ({"arms": {"light": {}, **GREEDY}, "seeds": seeds} for seeds in (1, 2))


def grow(root: Path) -> Any:
    """Sweep a study with a run that cannot be trained, then the same with more runs, trying again what failed."""
    swept(root, tiny_study(**FIRST))
    return swept(root, tiny_study(**MORE), retry=True)


def dying_at(k: int, root: Path, calls: Path) -> Callable[[], Any]:
    """`grow`, killed right before the k-th call for a file of the study; 0 only writes down the calls."""

    def act() -> Any:
        made: list[str] = []

        def observe(operation: str, path: Path) -> None:
            if path.is_relative_to(root / "studies") or path.name == "FORMAT":
                made.append(f"{operation} {path.name}")
                if len(made) == k:
                    os.kill(os.getpid(), signal.SIGKILL)

        durable.observe = observe
        result = grow(root)
        calls.write_text(json.dumps(made))
        return result

    return act


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_coordinator_killed_at_every_write_of_its_own_files_loses_nothing(memory: Path) -> None:
    began, log = time.monotonic(), memory / "calls.json"
    assert Coordinator(memory, tiny_study(), act=dying_at(0, memory / "count", log)).wait() == 1
    calls, expected = json.loads(log.read_text()), ends(memory / "count")
    assert {"create journal.jsonl", "append journal.jsonl", "lock lock", "rename plan.json"} <= set(calls)
    assert calls.count("rename plan.json") == 2 and calls.count("append journal.jsonl") > 6
    slowest = 0.0
    for k in range(1, len(calls) + 1):
        root = memory / str(k)
        coordinator = Coordinator(root, tiny_study(), act=dying_at(k, root, log))
        assert coordinator.wait() == -signal.SIGKILL
        has_plan = (root / "studies" / NAME / "plan.json").exists()
        known = StoredStudy(root, NAME).planned if has_plan else []
        result = swept(root, tiny_study(**MORE), retry=k % 2 == 0)
        slowest = max(slowest, gone(coordinator))
        where = f"killed at call {k}, {calls[k - 1]}"
        assert count(root) == undisturbed(4)._replace(done=2) and ends(root) == expected, where
        assert len(result.progress.given_up) == 2 and result.exit_code == 1, where
        assert {one.run for one in known} <= {one.run for one in StoredStudy(root, NAME).planned}, where
        shutil.rmtree(root)
    publish(
        "sweep killed at every write of its own", calls=len(calls), recovered=len(calls),
        slowest_end_s=round(slowest, 1), seconds=round(time.monotonic() - began),
    )  # fmt: skip


# Asked to stop


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_sweep_asked_to_stop_at_random_moments_goes_on_with_the_same_bits(memory: Path) -> None:
    numbers, began = random.Random(11), time.monotonic()
    study = tiny_study(3, **MEDIUM)
    swept(memory / "undisturbed", study)
    usual_s, sweeps, stops, slowest = time.monotonic() - began, 0, 0, 0.0
    while stops < 6:
        sweeps += 1
        root, code = memory / str(sweeps), 1
        while code:
            number = numbers.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
            coordinator = Coordinator(root, study)
            time.sleep(numbers.uniform(0, 0.6 * usual_s))
            asked = time.monotonic()
            send(number, [coordinator.pid])
            code = coordinator.wait()
            slowest = max(slowest, time.monotonic() - asked) if code else slowest
            assert code in (0, 128 + number, -number) and not coordinator.left()  # negative: before it listened
            stops += code == 128 + number
            for run in lab_runs(root):
                # Whoever had begun has saved; a worker told before its first step was simply ended.
                assert run.status in ("finished", "interrupted") or run.step == 0, run.reason
        assert count(root) == undisturbed(6) and ends(root) == ends(memory / "undisturbed")
    publish("sweeps asked to stop", sweeps=sweeps, stopped=stops, slowest_stop_s=round(slowest, 2),
            seconds=round(time.monotonic() - began))  # fmt: skip


def lab_runs(root: Path) -> list[StoredRun]:
    return [StoredRun(path.parent) for path in root.glob("2*/run.json")]


@pytest.mark.slow
def test_a_script_needs_no_guard(tmp_path: Path, memory: Path) -> None:
    """The pool of `multiprocessing` would run its lines once more in every worker."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "import latebloom\n"
        "from faults.sweeping import tiny_study\n"
        "print('once')\n"
        "swept = latebloom.lab.sweep(tiny_study(), workers=2, store=sys.argv[1])\n"
        "print(swept.progress.finished, swept.exit_code)\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script), str(memory / "runs")], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.stdout, ended.stderr) == ("once\n4 0\n", "")
    assert count(memory / "runs") == undisturbed(4)


# Everything at once


def patiently(root: Path, study: Study) -> Any:
    """Sweep, and never give up: on a slow machine a few kills in a row find the same run before it saved anything."""
    importlib.import_module("latebloom.lab.sweep").MOST_FRUITLESS = sys.maxsize  # in a process of its own
    return swept(root, study)


def storm(root: Path, study: Study, worker_kills: int, coordinator_kills: int) -> dict[str, Any]:
    """Sweep a study, with so many kills -9 at random moments."""
    numbers = random.Random(5)
    due = sorted(numbers.uniform(0.02, LAST_KILL) for _ in range(coordinator_kills))
    due[1:2] = due[:1] * (coordinator_kills > 1)  # one is killed while it has hardly begun
    counts = {"worker_kills": 0, "coordinator_kills": 0}
    dead, slowest = list[Coordinator](), 0.0
    coordinator = Coordinator(root, study, act=lambda: patiently(root, study))
    while not coordinator.is_over():
        time.sleep(numbers.uniform(0, PACE_S))
        share = finished(root) / study.size
        if due and share >= due[0]:
            due.pop(0)
            coordinator.kill()
            counts["coordinator_kills"] += 1
            if counts["coordinator_kills"] % 2:  # the next one meets its workers in half of the cases
                slowest = max(slowest, gone(coordinator))
            dead.append(coordinator)
            coordinator = Coordinator(root, study, act=lambda: patiently(root, study))
        elif counts["worker_kills"] < worker_kills * min(1, share / LAST_KILL) and (found := coordinator.workers()):
            counts["worker_kills"] += send(signal.SIGKILL, [numbers.choice(found)])
    assert coordinator.wait() == 0
    slowest = max(slowest, *map(gone, [*dead, coordinator]))
    return {**counts, "orphans": sum(len(one.left()) for one in dead), "slowest_end_s": round(slowest, 1)}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_sweep_in_which_everybody_is_killed_trains_every_run_exactly_once(memory: Path) -> None:
    study = tiny_study(RUNS // 2, **MEDIUM)
    began = time.monotonic()
    swept(memory / "undisturbed", study)
    undisturbed_s, began = time.monotonic() - began, time.monotonic()
    counts = storm(memory / "storm", study, WORKER_KILLS, COORDINATOR_KILLS)
    seconds = round(time.monotonic() - began)
    counted, same = count(memory / "storm"), ends(memory / "storm") == ends(memory / "undisturbed")
    publish(
        "sweep in a storm", **counted._asdict(), **counts, attempts=what(memory / "storm")["attempt"],
        identical=same, seconds=seconds, undisturbed_s=round(undisturbed_s),
    )  # fmt: skip
    assert counted == undisturbed(study.size) and same
    assert counts["orphans"] == 0 and counts["coordinator_kills"] == COORDINATOR_KILLS
    assert counts["worker_kills"] >= 0.9 * WORKER_KILLS
    assert what(memory / "storm")["given_up"] == 0


# Controls: what is counted can be seen


@pytest.mark.usefixtures("quick")
def test_a_coordinator_that_plans_anew_at_every_start_is_counted(memory: Path) -> None:
    study = tiny_study()

    def forgetful() -> Any:
        (memory / "studies" / NAME / "plan.json").unlink(missing_ok=True)
        return swept(memory, study)

    first = Coordinator(memory, study, act=forgetful)
    wait_until(lambda: finished(memory))
    first.kill()
    wait_until(lambda: not first.left())
    assert Coordinator(memory, study, act=forgetful).wait() == 0
    counted = count(memory)
    assert counted.done == 4 and counted.twice >= 1 and counted.strange >= 1


@pytest.mark.usefixtures("quick")
def test_a_coordinator_that_is_not_started_again_leaves_what_is_counted_as_stuck(memory: Path) -> None:
    """Without the nursery nobody asks the workers to save: their folders go on saying that they run."""
    coordinator = Coordinator(memory, tiny_study(**MEDIUM))
    wait_until(lambda: list(memory.glob("2*/state.json")))
    send(signal.SIGKILL, [*coordinator.nursery(), coordinator.pid])
    coordinator.wait()
    wait_until(lambda: not coordinator.left())
    counted = count(memory)
    assert counted.stuck >= 1 and counted.done < counted.planned


@pytest.mark.usefixtures("quick")
def test_a_run_trained_again_after_it_had_finished_is_counted(memory: Path) -> None:
    swept(memory, tiny_study(1))
    run = lab_runs(memory)[0]
    lab.resume(run.id, store=memory)
    assert not trained_again(run)  # nothing was left to do
    for checkpoint in run.checkpoints():
        shutil.rmtree(checkpoint.path)
    lab.resume(run.id, store=memory)
    assert trained_again(run) and count(memory).twice == 1


@pytest.mark.usefixtures("quick")
def test_other_bits_are_seen(memory: Path) -> None:
    for name, batch in (("one", 16), ("other", 15)):
        swept(memory / name, tiny_study(1, batch={"size": batch}))
    one, other = ({state for state, _ in ends(memory / name).values()} for name in ("one", "other"))
    assert len(one) == len(other) == 2 and not one & other


@pytest.mark.usefixtures("quick")
def test_processes_that_stay_are_seen(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nursery that does not listen to the end of its input stays when its coordinator dies."""
    monkeypatch.setattr("latebloom.lab.engines.nursery.Nursery._listen", lambda self: time.sleep(60))
    coordinator = Coordinator(memory, tiny_study(1))
    wait_until(coordinator.nursery)
    coordinator.kill()
    try:
        with pytest.raises(TimeoutError):
            wait_until(lambda: not coordinator.left(), seconds=0.5)
    finally:
        send(signal.SIGKILL, coordinator.left())
