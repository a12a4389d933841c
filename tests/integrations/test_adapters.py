"""Each adapter without its framework: with a stand-in that calls it as the framework does, and with nothing at all.

That the frameworks do call them so is shown in real trainings, by the slow tests.
"""

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from latebloom.base.errors import MissingExtra
from latebloom.integrations import ADAPTERS
from latebloom.integrations.extra import needed

STAND_INS = {
    "lightning": ({"lightning.pytorch": {"Callback": object}}, "GrokkingCallback"),
    "huggingface": ({"transformers": {"TrainerCallback": object}}, "GrokkingCallback"),
    "keras": ({"keras": {"callbacks": SimpleNamespace(Callback=object)}}, "GrokkingCallback"),
    "accelerate": ({"accelerate.tracking": {"GeneralTracker": object}}, "GrokkingTracker"),
}


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes an adapter, upon a stand-in for its framework."""

    def made(name: str, **options: Any) -> Any:
        modules, kind = STAND_INS[name]
        for full, contents in modules.items():
            fake = ModuleType(full)
            vars(fake).update(contents)
            monkeypatch.setitem(sys.modules, full, fake)
        monkeypatch.delitem(sys.modules, f"latebloom.integrations.{name}", raising=False)
        found = getattr(importlib.import_module(f"latebloom.integrations.{name}"), kind)(**{"say": None, **options})
        monkeypatch.delitem(sys.modules, f"latebloom.integrations.{name}")  # nobody else is to find this one
        return found

    return made


def trainer(step: int, shown: dict[str, Any], **more: Any) -> Any:
    return SimpleNamespace(
        **{
            "global_step": step,
            "callback_metrics": shown,
            "sanity_checking": False,
            "log_every_n_steps": 10,
            "is_global_zero": True,
        }
        | more
    )


def test_lightning_neither_the_first_check_nor_what_is_old_is_read(adapter: Any) -> None:
    one, shown = adapter("lightning"), dict[str, Any]()
    one.on_validation_start(trainer(0, shown), None)
    shown["val_acc"] = Reading(0.01)
    one.on_validation_end(trainer(0, shown, sanity_checking=True), None)
    for epoch in (1, 2, 3):
        one.on_train_epoch_start(trainer(epoch, shown), None)
        if epoch == 2:
            one.on_validation_start(trainer(epoch, shown), None)
            shown["val_acc"] = Reading(0.25)
            one.on_validation_end(trainer(epoch, shown), None)
        shown["acc"] = Reading(0.1 * epoch)
        one.on_train_epoch_end(trainer(epoch, shown), None)
    assert one.recorder.rows == [
        (1, {"train/acc": 0.1}),
        (2, {"val_acc": 0.25, "train/acc": 0.2}),
        (3, {"train/acc": 0.1 * 3}),
    ]


class Reading(float):
    """A number with an identity."""


def test_lightning_other_processes_are_told_nothing(adapter: Any) -> None:
    one = adapter("lightning")
    one.on_train_epoch_end(trainer(1, {"acc": Reading(0.5)}, is_global_zero=False), None)
    assert one.recorder.rows == []


def test_huggingface_what_comes_twice_is_read_once_and_the_sum_at_the_end_not_at_all(adapter: Any) -> None:
    one = adapter("huggingface")
    state = SimpleNamespace(global_step=0, log_history=[], is_world_process_zero=True)
    one.on_train_begin(None, state, None)
    for step in (10, 20):
        state.global_step = step
        one.on_log(None, state, None, logs={"loss": 1.0, "epoch": 0.1})
        one.on_log(None, state, None, logs={"eval_accuracy": 0.5, "eval_runtime": 3})
        one.on_evaluate(None, state, None, metrics={"eval_accuracy": 0.5})
    one.on_log(None, state, None, logs={"train_runtime": 5, "train_loss": 9.0})
    assert one.recorder.rows == [
        (step, {"train/loss": 1.0, "eval_accuracy": 0.5, "eval_runtime": 3.0}) for step in (10, 20)
    ]
    assert one.recorder.mapped == {"train/loss": "train/loss", "val/accuracy": "eval_accuracy"}


def test_huggingface_a_resumed_training_recalls_its_history_up_to_the_checkpoint(adapter: Any) -> None:
    one = adapter("huggingface")
    history = [{"step": step, "eval_accuracy": step / 100} for step in (10, 20, 30)]
    state = SimpleNamespace(global_step=20, log_history=history, is_world_process_zero=True)
    one.on_train_begin(None, state, None)
    assert [step for step, _ in one.recorder.rows] == [10, 20]


def test_keras_steps_are_those_of_the_optimizer(adapter: Any) -> None:
    one = adapter("keras")
    one.model = SimpleNamespace(optimizer=SimpleNamespace(iterations=0))
    for epoch in range(2):
        one.model.optimizer.iterations += 7
        one.on_epoch_end(epoch, {"accuracy": 0.5, "loss": 1.0, "val_accuracy": 0.25})
    assert one.recorder.rows == [
        (step, {"train/accuracy": 0.5, "train/loss": 1.0, "val_accuracy": 0.25}) for step in (7, 14)
    ]


def test_accelerate_a_call_without_a_step_is_the_next_one(adapter: Any) -> None:
    one = adapter("accelerate")
    one.log({"test_acc": 0.1})
    one.log({"test_acc": 0.2}, step=10)
    one.log({"test_acc": 0.3})
    saved = one.state_dict()
    again = adapter("accelerate")
    again.load_state_dict(saved)
    again.log({"test_acc": 0.4})
    assert [step for step, _ in again.recorder.rows] == [0, 10, 11, 12]
    assert one.tracker is one.recorder


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_missing_framework_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in (
        "lightning",
        "lightning.pytorch",
        "pytorch_lightning",
        "transformers",
        "keras",
        "accelerate",
        "accelerate.tracking",
    ):
        monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"latebloom.integrations.{name}", raising=False)
    with pytest.raises(MissingExtra, match=rf"not installed: pip install 'latebloom\[{name}\]'") as caught:
        importlib.import_module(f"latebloom.integrations.{name}")
    assert caught.value.exit_code == 3


def test_a_framework_that_is_broken_says_so_itself(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "framework_with_a_hole.py").write_text("import what_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs"):
        needed(("framework_with_a_hole",), "lightning")


def test_the_framework_that_is_in_use_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first_framework", "second_framework"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert needed(("not_there", "second_framework", "first_framework"), "lightning").__name__ == "second_framework"
