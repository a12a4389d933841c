"""The process that forks workers: it reports every end, keeps nothing of a run, and leaves nobody behind."""

import json
import os
import selectors
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.tiny import MLP, tiny
from faults.sweeping import LONG, ForkedNursery, fork_nurseries, send, state_of
from faults.training import wait_until, warm_up
from latebloom.lab.engines import Ended, Job, Local, nursery
from latebloom.spec import RunSpec, plain
from latebloom.store import StoredRun
from latebloom.store.layout import new_run_id

SHORT = tiny(steps=5, model=MLP, evaluation={"every": 2}, checkpoints={"every": 4, "best": []})
ENDLESS = tiny(model=MLP, **LONG)


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    warm_up()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Local]:
    fork_nurseries(monkeypatch)
    engine = Local(4)
    yield engine
    engine.close()


def job(root: Path, spec: RunSpec = SHORT, **changes: Any) -> Job:
    return Job(new_run_id(), str(root), {**plain(spec), **changes}, {})


def began(root: Path, jobs: list[Job]) -> None:
    """Wait until these jobs have taken some steps: the first evaluation is that of step 0."""
    logs = [root / one.run / "readings.jsonl" for one in jobs]
    wait_until(lambda: all(log.exists() and log.read_bytes().count(b"\n") > 1 for log in logs))


def pid_of(root: Path, one: Job) -> int:
    return int(json.loads((root / one.run / "lock").read_text())["pid"])


def is_alive(pid: int) -> bool:
    return state_of(pid) not in ("", "Z")


def all_ended(engine: Local, number: int) -> dict[str, Ended]:
    found: dict[str, Ended] = {}
    deadline = time.monotonic() + 60
    while len(found) < number and time.monotonic() < deadline:
        found |= {one.run: one for one in engine.ended(0.2)}
    return found


def test_every_end_is_reported_with_its_exit_code_and_reason(memory: Path, engine: Local) -> None:
    good, wrong, greedy = job(memory), job(memory, steps=0), job(memory, batch={"size": 5000})
    explosive = job(memory, optimizer={"kind": "sgd", "learning_rate": 1e30})
    for one in (good, wrong, greedy, explosive):
        engine.start(one)
    ended = all_ended(engine, 4)
    assert ended[good.run] == Ended(good.run, 0, "")
    assert ended[wrong.run].exit_code == 2 and f"the planned spec of run {wrong.run}" in ended[wrong.run].reason
    assert ended[greedy.run].exit_code == 2 and "batch.size = 5000" in ended[greedy.run].reason
    assert ended[explosive.run].exit_code == 4 and "is stopped" in ended[explosive.run].reason
    assert StoredRun(memory / good.run).status == "finished"


def test_a_run_told_to_be_killed_is_killed_and_no_other(memory: Path, engine: Local) -> None:
    one, other = job(memory, ENDLESS), job(memory, ENDLESS)
    engine.start(one)
    engine.start(other)
    began(memory, [one, other])
    engine.kill(one.run)
    engine.kill("20200101T000000-000000")  # it ended a moment ago
    assert all_ended(engine, 1) == {one.run: Ended(one.run, -9, "the worker was killed by signal 9 (Killed)")}
    assert StoredRun(memory / one.run).status == "crashed" and StoredRun(memory / other.run).status == "running"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGRTMIN + 7])
def test_whatever_signal_kills_a_worker_is_told(memory: Path, engine: Local, number: int) -> None:
    """Also one that Python has no name for."""
    one = job(memory, ENDLESS)
    engine.start(one)
    began(memory, [one])
    os.kill(pid_of(memory, one), number)
    assert all_ended(engine, 1)[one.run].reason.startswith(f"the worker was killed by signal {int(number)} (")


def test_closing_lets_every_worker_save(memory: Path, engine: Local) -> None:
    jobs = [job(memory, ENDLESS) for _ in range(3)]
    for one in jobs:
        engine.start(one)
    began(memory, jobs)
    pids = [pid_of(memory, one) for one in jobs]
    engine.close()
    for one in jobs:
        run = StoredRun(memory / one.run)
        assert (run.status, run.reason) == ("interrupted", "asked to stop by SIGTERM")
        assert run.step and run.checkpoints()[-1].step == run.step
    assert not any(map(is_alive, pids))
    engine.close()  # again is fine


def test_a_worker_that_does_not_answer_is_killed_when_all_is_closed(
    memory: Path, engine: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "PATIENCE_S", 0.3)
    one = job(memory, ENDLESS)
    engine.start(one)
    began(memory, [one])
    pid = pid_of(memory, one)
    os.kill(pid, signal.SIGSTOP)
    engine.close()
    wait_until(lambda: not is_alive(pid))


