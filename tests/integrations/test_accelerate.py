"""The tracker in a real training with accelerate, beside a hand record of the same training."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

from integrations.sums import net, optimizer, share, sums
from latebloom.detect import AfterGeneralization

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def accelerate() -> Any:
    return pytest.importorskip("accelerate")


def tracker(**options: Any) -> Any:
    return importlib.import_module("latebloom.integrations.accelerate").GrokkingTracker(**{"say": None, **options})


def train(
    accelerate: Any, one: Any, steps: range, folder: Path, *, numbered: bool = True, begin: Path | None = None
) -> dict[int, Any]:
    """Train, log through accelerate every 4th step, write down by hand what was logged."""
    train_x, train_y, val_x, val_y = sums()
    model = net()
    accelerator = accelerate.Accelerator(cpu=True, log_with=[one], project_dir=str(folder))
    accelerator.init_trackers("sums", {"lr": 1e-2})
    model, update = accelerator.prepare(model, optimizer(model))
    accelerator.register_for_checkpointing(one)
    if begin:
        accelerator.load_state(str(begin))
    record = {}
    for step in steps:
        update.zero_grad()
        accelerator.backward(torch.nn.functional.cross_entropy(model(train_x), train_y))
        update.step()
        if step % 4 == 0:
            with torch.no_grad():
                row = {"train_acc": share(model(train_x), train_y), "test_acc": share(model(val_x), val_y)}
            accelerator.log(row, step=step if numbered else None)
            record[step] = {name: value.item() for name, value in row.items()}
            if accelerator.get_tracker("latebloom", unwrap=True).why_stop():
                break
    accelerator.save_state(str(folder / "state"))
    accelerator.end_training()
    return record


def test_readings_are_those_written_down_by_hand(accelerate: Any, tmp_path: Path) -> None:
    one = tracker(log=tmp_path / "log.jsonl")
    record = train(accelerate, one, range(200), tmp_path)
    assert dict(one.recorder.rows) == record
    assert len(record) == 50
    assert one.recorder.verdict.family == "grokking"
    assert (tmp_path / "log.jsonl").read_text().count("\n") == 51


def test_calls_without_a_step_are_counted(accelerate: Any, tmp_path: Path) -> None:
    one = tracker()
    record = train(accelerate, one, range(40), tmp_path, numbered=False)
    assert one.recorder.rows == list(enumerate(record.values()))
    one.log({"test_acc": 1.0}, step=100)
    one.log({"test_acc": 1.0})
    assert [step for step, _ in one.recorder.rows][-2:] == [100, 101]


def test_a_registered_tracker_goes_on_as_one_that_never_stopped(accelerate: Any, tmp_path: Path) -> None:
    whole, first, second = tracker(), tracker(), tracker()
    train(accelerate, whole, range(100), tmp_path / "whole")
    train(accelerate, first, range(50), tmp_path / "first")
    train(accelerate, second, range(50, 100), tmp_path / "second", begin=tmp_path / "first" / "state")
    assert second.recorder.rows == whole.recorder.rows
    assert second.recorder.verdict == whole.recorder.verdict
    assert first.recorder.verdict != whole.recorder.verdict  # control


def test_it_says_when_to_stop(accelerate: Any, tmp_path: Path) -> None:
    record = train(
        accelerate, tracker(stop=AfterGeneralization(at_least=0.2, for_evaluations=2)), range(1000), tmp_path
    )
    good = [step for step, row in record.items() if row["test_acc"] >= 0.2]
    assert max(record) == good[1]
