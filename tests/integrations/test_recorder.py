"""The recorder of any loop: what it takes, when it waits, what it says, what it never does."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import latebloom
from integrations.sums import net, optimizer, share, sums
from latebloom.analysis.diagnosis import diagnose
from latebloom.base.errors import DataError
from latebloom.detect import AfterGeneralization, EpochMetrics, GrokDetector, TrainingPhase
from latebloom.integrations import Recorder
from latebloom.store.ingest import read_log


def grokking(step: int) -> dict[str, float]:
    """A curve that memorizes at 100 and generalizes at 1,000."""
    return {"train_acc": 1.0 if step >= 100 else 0.1, "test_acc": 1.0 if step >= 1000 else 0.05}


def told(**options: Any) -> tuple[Recorder, list[str]]:
    said: list[str] = []
    return Recorder(say=said.append, **options), said


# What it shows is what the detector shows


def test_a_real_training_is_read_as_somebody_reads_it_by_hand(tmp_path: Path) -> None:
    train_x, train_y, val_x, val_y = sums()
    model = net()
    update = optimizer(model)
    by_hand, detector = [], GrokDetector()
    with Recorder(tmp_path / "metrics.jsonl", say=None) as recorder:
        for step in range(200):
            loss = torch.nn.functional.cross_entropy(model(train_x), train_y)
            if step % 4 == 0:
                with torch.no_grad():
                    now = [loss.detach(), share(model(train_x), train_y), share(model(val_x), val_y)]
                recorder.log(step, loss=now[0], train_acc=now[1])
                recorder.log(step, {"test/acc": now[2]})  # the same row
                by_hand.append(
                    (step, {name: t.item() for name, t in zip(["loss", "train_acc", "test/acc"], now, strict=True)})
                )
                _, train_acc, test_acc = by_hand[-1][1].values()
                detector.update(EpochMetrics(step, by_hand[-1][1]["loss"], None, train_acc, test_acc))
            update.zero_grad()
            loss.backward()
            update.step()
    assert recorder.rows == by_hand
    assert recorder.mapped == {"train/loss": "loss", "train/accuracy": "train_acc", "val/accuracy": "test/acc"}
    assert recorder.verdict == detector.verdict()
    assert recorder.detector.events == detector.events
    assert recorder.verdict.family == "grokking"
    log = read_log(tmp_path / "metrics.jsonl")
    assert log.curves["val/accuracy"].values.tolist() == [row["test/acc"] for _, row in by_hand]
    assert diagnose(log.curves, log.events).verdict.family == "grokking"


def test_what_is_logged_while_the_loop_runs_can_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latebloom.integrations.recorder.EVERY_S", 0.0)
    recorder = Recorder(tmp_path / "new" / "log.jsonl", say=None)
    recorder.log(0, grokking(0))
    recorder.log(20, grokking(20))
    assert read_log(recorder.log_path).curves["val/accuracy"].steps.tolist() == [0]  # the last row may get more
    recorder.close()
    assert read_log(recorder.log_path).curves["val/accuracy"].steps.tolist() == [0, 20]


# Waiting for no device


class Transfers(TorchDispatchMode):
    """Counts what makes a device wait: reading a number off it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_a_tensor_is_not_read_when_it_is_logged() -> None:
    recorder = Recorder(say=None)
    with Transfers() as transfers:
        for step in range(0, 500, 20):
            recorder.log(step, {name: torch.tensor(value) for name, value in grokking(step).items()})
        assert transfers.count == 0
        torch.tensor(1.0).item()
        assert transfers.count == 1  # control: it would have been counted
    assert recorder.analysis.current_phase is TrainingPhase.PLATEAU
    assert recorder.rows[-1] == (480, {"train_acc": 1.0, "test_acc": pytest.approx(0.05)})


def test_a_running_total_counts_as_it_was_when_it_was_logged() -> None:
    recorder, total = Recorder(say=None), torch.zeros(())
    for step in range(3):
        total += 0.25
        recorder.log(step, val_acc=total)
    assert recorder.analysis is not None
    assert [row["val_acc"] for _, row in recorder.rows] == [0.25, 0.5, 0.75]


def test_a_row_that_nobody_asks_for_is_judged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latebloom.integrations.recorder.MOST_HELD", 10)
    recorder, said = told()
    for step in range(0, 2000, 20):
        recorder.log(step, {name: torch.tensor(value) for name, value in grokking(step).items()})
    assert any("grokking" in text for text in said)


HALF = [
    *(0.5, np.float32(0.5), np.array(0.5), np.array([0.5]), torch.tensor([[0.5]])),
    *(torch.tensor(0.5, dtype=torch.bfloat16), torch.tensor(0.5, requires_grad=True)),
]


@pytest.mark.parametrize("value", HALF, ids=repr)
def test_a_single_number_is_taken_whatever_holds_it(value: Any) -> None:
    recorder, said = told()
    recorder.log(1, val_acc=value)
    assert recorder.rows == [(1, {"val_acc": 0.5})]
    assert not any("left out" in text for text in said)


