"""What a name stands for while a training runs, when later names are not known yet."""

import pytest

from latebloom.integrations.names import Names, named
from latebloom.store.ingest import interpret

CASES = {
    "the usual": {"train/accuracy": "train_acc", "val/accuracy": "test_acc"},
    "Hugging Face": {"train/loss": "loss", "val/loss": "eval_loss"},
    "Keras": {"train/loss": "loss", "train/accuracy": "accuracy", "val/accuracy": "val_accuracy"},
    "TensorBoard": {"train/accuracy": "Accuracy/train", "val/accuracy": "Accuracy/test", "learning_rate": "lr"},
}
LEFT_OVER = {
    "of two, what was kept for choosing": (["val_acc", "test_acc"], {"val/accuracy": "val_acc"}),
    "the mean over an epoch": (["train_acc_step", "train_acc_epoch"], {"train/accuracy": "train_acc_epoch"}),
    "an accuracy of which examples?": (["train_loss", "accuracy"], {"train/loss": "train_loss"}),
    "what is no reading": (["best_val_acc", "gap", "val_loss"], {"val/loss": "val_loss"}),
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [*((list(found.values()), found) for found in CASES.values()), *LEFT_OVER.values()],
    ids=[*CASES, *LEFT_OVER],
)
def test_a_name_stands_for_what_logs_with_these_names_are_read_as(names, expected) -> None:
    together = Names()
    together.hear(names)
    assert together.theirs == expected
    log = interpret({"step": [1, 2, 3], **{name: [0.1, 0.2, 0.3] for name in names}}, "log", format="JSON")
    ours = {reading: log.mapped.get(reading, reading) for reading in log.curves}
    assert {reading: name for reading, name in ours.items() if name in expected.values()} == expected
    for order in (names, names[::-1]):  # whichever comes first
        one_by_one = Names()
        for name in order:
            one_by_one.hear([name])
        assert one_by_one.theirs == expected


def test_training_never_stands_in_for_validation() -> None:
    names = Names()
    names.hear(["loss", "accuracy", "train_accuracy", "acc"])
    assert not [reading for reading in names.theirs if reading.startswith("val/")]


def test_it_is_told_when_an_earlier_name_changes_its_meaning() -> None:
    names = Names()
    assert not names.hear(["train_acc_step"])  # nothing was read before it
    assert not names.hear(["val_acc"])
    assert names.hear(["train_acc_epoch"])
    assert names.unjudged == ["train_acc_step"]
    open_one = Names()
    open_one.hear(["train_loss", "accuracy"])
    assert open_one.hear(["loss"]) is (open_one.theirs.get("train/accuracy") == "accuracy")


def test_what_the_user_says_wins() -> None:
    names = Names({"val/accuracy": "ema"})
    names.hear(["val_acc", "ema", "train_acc"])
    assert names.theirs == {"val/accuracy": "ema", "train/accuracy": "train_acc"}


def test_a_silent_name_is_completed_and_a_speaking_one_is_left_alone() -> None:
    given = {"loss": 1, "acc": 2, "val_loss": 3, "lr": 4, "grad_norm": 5, "runtime": 6}
    assert named("train", given) == {
        "train/loss": 1,
        "train/acc": 2,
        "val_loss": 3,
        "lr": 4,
        "grad_norm": 5,
        "runtime": 6,
    }
