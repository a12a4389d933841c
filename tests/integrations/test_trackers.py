"""Trackers are told of our runs, and whatever they do, a run ends with the same bits, on time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import latebloom
from engine.tiny import DECISIVE, MLP, tiny
from latebloom.base.errors import DivergedError, MissingExtra, SpecError
from latebloom.lab import digest, trackers
from latebloom.lab.companion import MOST_WAITING_BYTES, Companion
from latebloom.lab.handle import Run

TINY = tiny(**DECISIVE, evaluation={"every": 3})
TESTS = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that trackers of `integrations.sinks` write to."""
    monkeypatch.setenv("SINK", str(tmp_path / "sink"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "sink"


def calls(sink: Path) -> list[Any]:
    return [json.loads(line) for line in sink.read_text().splitlines()] if sink.exists() else []


def notices(run: Run) -> list[str]:
    return [entry["text"] for entry in run.stored.journal() if entry.get("what") == "notice"]


@pytest.fixture(scope="module")
def untracked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return latebloom.run(TINY, store=tmp_path_factory.mktemp("runs"))


def end(run: Run) -> str:
    return digest(run.stored.load(run.stored.checkpoints()[-1].step))


def test_a_tracker_is_told_everything_in_order(memory: Path, sink: Path, untracked: Run) -> None:
    run = latebloom.run(TINY, store=memory, trackers=["integrations.sinks:Writes"])
    told = calls(sink)
    assert told[0] == [
        "start",
        {"id": run.id, "name": run.spec.name, "seed": 1, "study": None, "step": 0, "spec": told[0][1]["spec"]},
    ]
    assert told[0][1]["spec"]["task"]["modulus"] == 7
    readings = [(step, values) for kind, step, values in (call for call in told if call[0] == "log")]
    assert [step for step, _ in readings] == [step for step, _ in run.stored.records()]
    assert [{**values, "learning_rate": 0.01} for _, values in run.stored.records()] == [
        values for _, values in readings
    ]
    assert [call[1]["kind"] for call in told if call[0] == "event"] == [event.kind for event in run.events]
    assert run.events
    assert told[-1] == ["finish", "finished"]
    assert notices(run) == ["integrations.sinks:Writes: the file"]
    assert end(run) == end(untracked)


WRONG = {
    "Raises": "No more {}: RuntimeError: no such server",
    "RaisesAtOnce": "No more {}: ConnectionError: no route to host",
    "RaisesAtTheEnd": "No more {}: TimeoutError: gave up on the upload",
    "Dies": "No more {}: its process died. segmentation fault, or so",
}
SOON = frozenset(WRONG)
WRONG |= {
    "HangsAtStart": "No more {}: it did not end within 3 s; what it has of the end may not be whole",
    "HangsInTheMiddle": "No more {}: it did not end within 3 s; what it has of the end may not be whole",
    "HangsAtTheEnd": "No more {}: it did not end within 3 s; what it has of the end may not be whole",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRONG)
def test_a_tracker_that_fails_hangs_or_dies_changes_no_bit_and_is_reported_once(
    kind: str, memory: Path, sink: Path, untracked: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "END_S", 20.0 if kind in SOON else 3.0)
    name = f"integrations.sinks:{kind}"
    run = latebloom.run(TINY, store=memory, trackers=[name, "integrations.sinks:Writes"])
    assert run.status == "finished"
    assert end(run) == end(untracked)
    said = notices(run)
    assert said.count(WRONG[kind].format(name)) == 1
    assert [text for text in said if "No more" in text] == [WRONG[kind].format(name)]
    whole = [call for call in calls(sink) if call[0] == "log" and len(call) == 3]
    assert len(whole) >= len(list(run.stored.records()))  # control: the other one was told everything


@pytest.mark.slow
def test_a_tracker_that_fails_is_told_of_the_first_reading_only(memory: Path, sink: Path) -> None:
    latebloom.run(TINY, store=memory, trackers=["integrations.sinks:Raises"])
    assert [call[:2] for call in calls(sink) if call[0] == "log"] == [["log", 0]]


def test_what_a_tracker_prints_is_not_taken_for_its_answer(
    memory: Path, sink: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = latebloom.run(TINY, store=memory, trackers=["integrations.sinks:Prints"])
    assert notices(run) == ["integrations.sinks:Prints: the file"]
    assert calls(sink)[-1] == ["finish", "finished"]
    assert "our protocol" not in capfd.readouterr().out


def test_a_tracker_that_never_starts_is_given_up_while_the_run_goes_on(
    sink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Run:
        id, name, seed, spec = "id", "name", 1, {"steps": 1}
        environment = {trackers.WHERE: ["integrations.sinks:HangsAtStart"]}  # noqa: RUF012

    class Writer:
        run, said = Run(), list[str]()

        def note(self, what: str, text: str) -> None:
            self.said.append(text)

    monkeypatch.setattr(trackers, "START_S", 0.2)
    told = trackers.Trackers(Writer(), 0)  # type: ignore[arg-type]
    began = time.monotonic()
    while not Writer.said and time.monotonic() < began + 60:
        told.log(1, {"val/loss": 1.0})
    assert Writer.said == ["No more integrations.sinks:HangsAtStart: it did not start within 0.2 s"]
    told.close("finished")
    assert len(Writer.said) == 1


def test_telling_somebody_who_does_not_listen_never_waits() -> None:
    """A pipe holds 64 KiB; `tell` would wait for ever after that."""
    deaf = Companion("timeit", "-n", "1", "-r", "1", "import time; time.sleep(3600)")
    message = {"text": "x" * 100_000}
    count = 0
    while deaf.offer(message):
        count += 1
    assert 0 <= 100_012 * (count + 1) - MOST_WAITING_BYTES <= 100_012 + (1 << 17)
    assert not deaf.close(0.0)


def test_everything_that_was_offered_arrives_before_the_end(tmp_path: Path) -> None:
    """More than a pipe holds."""
    program = "import sys, time; time.sleep(0.3); data = sys.stdin.buffer.read(); open(sys.argv[1], 'wb').write(data)"
    (tmp_path / "listens.py").write_text(program)
    listening = Companion("listens", str(tmp_path / "heard"), environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    told = [{"number": number, "text": "x" * 1000} for number in range(1000)]
    assert all([listening.offer(one) for one in told])  # noqa: C419 (each of them)
    assert listening.close(60.0)
    assert [json.loads(line) for line in (tmp_path / "heard").read_text().splitlines()] == told


def test_a_resumed_run_goes_on_being_told(memory: Path, sink: Path) -> None:
    short = tiny(steps=6, model=MLP)
    latebloom.run(short, store=memory, trackers=["integrations.sinks:Writes"])
    latebloom.resume(steps=12, store=memory)
    starts = [call[1]["step"] for call in calls(sink) if call[0] == "start"]
    assert starts == [0, 6]
    assert [call[1] for call in calls(sink) if call[0] == "log"] == [0, 3, 6, 9, 12]


def test_a_run_that_diverges_says_so_to_its_tracker(memory: Path, sink: Path) -> None:
    wild = tiny(model=MLP, optimizer={"kind": "sgd", "learning_rate": 1e30})
    with pytest.raises(DivergedError):
        latebloom.run(wild, store=memory, trackers=["integrations.sinks:Writes"])
    assert calls(sink)[-1] == ["finish", "diverged"]


@pytest.mark.slow
def test_when_the_training_is_killed_its_tracker_ends_and_knows(memory: Path, sink: Path) -> None:
    program = (
        "import latebloom, sys; latebloom.run('demo', ['steps=1000000', 'batch.size=null', 'stopping.kind=never'], "
        "store=sys.argv[1], trackers=['integrations.sinks:Writes'])"
    )
    training = subprocess.Popen([sys.executable, "-c", program, str(memory)])
    while not any(call[0] == "log" for call in calls(sink)):
        assert training.poll() is None
        time.sleep(0.1)
    training.send_signal(signal.SIGKILL)
    training.wait()
    until = time.monotonic() + 60
    while calls(sink)[-1][0] != "finish" and time.monotonic() < until:
        time.sleep(0.1)
    assert calls(sink)[-1] == ["finish", "crashed"]


@pytest.mark.slow
def test_a_sweep_tells_of_each_of_its_runs(memory: Path, sink: Path) -> None:
    quick = ["steps=6", "task.modulus=7", "evaluation.every=3", "batch.size=8"]
    latebloom.sweep("demo", [*quick, "seed=0,1"], name="both", store=memory, trackers=["integrations.sinks:Writes"])
    told = [call[1] for call in calls(sink) if call[0] == "start"]
    assert sorted((one["seed"], one["study"]) for one in told) == [(0, "both"), (1, "both")]
    assert [call for call in calls(sink) if call[0] == "finish"] == [["finish", "finished"]] * 2


def test_tensorboard_by_name_writes_event_files_here(memory: Path, tmp_path: Path) -> None:
    latebloom.run(tiny(steps=3, model=MLP), store=memory, trackers=["tensorboard"])
    from latebloom.store.tensorboard import find_runs

    assert len(find_runs(tmp_path / "tensorboard")) == 1


def test_an_unknown_tracker_or_a_missing_package_is_refused_before_anything_is_written(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        SpecError, match=r"no tracker 'wanb'. Did you mean 'wandb'\? There are: tensorboard, wandb, mlflow"
    ):
        latebloom.run(TINY, store=memory / "runs", trackers=["wanb"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("wandb", "mlflow"):
        with pytest.raises(MissingExtra, match=rf"pip install 'latebloom\[{name}\]'") as missing:
            latebloom.sweep("demo", ["seed=0,1"], store=memory / "runs", trackers=[name])
        assert missing.value.exit_code == 3
    assert not (memory / "runs").exists()


def test_a_tracker_of_somebody_that_is_not_there_is_reported_and_the_run_ends_well(memory: Path) -> None:
    run = latebloom.run(tiny(steps=3, model=MLP), store=memory, trackers=["nowhere.at_all:Tracker"])
    assert run.status == "finished"
    assert notices(run) == ["No more nowhere.at_all:Tracker: ModuleNotFoundError: No module named 'nowhere'"]