@pytest.mark.parametrize("value", ["0.5", None, [1, 2], 1j, torch.zeros(3), torch.zeros(0), np.zeros(2)], ids=repr)
def test_what_is_no_single_number_is_left_out_and_said_once(value: Any) -> None:
    recorder, said = told()
    recorder.log(1, val_acc=value, val_loss=1.0)
    recorder.log(2, val_acc=value, val_loss=1.0)
    assert recorder.rows == [(1, {"val_loss": 1.0}), (2, {"val_loss": 1.0})]
    assert sum("'val_acc' is left out" in text for text in said) == 1


def test_a_step_that_is_none_is_refused_at_once() -> None:
    for step in (0.5, "1", None, True):
        with pytest.raises(DataError, match="is no whole number"):
            Recorder(say=None).log(step, val_acc=0.1)  # type: ignore[arg-type]


# Names that turn out to be something else, steps that go back, rows without end


def test_a_better_name_that_comes_later_is_read_from_the_start() -> None:
    late, known = Recorder(say=None), Recorder(say=None)
    for step in range(0, 2000, 20):
        row = grokking(step)
        noisy = {"train_acc_step": step % 3 / 2}
        late.log(
            step, {**noisy, "val_acc": row["test_acc"], **({"train_acc_epoch": row["train_acc"]} if step >= 60 else {})}
        )
        known.log(step, {"val_acc": row["test_acc"], **({"train_acc_epoch": row["train_acc"]} if step >= 60 else {})})
    assert late.verdict == known.verdict
    assert late.detector.events == known.detector.events


def test_going_back_voids_what_was_read_from_there_on(tmp_path: Path) -> None:
    straight, said = told()
    resumed = Recorder(tmp_path / "log.jsonl", say=said.append)
    for step in range(0, 700, 20):
        resumed.log(step, {**grokking(step), "train_loss": 3.0 if step > 400 else 1.0})
        if step % 60 == 0:
            assert resumed.analysis is not None
    for step in range(300, 2000, 20):
        resumed.log(step, {**grokking(step), "train_loss": 1.0})
    for step in range(0, 2000, 20):
        straight.log(step, {**grokking(step), "train_loss": 1.0})
    assert resumed.verdict == straight.verdict
    assert resumed.rows == straight.rows
    assert sum("went back from 680 to 300" in text for text in said) == 1
    resumed.close()
    log = read_log(tmp_path / "log.jsonl")  # the file says the same to those who read it later
    assert log.curves["train/loss"].values.max() == 1.0
    assert log.curves["train/loss"].steps.tolist() == [step for step, _ in straight.rows]


def test_training_readings_of_every_step_take_bounded_memory_and_no_evaluation_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("latebloom.integrations.follower.THIN_FROM", 512)
    recorder, count = Recorder(say=None), 5 * 512
    for step in range(count):
        recorder.log(step, train_loss=1.0)
        if step % 100 == 0:
            recorder.log(step, val_loss=1.0)
    assert recorder.analysis is not None
    assert sum("val_loss" in row for _, row in recorder.rows) == count // 100 + 1
    assert len(recorder.rows) < 2.7 * 512 + count // 100
    again = Recorder(say=None)
    again.load_state_dict(recorder.state_dict())
    assert again.rows == recorder.rows
    for one in (recorder, again):
        for step in range(count, count + 999):
            one.log(step, train_loss=0.5)
    assert again.verdict == recorder.verdict
    assert again.rows == recorder.rows


# Saving and going on


def test_a_saved_recorder_goes_on_as_one_that_never_stopped(tmp_path: Path) -> None:
    whole, first = Recorder(say=None), Recorder(say=None)
    for step in range(0, 2000, 20):
        whole.log(step, train_acc=grokking(step)["train_acc"])
        first.log(step, train_acc=grokking(step)["train_acc"])
        if step in (0, 300, 1000):  # in the middle of a row
            torch.save(first.state_dict(), tmp_path / "state.pt")
            first = Recorder(say=None)
            first.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
            json.dumps(first.state_dict())
        whole.log(step, test_acc=grokking(step)["test_acc"])
        first.log(step, test_acc=grokking(step)["test_acc"])
    assert first.rows == whole.rows
    assert first.verdict == whole.verdict
    assert first.analysis == whole.analysis
    assert first.detector.events == whole.detector.events
    assert first.detector.transitions == whole.detector.transitions


def test_a_recorder_without_its_state_shows_something_else() -> None:
    """Control."""
    whole, second = Recorder(say=None), Recorder(say=None)
    for step in range(0, 2000, 20):
        whole.log(step, grokking(step))
        if step > 500:
            second.log(step, grokking(step))
    assert second.verdict != whole.verdict


def test_the_state_of_a_later_version_is_refused() -> None:
    with pytest.raises(DataError, match="version 2, expected 1"):
        Recorder(say=None).load_state_dict({**Recorder(say=None).state_dict(), "version": 2})


