"""Evaluation and weight norm against the plain definitions, one example at a time and one number at a time."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from latebloom.losses import SquaredError
from latebloom.measures import Evaluation, View, WeightNorm

EXAMPLES, LABELS = 23, 5
GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(EXAMPLES, LABELS, generator=GENERATOR)
RIGHT = torch.randint(LABELS, (EXAMPLES,), generator=GENERATOR)
CUTS = {
    "train": {"add": torch.tensor([0, 2, 4, 6]), "divide": torch.arange(10, 17)},
    "val": {"add": torch.tensor([1, 3]), "divide": torch.tensor([20, 22, 17])},
}


def view(cuts=CUTS, module=None):
    return View(
        module=module or nn.Linear(2, 2),
        logits_of=lambda examples_B: LOGITS[examples_B],
        labels_N=RIGHT,
        loss_of=lambda logits_BV, labels_B: nn.functional.cross_entropy(logits_BV, labels_B, reduction="none"),
        cuts=cuts,
    )


def by_definition(examples):
    """Accuracy and mean of -ln softmax, example by example, in Python's own floats."""
    correct, loss = 0, 0.0
    for example in examples:
        row, right = LOGITS[example].tolist(), int(RIGHT[example])
        correct += max(range(LABELS), key=row.__getitem__) == right
        loss += math.log(sum(map(math.exp, row))) - row[right]
    return correct / len(examples), loss / len(examples)


@pytest.mark.parametrize("chunk", [1, 3, 4, 1024])
def test_readings_are_the_means_over_every_example_whatever_the_chunk(chunk):
    readings = Evaluation(chunk=chunk).read(view())
    expected = {}
    for cut, parts in CUTS.items():
        groups = {f"/{name}": examples.tolist() for name, examples in parts.items()}
        groups[""] = [example for examples in groups.values() for example in examples]
        for suffix, examples in groups.items():
            expected[f"{cut}/accuracy{suffix}"], expected[f"{cut}/loss{suffix}"] = by_definition(examples)
    assert readings == pytest.approx(expected, rel=1e-6)  # float32 logits
    assert readings.keys() == expected.keys()


def test_a_task_of_one_part_has_no_readings_by_part():
    readings = Evaluation().read(view({"train": {"add": torch.arange(5)}, "val": {"add": torch.arange(5, 9)}}))
    assert set(readings) == {"train/accuracy", "train/loss", "val/accuracy", "val/loss"}


def test_small_losses_are_not_lost_in_a_large_sum():
    """0.1 in float32, 200,000 times: summed one after the other in float32 it would be off in the fourth digit."""
    many = {"train": {"a": torch.zeros(200_000, dtype=torch.int64)}, "val": {"a": torch.tensor([0])}}
    looking = View(nn.Linear(1, 1), lambda b: LOGITS[b], RIGHT, lambda _, labels: torch.full((len(labels),), 0.1), many)
    assert Evaluation(chunk=10).read(looking)["train/loss"] == pytest.approx(float(torch.tensor(0.1)), rel=1e-12)


@pytest.mark.parametrize("was_training", [True, False])
def test_a_model_is_read_without_dropout_and_left_as_it_was(was_training):
    module = nn.Dropout(0.9).train(was_training)
    seen = []
    looking = View(module, lambda b: seen.append(module.training) or LOGITS[b], RIGHT, view().loss_of, CUTS)
    Evaluation().read(looking)
    assert set(seen) == {False} and module.training == was_training


def test_the_weight_norm_is_the_root_of_the_sum_of_all_squares():
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    squares = [number**2 for p in module.parameters() for number in p.detach().flatten().tolist()]
    reading = WeightNorm().read(view(module=module))
    assert reading == {"weight_norm/l2": pytest.approx(math.sqrt(math.fsum(squares)), rel=1e-6)}  # float32 norms


def test_the_weight_norm_counts_only_what_is_trained_and_grows_with_the_scale():
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    module[0].requires_grad_(False)
    alone = WeightNorm().read(view(module=module[1]))["weight_norm/l2"]
    assert WeightNorm().read(view(module=module))["weight_norm/l2"] == alone
    with torch.no_grad():
        for p in module[1].parameters():
            p.mul_(3)
    assert WeightNorm().read(view(module=module))["weight_norm/l2"] == pytest.approx(3 * alone, rel=1e-6)


NUMBERS = torch.tensor([1.0, 2.0, 3.0, 10.0, 20.0, 60.0], dtype=torch.float64)
GROUPS = {"train": {"low": torch.tensor([0, 1, 2]), "high": torch.tensor([3, 4, 5])}}


def of_numbers(predictions, groups=GROUPS):
    predicted = torch.tensor(predictions)[:, None]
    loss = SquaredError()
    return View(nn.Linear(1, 1), lambda b: predicted[b], NUMBERS, loss.per_example, groups, predicted_of=loss.predicted)


def test_knowing_the_mean_of_every_group_explains_nothing_and_knowing_all_explains_everything():
    means = Evaluation().read(of_numbers([2.0, 2.0, 2.0, 30.0, 30.0, 30.0]))
    assert means["train/r2"] == pytest.approx(0)
    assert means["train/r2/low"] == pytest.approx(0) and means["train/r2/high"] == pytest.approx(0)
    assert Evaluation().read(of_numbers(NUMBERS.float().tolist()))["train/r2"] == pytest.approx(1)
    one_constant = Evaluation().read(of_numbers([16.0] * 6))
    assert one_constant["train/r2"] < 0, "one constant must not pass for knowledge, though it is the mean of all"


def test_the_share_of_variance_is_the_mean_over_groups_by_definition():
    read = Evaluation(chunk=2).read(of_numbers([1.0, 2.0, 4.0, 10.0, 30.0, 60.0]))
    low, high = 1 - 1 / 2, 1 - 100 / (400 + 100 + 900)
    assert (read["train/r2/low"], read["train/r2/high"]) == pytest.approx((low, high))
    assert read["train/r2"] == pytest.approx((low + high) / 2)
    assert read["train/loss"] == pytest.approx(101 / 6) and read["train/loss/low"] == pytest.approx(1 / 3)
    assert "train/accuracy" not in read


def test_a_group_of_equal_labels_has_no_share_of_variance():
    alone = {"train": {"one": torch.tensor([0]), "high": torch.tensor([3, 4, 5])}}
    read = Evaluation().read(of_numbers([0.0] * 6, alone))
    assert "train/r2/one" not in read and read["train/r2"] == read["train/r2/high"]


def test_the_two_that_know_nothing_of_an_example_are_told_by_the_training_labels_alone():
    """By definition: the squared errors of always answering 16, the mean of all, and of answering 2 and 30."""
    read = Evaluation().read(of_numbers([0.0] * 6))
    assert read["blind/one_constant"] == pytest.approx(sum((x - 16) ** 2 for x in NUMBERS.tolist()) / 6)
    assert read["blind/part_means"] == pytest.approx((1 + 0 + 1 + 400 + 100 + 900) / 6)
    means = Evaluation().read(of_numbers([2.0, 2.0, 2.0, 30.0, 30.0, 30.0]))
    assert means["train/loss"] == pytest.approx(means["blind/part_means"])
    alone = Evaluation().read(of_numbers([0.0] * 6, {"train": {"high": torch.tensor([3, 4, 5])}}))
    assert alone["blind/one_constant"] == pytest.approx(1400 / 3) and "blind/part_means" not in alone
    assert not any(name.startswith("blind") for name in Evaluation().read(view()))
