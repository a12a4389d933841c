"""The adapter in real Lightning trainings, of both packages, beside a hand record of the same training."""

import importlib
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from integrations.sums import net, optimizer, share, sums
from latebloom.detect import AfterGeneralization

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def package(name: str) -> Any:
    found = pytest.importorskip(name)
    for one in ("lightning.pytorch", "pytorch_lightning", "lightning.fabric"):
        logging.getLogger(one).setLevel(logging.ERROR)
    return found


@pytest.fixture
def pl() -> Any:
    return package("lightning.pytorch")


def callback(**options: Any) -> Any:
    return importlib.import_module("latebloom.integrations.lightning").GrokkingCallback(**{"say": None, **options})


def module(pl: Any, **logged: Any) -> Any:
    """A module that writes down by hand what it logs, and when."""

    class Sums(pl.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net, self.by_hand, self.checked = net(), dict[int, dict[str, float]](), 0

        def training_step(self, batch: Any, index: int) -> Any:
            logits = self.net(batch[0])
            loss = torch.nn.functional.cross_entropy(logits, batch[1])
            self.in_step = {"train_loss": loss.detach(), "train_acc": share(logits, batch[1])}
            self.log_dict(self.in_step, **{"on_step": False, "on_epoch": True, **logged})
            return loss

        def on_train_batch_end(self, *_: Any) -> None:  # one batch is one epoch and one update
            row = {name: value.item() for name, value in self.in_step.items()}
            self.by_hand.setdefault(self.trainer.global_step, {}).update(row)

        def validation_step(self, batch: Any, index: int) -> None:
            accuracy = share(self.net(batch[0]), batch[1])
            self.log("val_acc", accuracy)
            if self.trainer.sanity_checking:
                self.checked += 1
            else:
                self.by_hand.setdefault(self.trainer.global_step, {})["val_acc"] = accuracy.item()

        def configure_optimizers(self) -> Any:
            return optimizer(self.net)

    return Sums()


def loaders(batch: int = 370) -> tuple[Any, Any]:
    train_x, train_y, val_x, val_y = sums()
    return DataLoader(TensorDataset(train_x, train_y), batch), DataLoader(TensorDataset(val_x, val_y), 370)


def trainer(pl: Any, *callbacks: Any, **options: Any) -> Any:
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    given = {"accelerator": "cpu", "log_every_n_steps": 1, "callbacks": list(callbacks)}
    return pl.Trainer(**{**given, **quiet, **options})


def read(recorder: Any) -> dict[int, dict[str, float]]:
    """What the detector was given, by our names."""
    return {
        step: {name: row[theirs] for name, theirs in recorder.mapped.items() if theirs in row}
        for step, row in recorder.rows
    }


def ours(by_hand: dict[int, dict[str, float]]) -> dict[int, Any]:
    names = {"train_loss": "train/loss", "train_acc": "train/accuracy", "val_acc": "val/accuracy"}
    return {
        step: pytest.approx({names[name]: value for name, value in row.items()}, rel=1e-6)
        for step, row in sorted(by_hand.items())
    }


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
def test_readings_are_those_written_down_by_hand(name: str, tmp_path: Path) -> None:
    pl = package(name)
    watching, learning = callback(log=tmp_path / "log.jsonl"), module(pl)
    trainer(pl, watching, max_epochs=120).fit(learning, *loaders())
    assert len(learning.by_hand) == 120
    assert read(watching.recorder) == ours(learning.by_hand)
    assert watching.recorder.verdict.family == "grokking"
    assert (tmp_path / "log.jsonl").read_text().count("\n") == 121


def test_the_check_before_the_first_step_is_no_reading(pl: Any) -> None:
    watching, learning = callback(), module(pl)
    careless = list[int]()

    class Careless(pl.Callback):  # type: ignore[misc, name-defined]
        def on_validation_end(self, trainer: Any, module: Any) -> None:
            careless.append(trainer.global_step)

    trainer(pl, watching, Careless(), max_epochs=3).fit(learning, *loaders())
    assert learning.checked == 1
    assert list(read(watching.recorder)) == [1, 2, 3]
    assert careless == [0, 1, 2, 3]  # control: it did validate at step 0


def test_what_is_shown_long_after_it_was_measured_is_not_measured_again(pl: Any) -> None:
    watching, learning, shown = callback(), module(pl), list[int]()

    class Careless(pl.Callback):  # type: ignore[misc, name-defined]
        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            if "val_acc" in trainer.callback_metrics:
                shown.append(trainer.global_step)

    trainer(pl, Careless(), watching, Careless(), max_epochs=12, check_val_every_n_epoch=4).fit(learning, *loaders())
    assert read(watching.recorder) == ours(learning.by_hand)
    assert [step for step, row in read(watching.recorder).items() if "val/accuracy" in row] == [4, 8, 12]
    assert set(shown) > {4, 5, 6, 7, 8}  # control: Lightning shows it all the time


STEPS, MEANS, BOTH = ({"on_step": s, "on_epoch": e} for s, e in ((True, False), (False, True), (True, True)))


@pytest.mark.parametrize("logged", [STEPS, MEANS, BOTH], ids=["steps", "means", "both"])
def test_readings_of_steps_means_over_epochs_and_validation_in_the_middle_of_an_epoch(pl: Any, logged: Any) -> None:
    watching, learning = callback(), module(pl, **logged)
    trainer(pl, watching, max_epochs=4, val_check_interval=2).fit(learning, *loaders(batch=93))
    found, hand = read(watching.recorder), learning.by_hand
    assert [step for step, row in found.items() if "val/accuracy" in row] == list(range(2, 17, 2))
    if logged is STEPS:
        assert found == ours(hand)
        return
    sizes = [93, 93, 93, 91]  # with a mean over the epoch to come, what one batch says is not used
    for epoch in range(4):
        batches = [hand[4 * epoch + n]["train_acc"] for n in (1, 2, 3, 4)]
        hand[4 * epoch + 4]["train_acc"] = sum(a * n for a, n in zip(batches, sizes, strict=True)) / 370
    accuracies = {step: row["train/accuracy"] for step, row in found.items() if "train/accuracy" in row}
    assert accuracies == pytest.approx({step: hand[step]["train_acc"] for step in (4, 8, 12, 16)})


def test_a_training_that_was_resumed_is_judged_as_one_that_never_stopped(pl: Any, tmp_path: Path) -> None:
    whole, first, second, forgetful = callback(), callback(), callback(), callback()
    trainer(pl, whole, max_epochs=80).fit(module(pl), *loaders())
    begun = trainer(pl, first, max_epochs=30)
    begun.fit(module(pl), *loaders())
    begun.save_checkpoint(tmp_path / "here.ckpt")
    trainer(pl, second, max_epochs=80).fit(module(pl), *loaders(), ckpt_path=tmp_path / "here.ckpt", weights_only=True)
    assert second.recorder.rows == whole.recorder.rows
    assert second.recorder.verdict == whole.recorder.verdict
    assert second.recorder.detector.events == whole.recorder.detector.events
    forgetful.load_state_dict = lambda state: None
    trainer(pl, forgetful, max_epochs=80).fit(module(pl), *loaders(), ckpt_path=tmp_path / "here.ckpt")
    assert forgetful.recorder.verdict != whole.recorder.verdict  # control


def test_a_checkpoint_between_validation_and_the_end_of_its_epoch_loses_nothing(pl: Any, tmp_path: Path) -> None:
    class Saving(pl.Callback):  # type: ignore[misc, name-defined]
        def on_validation_end(self, trainer: Any, module: Any) -> None:
            if not trainer.sanity_checking:
                states.append(watching.state_dict())

    states: list[Any] = []
    watching, learning = callback(), module(pl)
    trainer(pl, watching, Saving(), max_epochs=5).fit(learning, *loaders())
    for state in states:
        [(step, row)] = state["open"]
        assert step == len(state["rows"]) + 1
        assert set(row) == {"val_acc"}
    assert read(watching.recorder) == ours(learning.by_hand)


def test_it_stops_the_training_only_if_asked_and_changes_no_weight(pl: Any) -> None:
    stopping, watching = callback(stop=AfterGeneralization(at_least=0.3, for_evaluations=3)), callback()
    lone, watched, stopped = module(pl), module(pl), module(pl)
    trainer(pl, max_epochs=100).fit(lone, *loaders())
    trainer(pl, watching, max_epochs=100).fit(watched, *loaders())
    trainer(pl, stopping, max_epochs=1000).fit(stopped, *loaders())
    assert all(torch.equal(a, b) for a, b in zip(lone.parameters(), watched.parameters(), strict=True))
    assert len(watched.by_hand) == 100
    late = [row["val_acc"] >= 0.3 for _, row in sorted(watched.by_hand.items())]
    expected = next(n for n in range(len(late)) if all(late[n : n + 3])) + 3
    assert len(stopped.by_hand) == expected


def test_one_process_of_several_records_and_all_of_them_stop(pl: Any, tmp_path: Path) -> None:
    """Two processes that share the batch; the mean over both is one reading."""
    watching = callback(log=tmp_path / "log.jsonl", stop=lambda analysis: len(read(watching.recorder)) >= 5)
    learning = module(pl, sync_dist=True)
    two = {"devices": 2, "strategy": "ddp_fork", "num_sanity_val_steps": 1, "max_epochs": 9}
    trainer(pl, watching, **two).fit(learning, *loaders(batch=185))
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 5
