"""What is what: names, units, examples, several runs, and what somebody says about them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latebloom.base.errors import DataError
from latebloom.store.ingest import read_log
from latebloom.store.ingest.names import meaning_of
from latebloom.store.tensorboard import EventWriter
from store.ingest.test_damage import read, values

OURS = {
    "train/accuracy": "train_acc tr_acc acc_train Accuracy/train trainAcc train/acc@1 train_top1 full_train_acc",
    "val/accuracy": "val_acc test_acc validation/acc dev_acc holdout_acc held_out_accuracy eval/accuracy te_acc vl_acc",
    "train/loss": "train_loss tr_loss loss_train Loss/train train_losses train_mse train_cross_entropy_loss trainloss",
    "val/loss": "val_loss test_losses eval_loss valLoss Validation_Loss loss/test test_ce va_loss heldout_loss",
}
OTHERS = (
    "best_val_acc final_test_acc train_test_gap val_acc_std ood_acc grokking_step test_top5 excluded_loss "
    "restricted_loss train_time_s n_train train_frac loss_ratio grad_loss max_val_acc target_acc"
)


@pytest.mark.parametrize(("ours", "theirs"), [(ours, name) for ours, names in OURS.items() for name in names.split()])
def test_a_name_of_the_field_has_its_meaning(ours: str, theirs: str) -> None:
    meaning = meaning_of(theirs)
    assert meaning is not None
    assert f"{meaning.split}/{meaning.measure}" == ours


@pytest.mark.parametrize("theirs", OTHERS.split())
def test_a_name_that_only_looks_like_a_reading_has_none(theirs: str) -> None:
    assert meaning_of(theirs) is None


@pytest.mark.parametrize(
    "theirs", ["weight_norm", "l2_norm", "param_norm", "wn_total", "weights/norm", "total_weight_norm"]
)
def test_lengths_of_the_weights_are_known(theirs: str) -> None:
    meaning = meaning_of(theirs)
    assert meaning is not None
    assert meaning.measure == "weight_norm/l2"


def table(names: str, *columns: list[Any]) -> str:
    rows = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([names, *rows]) + "\n"


STEPS = list(range(0, 120, 10))
RISING = [round(0.05 * k, 4) for k in range(12)]
FALLING = [round(3.0 - 0.2 * k, 4) for k in range(12)]


def test_validation_comes_before_test_and_that_is_said(tmp_path: Path) -> None:
    log = read(tmp_path, table("step,train_acc,test_acc,val_acc", STEPS, RISING, [0.1] * 12, [0.2] * 12), "log.csv")
    assert values(log, "val/accuracy") == [0.2] * 12
    assert values(log, "test_acc") == [0.1] * 12
    assert any("'test_acc'" in note and "val/accuracy" in note for note in log.notes)


def test_training_is_never_taken_for_validation(tmp_path: Path) -> None:
    for text in (
        table("step,loss,accuracy", STEPS, FALLING, RISING),
        table("step,train_loss,train_acc,loss,accuracy", STEPS, FALLING, RISING, FALLING, RISING),
        "\n".join(
            f"epoch {k}: loss {loss} acc {acc}" for k, (loss, acc) in enumerate(zip(FALLING, RISING, strict=True))
        ),
        "\n".join(
            f"epoch {k} | Test Acc: {acc} | Loss: {loss}"
            for k, (loss, acc) in enumerate(zip(FALLING, RISING, strict=True))
        ),
    ):
        log = read(tmp_path, text, "log.dat")
        assert "val/loss" not in log.curves
        assert values(log, "train/loss") == FALLING


def test_an_accuracy_of_nobody_knows_what_is_not_used_until_somebody_says(tmp_path: Path) -> None:
    text = table("step,train_loss,val_loss,accuracy", STEPS, FALLING, FALLING, RISING)
    log = read(tmp_path, text, "log.csv")
    assert not {"train/accuracy", "val/accuracy"} & set(log.curves)
    assert any("--map 'val/accuracy=accuracy'" in note for note in log.notes)
    told = read(tmp_path, text, "log.csv", mapping={"val/accuracy": "accuracy"})
    assert values(told, "val/accuracy") == RISING


def test_a_mapping_with_a_wrong_name_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Did you mean 'my_score'\? There are: .*'my_score'"):
        read(tmp_path, table("step,my_score", STEPS, RISING), "log.csv", mapping={"val/accuracy": "myscore"})
    with pytest.raises(DataError, match="no column 'iters'"):
        read(tmp_path, table("n,val_acc", STEPS, RISING), "log.csv", mapping={"step": "iters"})
    nameless = read(tmp_path, "[0.1, 0.2, 0.4]", "log.json", mapping={"val/accuracy": "values"})
    assert values(nameless, "val/accuracy") == [0.1, 0.2, 0.4]
    log = read(
        tmp_path, table("n,my_score", STEPS, RISING), "log.csv", mapping={"val/accuracy": "my_score", "step": "n"}
    )
    assert (log.axis, log.curves["val/accuracy"].steps.tolist()) == ("step", STEPS)


def test_per_cent_is_decided_once_for_all_accuracies_of_a_log(tmp_path: Path) -> None:
    chance = [1.03 + 0.02 * (k % 3) for k in range(12)]  # a modulus of 97: chance is 1.03 per cent
    log = read(tmp_path, table("step,train_acc,val_acc", STEPS, [100 * value for value in RISING], chance), "log.csv")
    np.testing.assert_allclose(values(log, "val/accuracy"), np.array(chance) / 100)
    np.testing.assert_allclose(values(log, "train/accuracy"), RISING)
    assert len(log.converted) == 2


def test_a_fraction_in_training_beside_per_cent_in_validation_stays_one(tmp_path: Path) -> None:
    log = read(tmp_path, table("step,train_acc,val_acc", STEPS, RISING, [100 * value for value in RISING]), "log.csv")
    np.testing.assert_allclose(values(log, "train/accuracy"), RISING)
    np.testing.assert_allclose(values(log, "val/accuracy"), RISING)


def test_fractions_a_little_above_one_are_no_per_cent(tmp_path: Path) -> None:
    log = read(tmp_path, table("step,train_acc", STEPS, [1.0000001] * 12), "log.csv")
    assert log.converted == []


def test_an_error_rate_is_one_minus_an_accuracy_and_an_error_above_one_is_a_loss(tmp_path: Path) -> None:
    rate = read(
        tmp_path, table("step,train_error,test_error", STEPS, [1 - value for value in RISING], [0.99] * 12), "log.csv"
    )
    np.testing.assert_allclose(values(rate, "train/accuracy"), RISING)
    loss = read(tmp_path, table("step,train_error,test_error", STEPS, FALLING, [7.0] * 12), "log.csv")
    assert values(loss, "train/loss") == FALLING
    assert values(loss, "val/loss") == [7.0] * 12


def test_several_runs_are_listed_and_one_is_chosen(tmp_path: Path) -> None:
    rows = "\n".join(f"{seed},{s},{seed}.25" for seed in (0, 1, 2) for s in STEPS)
    text = f"seed,step,train_loss\n{rows}\n"
    with pytest.raises(DataError, match=r"3 runs: 'seed=0', 'seed=1', 'seed=2'. Choose one: --run 'seed=0'"):
        read(tmp_path, text, "log.csv")
    log = read(tmp_path, text, "log.csv", mapping={"run": "seed=2"})
    assert values(log, "train/loss") == [2.25] * 12
    interleaved = "seed,step,train_loss\n" + "\n".join(f"{seed},{s},{seed}.25" for s in STEPS for seed in (0, 1, 2))
    assert values(read(tmp_path, interleaved, "log.csv", mapping={"run": "seed=1"}), "train/loss") == [1.25] * 12


def test_several_runs_in_json_are_listed_and_one_is_chosen(tmp_path: Path) -> None:
    text = '{"adamw": {"train_acc": [0, 0.5, 1], "val_acc": [0, 0, 1]}, "sgd": {"train_acc": [0, 0, 0]}}'
    with pytest.raises(DataError, match="'adamw', 'sgd'"):
        read(tmp_path, text, "log.json")
    assert values(read(tmp_path, text, "log.json", mapping={"run": "adamw"}), "val/accuracy") == [0, 0, 1]
    inner = '{"train_acc": {"s0": [0, 0.5, 1], "s1": [0, 1, 1]}, "test_acc": {"s0": [0, 0, 1], "s1": [0, 0, 0]}}'
    assert values(read(tmp_path, inner, "log.json", mapping={"run": "s1"}), "train/accuracy") == [0, 1, 1]
    listed = '[{"seed": 3, "val_acc": [0, 0, 1]}, {"seed": 4, "val_acc": [0, 1, 1]}]'
    assert values(read(tmp_path, listed, "log.json", mapping={"run": "seed=4"}), "val/accuracy") == [0, 1, 1]


def test_runs_one_after_the_other_are_listed_but_a_failed_start_is_no_run(tmp_path: Path) -> None:
    run = "\n".join(f"Epoch {e}: train_loss={5 - e / 5}" for e in range(20))
    with pytest.raises(DataError, match="'1', '2'"):
        read(tmp_path, f"seed 0\n{run}\nseed 1\n{run}\n")
    assert len(read(tmp_path, f"{run}\n{run}\n", mapping={"run": "1"}).curves["train/loss"].steps) == 20
    failed = "\n".join(run.split("\n")[:4])
    assert len(read(tmp_path, f"{failed}\n{run}\n").curves["train/loss"].steps) == 20


def test_several_runs_of_an_export_are_listed(tmp_path: Path) -> None:
    text = table('"Step","a - val_acc","b - val_acc"', STEPS, RISING, [0.5] * 12)
    with pytest.raises(DataError, match="'a', 'b'"):
        read(tmp_path, text, "export.csv")
    assert values(read(tmp_path, text, "export.csv", mapping={"run": "b"}), "val/accuracy") == [0.5] * 12
    assert values(read(tmp_path, text, "export.csv", mapping={"val/accuracy": "a - val_acc"}), "val/accuracy") == RISING


def test_lists_of_other_lengths_keep_their_own_steps(tmp_path: Path) -> None:
    import json

    data = {"train_losses": [5.0] * 1000, "val_steps": STEPS, "val_losses": [6.0] * 12, "test_acc": [0.5] * 100}
    log = read(tmp_path, json.dumps(data), "log.json")
    assert log.curves["train/loss"].steps.tolist() == list(range(1000))
    assert log.curves["val/loss"].steps.tolist() == STEPS
    assert log.curves["val/accuracy"].steps.tolist() == list(range(0, 1000, 10))


def test_a_jump_of_the_learning_rate_and_a_line_about_it_are_events(tmp_path: Path) -> None:
    rates = [0.1] * 6 + [0.01] * 6
    log = read(tmp_path, table("step,train_loss,lr", STEPS, FALLING, rates), "log.csv")
    assert [(event.kind, event.step, event.evidence) for event in log.events] == [
        ("learning_rate", 60, {"from": 0.1, "to": 0.01})
    ]
    lines = [f"Epoch {e}: train_loss={loss}" for e, loss in enumerate(FALLING)]
    lines.insert(6, "  Reducing learning rate of group 0 to 1.0000e-02.")
    said = read(tmp_path, "\n".join(lines))
    assert [(event.kind, event.step) for event in said.events] == [("schedule", 5)]


def test_the_rest_of_a_log_keeps_its_names(tmp_path: Path) -> None:
    log = read(tmp_path, table("step,train_loss, eff rank ,note", STEPS, FALLING, RISING, ["x"] * 12), "log.csv")
    assert values(log, "eff rank") == RISING
    assert log.dropped == ["1 columns of words, not of numbers"]


def test_folders_of_event_files_that_are_parts_of_one_run_are_put_together(tmp_path: Path) -> None:
    for part in ("train", "validation"):
        writer = EventWriter(tmp_path / part, wall_time=1.7e9, tag_of=str)
        for step in range(5):
            writer.append(step, {"epoch_loss": 2.0 if part == "train" else 3.0}, 1.7e9)
        writer.close()
    log = read_log(tmp_path)
    assert (values(log, "train/loss"), values(log, "val/loss")) == ([2.0] * 5, [3.0] * 5)
    writer = EventWriter(tmp_path / "other", wall_time=1.7e9)
    writer.append(1, {"train/loss": 1.0}, 1.7e9)
    writer.close()
    with pytest.raises(DataError, match=r"2 runs: 'other', '\.'"):
        read_log(tmp_path)
    assert values(read_log(tmp_path, mapping={"run": "other"}), "train/loss") == [1.0]


def test_a_folder_named_after_a_setting_of_training_is_a_run_of_its_own(tmp_path: Path) -> None:
    for run in ("wd1_train_frac0.3", "wd1_train_frac0.5"):
        writer = EventWriter(tmp_path / run, wall_time=1.7e9)
        writer.append(1, {"train/loss": 1.0}, 1.7e9)
        writer.close()
    with pytest.raises(DataError, match="2 runs"):
        read_log(tmp_path)


def test_a_log_with_batches_and_cached_values_gives_only_what_was_measured(tmp_path: Path) -> None:
    """Lines as a trainer of a variational autoencoder writes them: position, loss and scores each by themselves."""
    lines = ["2025-12-27 10:00:00 | Logging to: logs/run.log"]
    for epoch in range(20):
        kind = "FRESH" if epoch % 5 == 0 else "cached"
        lines += [
            f"2025-12-27 10:00:03 |   [Epoch {epoch}] Batch 10/75 | Loss: {99 - epoch}.9150",
            "2025-12-27 10:00:06 | ",
            f"Epoch {epoch}/300",
            f"2025-12-27 10:00:09 |   Loss: {40 - epoch}.5500 | Ranking Weight: 0.300",
            f"2025-12-27 10:00:12 |   Coverage [{kind}]: A=4.9% B=4.7% (best=5.0%)",
            f"2025-12-27 10:00:15 |   3-Adic Correlation [{kind}] (Hyp): A={0.7 - epoch / 100:.3f} B=0.100 (best=0.7)",
        ]
        if epoch == 7:
            lines.append("2025-12-27 10:00:16 |   beta-B warmup: beta_B 0.000 -> 0.300")
    lines += ["2025-12-27 11:15:09 | Training Complete", "Best val loss: 3.9500", "Target: r > 0.99, coverage > 99.7%"]
    log = read(tmp_path, "\n".join(lines))
    assert (log.axis, values(log, "train/loss")) == ("epoch", [40 - epoch + 0.55 for epoch in range(20)])
    assert log.curves["val/correlation"].steps.tolist() == [0, 5, 10, 15]
    np.testing.assert_allclose(values(log, "val/correlation"), [0.7, 0.65, 0.6, 0.55])
    np.testing.assert_allclose(values(log, "val/coverage"), [0.049] * 4)
    assert set(log.curves) == {"train/loss", "val/correlation", "val/coverage", "Ranking Weight"}
    assert [(event.kind, event.step) for event in log.events] == [("schedule", 7)]
    assert {"32 lines that repeat cached values", "20 lines about single batches"} <= set(log.dropped)
