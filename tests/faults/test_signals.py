"""Ctrl-C, SIGTERM, SIGHUP: the first leaves a durable checkpoint and a run that resumes to the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.tiny import MLP, tiny
from faults.training import End, Watcher, end_of, only, publish, wait_until, warm_up
from latebloom import cli, lab
from latebloom.spec import to_yaml
from latebloom.store import Store

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONG = tiny(
    steps=600, model=MLP, evaluation={"every": 10}, checkpoints={"every": 100, "milestones": {"at": [300]}, "best": []}
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> End:
    warm_up()
    root = tmp_path_factory.mktemp("undisturbed")
    lab.run(LONG, store=root)
    return end_of(root)


def in_child(action: Callable[[], object]) -> int:
    """A forked child with the handlers of a fresh process; its id."""
    pid = os.fork()
    if pid:
        return pid
    code: Any = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        action()
        code = 0
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        code = 130
    finally:
        os._exit(code)


def command(*arguments: str) -> Callable[[], object]:
    def call() -> None:
        sys.argv = ["latebloom", *arguments]
        cli.main()

    return call


def wait_for(root: Path, evaluations: int) -> None:
    """Until the run in `root` has written so many evaluations."""
    wait_until(lambda: any(log.read_bytes().count(b"\n") >= evaluations for log in root.glob("2*/readings.jsonl")))


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def interrupt(number: signal.Signals, evaluations: int, root: Path, undisturbed: End) -> float:
    """Signal a run, check what it leaves, resume it; returns how long it took to stop."""
    recipe = root.with_suffix(".yaml")
    recipe.write_text(to_yaml(LONG))
    pid = in_child(command("run", str(recipe), "--store", str(root), "--quiet", "--no-report"))
    wait_for(root, evaluations)
    began = time.monotonic()
    os.kill(pid, number)
    code, took = ended(pid), time.monotonic() - began
    run = only(root)
    if code == 0:  # it was done before the signal came
        assert evaluations > 40
    else:
        assert code == 128 + number
        assert (run.status, run.reason) == ("interrupted", f"asked to stop by {number.name}")
        assert run.checkpoints()[-1].step == run.step and run.load(run.step)
        assert lab.resume(run.id, store=root).status == "finished"
    assert end_of(root) == undisturbed
    return took


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_a_durable_checkpoint_and_the_same_bits(
    number: signal.Signals, memory: Path, undisturbed: End
) -> None:
    assert interrupt(number, 7, memory / "runs", undisturbed) < 5


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_signals_at_random_moments_leave_resumable_runs(memory: Path, undisturbed: End) -> None:
    numbers, began = random.Random(7), time.monotonic()
    took = [
        interrupt(number, numbers.randrange(1, 58), memory / f"{number.name}-{n}", undisturbed)
        for n in range(15)
        for number in SIGNALS
    ]
    publish(
        "signals", sent=len(took), resumed=len(took), slowest_stop_s=round(max(took), 2),
        seconds=round(time.monotonic() - began),
    )  # fmt: skip
    assert max(took) < 5


@pytest.mark.slow
def test_a_real_process_answers_a_signal_the_same_way(tmp_path: Path, undisturbed: End) -> None:
    recipe, root = tmp_path / "recipe.yaml", tmp_path / "runs"
    recipe.write_text(to_yaml(LONG.but(steps=100_000)))
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_DFL); from latebloom.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", program, "run", recipe, "--store", root, "--quiet"],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    wait_for(root, 3)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 143
    assert f"asked to stop by SIGTERM; go on with: latebloom resume {only(root).id}" in told
    assert only(root).status == "interrupted"


def sleeping(root: Path) -> Callable[[], object]:
    """A run that hangs in its listener at step 120, where a polite stop cannot come through."""

    class Hangs(Watcher):
        def update(self, step: int, *rest: Any) -> None:
            if step == 120:
                (root / "hanging").touch()
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    time.sleep(0.05)

    return lambda: lab.run(LONG, store=root, listener=Hangs())


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_is_obeyed_at_once_and_loses_nothing(
    number: signal.Signals, memory: Path, undisturbed: End
) -> None:
    root = memory / "runs"
    root.mkdir()
    pid = in_child(sleeping(root))
    wait_until((root / "hanging").exists)
    os.kill(pid, number)
    time.sleep(0.2)
    assert os.waitpid(pid, os.WNOHANG)[0] == 0  # the first was heard, and waits for the step to end
    began = time.monotonic()
    os.kill(pid, number)
    code = ended(pid)
    assert time.monotonic() - began < 2
    assert code == (130 if number == signal.SIGINT else -number)
    assert only(root).status == ("interrupted" if number == signal.SIGINT else "crashed")
    (root / "hanging").unlink()
    lab.resume(store=root)
    assert end_of(root) == undisturbed


def test_a_signal_that_was_ignored_stays_ignored(memory: Path, undisturbed: End) -> None:
    """`nohup latebloom run ...` must outlive the terminal."""
    root = memory / "runs"

    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        lab.run(LONG, store=root)

    pid = in_child(nohup)
    wait_for(root, 5)
    os.kill(pid, signal.SIGHUP)
    assert ended(pid) == 0
    assert end_of(root) == undisturbed


def test_a_signal_at_any_step_leaves_a_checkpoint_of_that_step(memory: Path) -> None:
    """Also at step 0, before the first update."""
    spec = LONG.but(steps=12, evaluation={"every": 5})
    lab.run(spec, store=memory / "undisturbed")
    for k in range(12):
        root = memory / str(k)
        run = lab.run(spec, store=root, listener=Asks(k, signal.SIGTERM))
        assert (run.status, run.stored.step) == ("interrupted", k)
        assert run.outcome is not None and run.outcome.exit_code == 143
        assert [checkpoint.step for checkpoint in run.stored.checkpoints()] == [k]
        lab.resume(store=root)
        assert end_of(root) == end_of(memory / "undisturbed")
    last = lab.run(spec, store=memory / "12", listener=Asks(12, signal.SIGTERM))
    assert last.status == "finished"  # it had nothing left to do


class Asks(Watcher):
    """A listener that sends a signal to its own process at one step."""

    def __init__(self, step: int, number: signal.Signals) -> None:
        self.step, self.number = step, number

    def update(self, step: int, *rest: Any) -> None:
        if step == self.step:
            signal.raise_signal(self.number)


def test_the_wall_clock_limit_stops_a_run_that_can_go_on(memory: Path) -> None:
    """A limit that is over at once still lets every stretch take a step."""
    spec = LONG.but(steps=8, evaluation={"every": 3})
    lab.run(spec, store=memory / "undisturbed")
    root = memory / "limited"
    run = lab.run(spec.but(wall_time_limit_s=1e-9), store=root)
    stretches = 1
    while run.status == "interrupted":
        assert "the wall-clock limit of 1e-09 s is reached" in run.stored.reason
        assert run.outcome is not None and run.outcome.exit_code == 0
        run = lab.resume(store=root)
        stretches += 1
    assert stretches == 9 and end_of(root) == end_of(memory / "undisturbed")
    assert len(Store(root).runs()) == 1
