"""Losses against their closed forms."""

import math

import pytest
import torch

from latebloom.losses import CrossEntropy, SquaredError


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_knowing_nothing_of_v_labels_costs_ln_v(precision):
    loss = CrossEntropy(precision=precision).per_example(torch.zeros(3, 97), torch.tensor([0, 5, 96]))
    assert loss.tolist() == pytest.approx([math.log(97)] * 3, rel=1e-6)


def test_float64_still_sees_a_loss_that_float32_rounds_to_zero():
    """At a gap of 17 nats between two labels the loss is ln(1 + e^-17) = 4.1e-8; float32 absorbs it."""
    logits, label = torch.tensor([[17.0, 0.0]]), torch.tensor([0])
    assert CrossEntropy(precision="float32").per_example(logits, label).item() == 0
    exact = math.log1p(math.exp(-17))
    assert CrossEntropy(precision="float64").per_example(logits, label).item() == pytest.approx(exact, rel=1e-9)


def test_squared_error_is_torchs_mse_against_one_hot():
    outputs, labels = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3, 4, 0])
    expected = torch.nn.MSELoss()(outputs, torch.eye(5)[labels])
    torch.testing.assert_close(SquaredError().per_example(outputs, labels).mean(), expected)
