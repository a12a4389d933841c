"""Dead outputs against a handful of numbers whose losses anybody can work out."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from engine.tiny import begin, tiny
from latebloom.engine.loop import Look
from latebloom.losses import CrossEntropy, Log2SquaredError
from latebloom.measures import DeadOutputs, View
from measures.codes import looking

OUTPUTS = torch.tensor([[-3.0], [4.0], [0.0], [2.0], [8.0]])
LABELS = torch.tensor([1.0, 2.0, 2.0, 2.0, 1.0], dtype=torch.float64)  # log2 of heights
FLOOR = math.log2(1e-9)


def of(head, cuts=None):
    loss = Log2SquaredError(head=head)
    cuts = cuts or {"train": {"a": torch.arange(5)}}
    return View(nn.Linear(1, 1), lambda b: OUTPUTS[b], LABELS, loss.per_example, cuts, predicted_of=loss.predicted)


def test_outputs_at_or_below_the_least_are_counted_and_their_losses_told_apart():
    """Of the five, -3 and 0 lie below 1e-9; 4 means 2 bits, which is right; 2 means 1, and 8 means 3."""
    found = DeadOutputs().read(of("raw"))
    dead, alive = (FLOOR - 1) ** 2 + (FLOOR - 2) ** 2, 0.0 + 1.0 + 4.0
    assert found == {
        "dead_outputs/train": 0.4,
        "dead_outputs/train/count": 2,
        "dead_outputs/train/loss_with": pytest.approx((dead + alive) / 5, rel=1e-6),  # float32 logarithms
        "dead_outputs/train/loss_without": pytest.approx(alive / 3, rel=1e-6),
    }


@pytest.mark.parametrize("head", ["log2", "log2_at_least_zero", "at_least_one"])
def test_the_same_outputs_are_alive_under_every_other_head(head):
    found = DeadOutputs().read(of(head))
    assert found["dead_outputs/train"] == 0 and found["dead_outputs/train/loss_with"] == pytest.approx(
        found["dead_outputs/train/loss_without"]
    )


def test_an_output_that_is_right_is_not_dead():
    """Its slope is 0 as well, but it costs nothing."""
    assert DeadOutputs().read(of("raw", {"train": {"a": torch.tensor([1])}}))["dead_outputs/train"] == 0


def test_where_all_are_dead_there_is_no_loss_without_them():
    found = DeadOutputs().read(of("raw", {"val": {"a": torch.tensor([0, 2])}}))
    assert found["dead_outputs/val"] == 1 and "dead_outputs/val/loss_without" not in found


def test_in_a_run_it_counts_every_example_of_either_cut_at_the_loss_that_evaluation_reads():
    view = looking(head="raw")
    with torch.no_grad():
        outputs = view.module(view.inputs_NT)[:, 0]
    found = DeadOutputs().read(view)
    for cut, parts in view.cuts.items():
        every = torch.cat(list(parts.values()))
        assert found[f"dead_outputs/{cut}/count"] == int((outputs[every] < 1e-9).sum())
        loss = view.loss_of(outputs[every, None], view.labels_N[every]).double().mean()
        assert found[f"dead_outputs/{cut}/loss_with"] == pytest.approx(float(loss), rel=1e-6)
    assert 0 < found["dead_outputs/train"] < 1, "an example of either kind, or the test says nothing"


def test_classes_have_none():
    spec = tiny(loss=CrossEntropy().model_dump())
    assert DeadOutputs().read(Look(spec, spec.task.split(spec.seed), begin(spec)).view) == {}
