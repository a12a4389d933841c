"""The adapter in real trainings of Hugging Face's Trainer, beside a hand record of the same training."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from integrations.sums import Net, net, optimizer, share, sums
from latebloom.analysis.diagnosis import diagnose
from latebloom.detect import AfterGeneralization
from latebloom.store.ingest import read_log

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def hf(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = pytest.importorskip("transformers")
    # The folder tests/datasets is on the path; it is not the package of that name.
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)
    return found


def callback(**options: Any) -> Any:
    return importlib.import_module("latebloom.integrations.huggingface").GrokkingCallback(**{"say": None, **options})


class Classifier(nn.Module):
    """As the Trainer takes models: inputs and labels by name, loss and logits back."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.net: Net = net(dropout=dropout)

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        logits = self.net(inputs)
        loss = {} if labels is None else {"loss": nn.functional.cross_entropy(logits, labels)}
        return {**loss, "logits": logits}


def examples() -> tuple[list[Any], list[Any], dict[str, torch.Tensor]]:
    """Training and validation examples, and the training examples as one batch."""
    train_x, train_y, val_x, val_y = sums()
    rows = [
        [{"inputs": x, "labels": y} for x, y in zip(*part, strict=True)]
        for part in ((train_x, train_y), (val_x, val_y))
    ]
    return rows[0], rows[1], {"inputs": train_x, "labels": train_y}