def test_a_log_that_was_cut_off_in_a_line_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with Recorder(path, say=None) as recorder:
        for step in range(0, 100, 20):
            recorder.log(step, grokking(step))
    path.write_bytes(path.read_bytes()[:-10])
    with Recorder(path, say=None) as recorder:
        for step in range(80, 200, 20):
            recorder.log(step, grokking(step) | {"train_loss": math.nan})
    log = read_log(path)
    assert log.curves["val/accuracy"].steps.tolist() == list(range(0, 200, 20))
    assert path.read_text().count("_latebloom") == 1


# Stopping


@pytest.mark.parametrize("unit", [1.0, 100.0])
@pytest.mark.parametrize(
    "stop", [AfterGeneralization(for_evaluations=3), lambda analysis: analysis.current_phase is TrainingPhase.CONVERGED]
)
def test_it_says_when_to_stop_whatever_the_unit_and_never_before(stop: Any, unit: float) -> None:
    recorder = Recorder(stop=stop, say=None)
    stopped = []
    for step in range(0, 2000, 20):
        recorder.log(step, {name: unit * value for name, value in grokking(step).items()})
        assert recorder.why_stop(before=step) is None or stopped
        if recorder.why_stop() is not None:
            stopped.append(step)
    assert 1000 < stopped[0] <= 1100


def test_looking_at_earlier_steps_leaves_this_one_open() -> None:
    recorder = Recorder(stop=AfterGeneralization(for_evaluations=1), say=None)
    recorder.log(1, val_acc=0.1)
    recorder.log(2, train_acc=0.5)
    assert recorder.why_stop(before=2) is None
    recorder.log(2, val_acc=1.0)
    assert recorder.why_stop() is not None
    assert recorder.rows[-1] == (2, {"train_acc": 0.5, "val_acc": 1.0})


def test_what_comes_after_a_step_was_judged_is_said_to_be_void() -> None:
    recorder, said = told()
    recorder.log(1, val_acc=0.1)
    assert recorder.analysis is not None
    recorder.log(1, train_acc=0.1)
    assert any("came after it was judged" in text for text in said)
    assert recorder.rows == [(1, {"val_acc": 0.1})]


# Speaking


def test_everything_is_said_once() -> None:
    recorder, said = told()
    for step in range(0, 3000, 20):
        recorder.log(step, {**grokking(step), "foo": 1.0})
    recorder.close()
    recorder.close()
    assert len(said) == len(set(said))
    assert (
        said[0]
        == "'train_acc' is read as train/accuracy; 'test_acc' is read as val/accuracy; 'foo' is recorded, not judged"
    )
    assert sum(text.startswith("The training set is fitted") for text in said) == 1
    assert said[-1] == recorder.verdict.headline


def test_without_validation_it_says_so() -> None:
    recorder, said = told()
    for step in range(50):
        recorder.log(step, train_acc=1.0)
    recorder.close()
    assert sum("no validation reading has come yet" in text for text in said) == 1
    assert math.isnan(recorder.analysis.current_generalization_gap)


def test_it_speaks_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Recorder() as recorder:
        recorder.log(1, val_acc=0.5)
    heard = capsys.readouterr()
    assert heard.err.startswith("latebloom: 'val_acc' is read as val/accuracy")
    assert heard.out == ""


# Never in the way


def test_a_full_disk_ends_the_log_and_not_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recorder, said = told(log=tmp_path / "file" / "log.jsonl")
    for step in range(0, 2000, 20):
        recorder.log(step, grokking(step))
    assert recorder.verdict.family == "grokking"
    assert sum("no more rows are written" in text for text in said) == 1


def test_a_detector_that_fails_is_said_once_and_the_log_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    recorder, said = told(log=tmp_path / "log.jsonl")
    monkeypatch.setattr(GrokDetector, "update", broken)
    for step in range(0, 100, 20):
        recorder.log(step, grokking(step))
    recorder.close()
    assert sum("could not be judged: ZeroDivisionError: on purpose" in text for text in said) == 1
    assert len(read_log(tmp_path / "log.jsonl").curves["val/accuracy"].steps) == 5


def test_the_loop_ends_by_its_own_error_and_the_log_is_whole(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="theirs"), Recorder(tmp_path / "log.jsonl", say=None) as recorder:
        recorder.log(1, val_acc=0.5)
        raise ValueError("theirs")
    assert read_log(tmp_path / "log.jsonl").curves["val/accuracy"].values.tolist() == [0.5]


def test_nothing_is_said_to_be_known_before_anything_was_read() -> None:
    assert Recorder(say=None).analysis.current_phase is TrainingPhase.WARMUP
    assert Recorder(say=None).verdict.family == "insufficient_data"


def test_the_package_finds_it_without_further_imports() -> None:
    assert latebloom.integrations.Recorder is Recorder