def test_a_nursery_that_does_not_answer_is_killed_with_its_workers(
    memory: Path, engine: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latebloom.lab.engines.local.PATIENCE_S", -1.7)
    one = job(memory, ENDLESS)
    engine.start(one)
    began(memory, [one])
    pid, process = pid_of(memory, one), engine._nursery
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    engine.close()
    wait_until(lambda: not is_alive(pid) and not is_alive(process.pid))


def die_with_it(root: Path, engine: Local) -> bool:
    """Kill a nursery, and say whether its worker died."""
    one = job(root, ENDLESS)
    engine.start(one)
    began(root, [one])
    pid = pid_of(root, one)
    assert engine._nursery is not None
    send(signal.SIGKILL, [engine._nursery.pid])
    try:
        wait_until(lambda: not is_alive(pid), seconds=1)
        return True
    except TimeoutError:
        return False
    finally:
        send(signal.SIGKILL, [pid])
        assert all_ended(engine, 1)[one.run] == Ended(one.run, -9, "the process that starts workers died")


def test_workers_die_with_the_nursery_and_the_next_job_starts_another(memory: Path, engine: Local) -> None:
    assert die_with_it(memory, engine)
    one = job(memory)
    engine.start(one)
    assert all_ended(engine, 1)[one.run].exit_code == 0


def test_without_the_kernels_help_a_worker_would_stay(
    memory: Path, engine: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    monkeypatch.setattr(nursery, "die_with", lambda parent: None)
    assert not die_with_it(memory, engine)


def test_a_nursery_keeps_nothing_of_the_runs_it_has_seen(memory: Path, engine: Local) -> None:
    def resident_kib() -> int:
        assert engine._nursery is not None
        status = Path(f"/proc/{engine._nursery.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def open_files() -> int:
        assert engine._nursery is not None
        return len(list(Path(f"/proc/{engine._nursery.pid}/fd").iterdir()))

    def train(count: int) -> tuple[int, int]:
        for _ in range(count):
            engine.start(job(memory))
            assert len(all_ended(engine, 1)) == 1
        return resident_kib(), open_files()

    (before_kib, before_files), (after_kib, after_files) = train(2), train(6)
    assert after_kib - before_kib < 1024 and after_files == before_files


# What comes in and goes out


def test_what_a_run_prints_is_not_taken_for_a_report(
    memory: Path, engine: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noisy(one: Job) -> Ended:
        os.write(1, b'{"ended": {"run": "another", "exit_code": 0, "reason": ""}}\n')
        return Ended(one.run, 0, "")

    monkeypatch.setattr(nursery, "work", noisy)
    one = job(memory)
    engine.start(one)
    assert all_ended(engine, 1) == {one.run: Ended(one.run, 0, "")}


def test_reasons_without_a_reader_are_cut_and_do_not_keep_the_nursery_from_closing(
    memory: Path, engine: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty of them are more than a pipe holds."""
    monkeypatch.setattr(nursery, "work", lambda one: Ended(one.run, 1, "\N{BUG}" * 10**5))
    one = job(memory)
    engine.start(one)
    assert all_ended(engine, 1) == {one.run: Ended(one.run, 1, "\N{BUG}" * nursery.LONGEST_REASON)}
    for _ in range(20):
        engine.start(job(memory))
    process = engine._nursery
    assert process is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        assert selector.select(60)
    monkeypatch.setattr(ForkedNursery, "kill", lambda self: pytest.fail("it had to be killed"))
    engine.close()
    assert not is_alive(process.pid)


def test_a_job_told_in_two_halves_is_started_and_half_a_job_is_not(memory: Path) -> None:
    whole, half = job(memory), job(memory)
    told = json.dumps({"start": whole._asdict()}).encode() + b"\n" + json.dumps({"start": half._asdict()}).encode()
    process = ForkedNursery(["python", "-P", "-m", nursery.__name__])
    assert json.loads(process.stdout.readline()) == {"ready": process.pid}
    for part in (told[:100], told[100:]):
        process.stdin.write(part)
        process.stdin.flush()
        time.sleep(0.05)
    assert json.loads(process.stdout.readline())["ended"]["run"] == whole.run
    process.communicate()
    assert [path.name for path in memory.glob("2*")] == [whole.run]


def test_a_nursery_asked_to_stop_lets_its_workers_save(memory: Path) -> None:
    one = job(memory, ENDLESS)
    process = ForkedNursery(["python", "-P", "-m", nursery.__name__])
    process.stdin.write(json.dumps({"start": one._asdict()}).encode() + b"\n")
    process.stdin.flush()
    began(memory, [one])
    os.kill(process.pid, signal.SIGTERM)
    process.communicate()
    assert StoredRun(memory / one.run).status == "interrupted"