def training(hf: Any, folder: Path, *callbacks: Any, model: Any = None, evaluated: Any = None, **options: Any) -> Any:
    """A trainer that evaluates every 4th of its updates, each on all examples, and keeps a record by hand."""
    train, val, _ = examples()
    model = model or Classifier()
    given = {"max_steps": 120, "logging_steps": 4, "eval_strategy": "steps", "eval_steps": 4, "save_strategy": "no"}
    quiet = {"report_to": [], "disable_tqdm": True, "use_cpu": True, "seed": 1}
    batches = {"per_device_train_batch_size": 370, "per_device_eval_batch_size": 370, "lr_scheduler_type": "constant"}
    args = hf.TrainingArguments(str(folder), **{**given, **quiet, **batches, "max_grad_norm": 0.0, **options})

    record: dict[int, dict[str, float]] = {}

    class ByHand(hf.TrainerCallback):  # type: ignore[misc, name-defined]
        def on_evaluate(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            train_x, train_y, val_x, val_y = sums()
            inner = model.net
            mode = inner.training
            inner.eval()
            with torch.no_grad():
                record[state.global_step] = {
                    "train/accuracy": float(share(inner(train_x), train_y)),
                    "val/accuracy": float(share(inner(val_x), val_y)),
                    "val/loss": float(nn.functional.cross_entropy(inner(val_x), val_y)),
                }
            inner.train(mode)

    trainer = hf.Trainer(
        model=model,
        args=args,
        train_dataset=train,
        eval_dataset=evaluated or val,
        compute_metrics=lambda found: {"accuracy": float((found.predictions.argmax(-1) == found.label_ids).mean())},
        optimizers=(optimizer(model), None),
        callbacks=[ByHand, *callbacks],
    )
    trainer.remove_callback(hf.PrinterCallback)
    trainer.by_hand = record
    return trainer


def read(recorder: Any, *judged: str) -> dict[int, dict[str, float]]:
    """What the detector was given, by our names, where there was an evaluation."""
    judged = judged or ("train/accuracy", "val/accuracy", "val/loss")
    theirs = {ours: recorder.mapped[ours] for ours in judged if ours in recorder.mapped}
    found = {step: {ours: row[name] for ours, name in theirs.items() if name in row} for step, row in recorder.rows}
    return {step: row for step, row in found.items() if row}


def close(by_hand: dict[int, dict[str, float]]) -> dict[int, Any]:
    return {step: pytest.approx(row, rel=1e-5, abs=1e-9) for step, row in by_hand.items()}


def test_readings_are_those_taken_by_hand_and_each_of_them_once(hf: Any, tmp_path: Path) -> None:
    watching = callback(probe=examples()[2], log=tmp_path / "log.jsonl")
    twice = list[tuple[int, str]]()

    class Careless(hf.TrainerCallback):  # type: ignore[misc, name-defined]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            twice.extend((state.global_step, name) for name in logs or {})

        def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
            twice.extend((state.global_step, name) for name in metrics)

    trainer = training(hf, tmp_path, watching, Careless(), max_steps=160)
    trainer.train()
    assert len(trainer.by_hand) == 40
    assert read(watching.recorder) == close(trainer.by_hand)
    steps = [step for step, _ in watching.recorder.rows]
    assert steps == sorted(set(steps))
    assert twice.count((8, "eval_accuracy")) == 2  # control: it did come twice
    assert watching.recorder.verdict.family == "grokking"
    log = read_log(tmp_path / "log.jsonl")
    assert log.curves["val/accuracy"].steps.tolist() == list(trainer.by_hand)
    trainer.state.save_to_json(str(tmp_path / "trainer_state.json"))
    later = read_log(tmp_path / "trainer_state.json")  # with the probe in it
    assert diagnose(later.curves, later.events).verdict.family == "grokking"


def test_the_mean_loss_of_the_whole_training_is_no_reading_of_its_last_step(hf: Any, tmp_path: Path) -> None:
    watching = callback()
    trainer = training(hf, tmp_path, watching, max_steps=8)
    trainer.train()
    assert "train_loss" in trainer.state.log_history[-1]  # control: it was logged
    name = watching.recorder.mapped["train/loss"]
    losses = {step: row[name] for step, row in watching.recorder.rows if name in row}
    assert losses == {logs["step"]: logs["loss"] for logs in trainer.state.log_history if "loss" in logs}
    assert losses.keys() == {4, 8}


def test_without_a_probe_nothing_stands_in_for_the_training_accuracy(hf: Any, tmp_path: Path) -> None:
    watching = callback()
    training(hf, tmp_path, watching, max_steps=8).train()
    assert watching.recorder.mapped.keys() == {
        *("train/loss", "val/loss", "val/accuracy", "learning_rate", "gradient_norm")
    }


def test_training_examples_as_a_second_evaluation_set_are_understood(hf: Any, tmp_path: Path) -> None:
    watching = callback(stop=AfterGeneralization())  # asking must not close the step between the two
    train, val, _ = examples()
    trainer = training(hf, tmp_path, watching, max_steps=12, evaluated={"train": train, "test": val})
    trainer.train()
    assert read(watching.recorder) == close(trainer.by_hand)


def test_the_probe_changes_neither_weights_nor_the_mode_nor_the_noise(hf: Any, tmp_path: Path) -> None:
    ends = []
    for callbacks in ([], [callback(probe=examples()[2])]):
        model = Classifier(dropout=0.3)
        model.net.inner.eval()  # somebody froze a part
        torch.manual_seed(5)
        training(hf, tmp_path, *callbacks, model=model, max_steps=24).train()
        ends.append(model.state_dict())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    other = Classifier(dropout=0.3)
    training(hf, tmp_path, model=other, max_steps=24, seed=2).train()
    assert not torch.equal(other.net.inner.weight, ends[0]["net.inner.weight"])  # control: noise decides


def test_a_training_that_was_resumed_is_judged_as_one_that_never_stopped(hf: Any, tmp_path: Path) -> None:
    probe = examples()[2]
    whole, second, forgetful = callback(probe=probe), callback(probe=probe), callback(probe=probe)
    saved = {"save_strategy": "steps", "save_steps": 32, "max_steps": 80}
    training(hf, tmp_path / "whole", whole, **saved).train()
    stopping = hf.TrainerCallback()
    stopping.on_step_end = lambda args, state, control, **_: setattr(
        control, "should_training_stop", state.global_step == 40
    )
    training(hf, tmp_path / "cut", callback(probe=probe), stopping, **saved).train()
    here = tmp_path / "cut" / "checkpoint-32"
    assert json.loads((here / "trainer_state.json").read_text())["global_step"] == 32
    training(hf, tmp_path / "cut", second, **saved).train(resume_from_checkpoint=str(here))
    assert read(second.recorder, *whole.recorder.mapped) == read(whole.recorder, *whole.recorder.mapped)
    assert second.recorder.verdict == whole.recorder.verdict
    assert second.recorder.detector.events == whole.recorder.detector.events
    forgetful.on_train_begin = lambda *_, **__: None
    training(hf, tmp_path / "cut", forgetful, **saved).train(resume_from_checkpoint=str(here))
    assert forgetful.recorder.verdict != whole.recorder.verdict  # control


def test_it_stops_the_training_one_step_after_its_reason(hf: Any, tmp_path: Path) -> None:
    watching = callback(stop=AfterGeneralization(at_least=0.2, for_evaluations=2))
    trainer = training(hf, tmp_path, watching, max_steps=200)
    trainer.train()
    good = [step for step, row in trainer.by_hand.items() if row["val/accuracy"] >= 0.2]
    assert trainer.state.global_step == good[1] + 1


def test_other_processes_follow_in_silence_so_that_all_stop_together(hf: Any, tmp_path: Path) -> None:
    said: list[str] = []
    stop = AfterGeneralization(at_least=0.5, for_evaluations=1)
    watching = callback(stop=stop, log=tmp_path / "log.jsonl", say=said.append)
    state = hf.TrainerState(global_step=4, is_world_process_zero=False, log_history=[{"step": 2, "eval_loss": 1.0}])
    control = hf.TrainerControl()
    watching.on_train_begin(None, state, control)
    watching.on_log(None, state, control, logs={"eval_accuracy": 0.75})
    state.global_step = 5
    watching.on_step_end(None, state, control)
    watching.on_train_end(None, state, control)
    assert control.should_training_stop
    assert [step for step, _ in watching.recorder.rows] == [2, 4]
    assert said == []
    assert not (tmp_path / "log.jsonl").exists()
