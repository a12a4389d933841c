"""TensorBoard's tags under our names."""

from collections.abc import Iterable

import numpy as np
import pytest

from latebloom.base.record import Curve
from latebloom.store.ingest import as_readings
from latebloom.store.tensorboard import Scalars


@pytest.mark.parametrize(
    ("name", "tags"),
    {
        "train/loss": "Loss/train loss/train train/loss train_loss trainLoss tr_loss training-loss Loss_train/Loss "
        "train/epoch_loss train_loss_epoch train_loss_step",
        "val/loss": "Loss/val loss/valid val_loss validation/loss Loss/test eval/loss dev.loss epoch_val_loss",
        "train/accuracy": "Accuracy/train train_acc training/accuracy TrainAcc train/acc@1",
        "val/accuracy": "Accuracy/val val_acc validation/accuracy test_accuracy accuracy/test eval/accuracy ValAcc",
        "learning_rate": "Learning_rate lr learning-rate train/learning_rate",
    }.items(),
)
def test_common_tags_have_our_names(name: str, tags: str) -> None:
    for tag in tags.split():
        assert as_readings(Scalars(curves(**{tag.replace("/", "_of_"): [1.0, 0.5]}), [])).curves.keys() == {name}, tag


@pytest.mark.parametrize(
    "tag",
    ["val/loss/divide", "train/val_loss", "LR/Delta", "train/epoch", "best/val_loss", "Loss/gap"],
)
def test_a_tag_that_means_something_else_keeps_its_own_name(tag: str) -> None:
    assert as_readings(Scalars(curves(**{tag.replace("/", "_of_"): [1.0, 0.5]}), [])).curves.keys() == {tag}


@pytest.mark.parametrize("tag", ["loss", "accuracy", "Batch/Loss"])
def test_a_tag_without_a_word_for_its_examples_is_never_validation(tag: str) -> None:
    found = as_readings(Scalars(curves(**{tag.replace("/", "_of_"): [1.0, 0.5]}), []))
    assert not any(name.startswith("val/") for name in found.curves)
    assert any("not validation" in line for line in found.report)


def curves(**values: Iterable[float]) -> dict[str, Curve]:
    """Curves by tag, with `_of_` for the slash."""
    return {
        tag.replace("_of_", "/"): Curve(np.arange(len(list(v))), np.array(list(v), np.float64))
        for tag, v in values.items()
    }


def test_of_validation_and_test_the_validation_has_the_name_and_the_other_is_reported() -> None:
    given = Scalars(curves(Loss_of_test=[1.0], Loss_of_val=[2.0], Loss_of_train=[3.0], depth=[4.0]), ["1 file."])
    found = as_readings(given)
    assert {name: curve.values.tolist() for name, curve in found.curves.items()} == {
        "val/loss": [2.0],
        "Loss/test": [1.0],
        "train/loss": [3.0],
        "depth": [4.0],
    }
    assert any("'Loss/test' could be it as well and keeps its own name" in line for line in found.report)
    assert "'Loss/train' is read as train/loss." in found.report and found.report[0] == "1 file."
    alone = as_readings(Scalars(curves(Loss_of_test=[1.0]), []))
    assert alone.curves.keys() == {"val/loss"}


@pytest.mark.parametrize(
    ("likelier", "other", "name"),
    [
        ("val/loss", "Loss/val", "val/loss"),
        ("train_loss_epoch", "train_loss_step", "train/loss"),
        ("train_loss", "train_loss_epoch", "train/loss"),
        ("validation_acc", "eval_acc", "val/accuracy"),
        ("eval_acc", "test_acc", "val/accuracy"),
    ],
)
def test_the_likelier_of_two_tags_has_the_name(likelier: str, other: str, name: str) -> None:
    for order in ([likelier, other], [other, likelier]):
        values = {likelier: [1.0, 1.0], other: [0.0, 0.0, 0.0]}  # more points are no reason
        named = as_readings(Scalars({tag: curves(a=values[tag])["a"] for tag in order}, []))
        assert named.curves.keys() == {name, other}
        assert named.curves[name].values.tolist() == [1.0, 1.0]


def test_accuracies_in_per_cent_become_fractions_all_or_none() -> None:
    """Chance is about 1 % here: the validation accuracy alone would look like a fraction."""
    found = as_readings(Scalars(curves(train_acc=[1.0, 99.5], val_acc=[0.9, 1.0], val_loss=[4.0, 9.0]), []))
    assert found.curves["train/accuracy"].values.tolist() == pytest.approx([0.01, 0.995])
    assert found.curves["val/accuracy"].values.tolist() == pytest.approx([0.009, 0.01])
    assert found.curves["val/loss"].values.tolist() == [4.0, 9.0]
    assert any("per cent" in line for line in found.report)
    kept = as_readings(Scalars(curves(train_acc=[1.0, 1.0000001], val_acc=[0.9, 0.95]), []))
    assert kept.curves["train/accuracy"].values.tolist() == [1.0, 1.0000001]
