"""Losses against their closed forms."""

import math

import pytest
import torch

from latebloom.losses import CrossEntropy, Log2SquaredError, SquaredError


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


def test_of_a_number_it_is_the_plain_square():
    outputs, numbers = torch.tensor([[1.5], [-2.0]]), torch.tensor([1.0, 3.0], dtype=torch.float64)
    assert SquaredError().per_example(outputs, numbers).tolist() == [0.25, 25.0]


@pytest.mark.parametrize(
    ("head", "height"),
    [
        ("log2", lambda z: 2**z),
        ("log2_at_least_zero", lambda z: 2 ** math.log1p(math.exp(z))),
        ("at_least_one", lambda z: 1 + math.log1p(math.exp(z))),
        ("raw", lambda z: max(z, 1e-9)),
    ],
)
def test_a_head_says_what_height_an_output_means(head, height):
    loss = Log2SquaredError(head=head)
    outputs, label = torch.tensor([[-3.0], [0.5], [7.0]], dtype=torch.float64), math.log2(5.0)
    expected = [(math.log2(height(z)) - label) ** 2 for z in outputs[:, 0].tolist()]
    assert loss.per_example(outputs, torch.full((3,), label)).tolist() == pytest.approx(expected, rel=1e-6)


def test_a_raw_output_below_its_least_is_dead_and_a_softplus_is_not():
    """The public project's head: no gradient where it costs most."""
    for head, dead in (("raw", True), ("log2_at_least_zero", False)):
        z = torch.tensor([[-1.0]], requires_grad=True)
        loss = Log2SquaredError(head=head).per_example(z, torch.tensor([10.0]))
        loss.sum().backward()
        assert (z.grad.item() == 0) is dead
    assert Log2SquaredError(head="raw").per_example(z, torch.tensor([10.0])).item() > 1000


def test_a_shortfall_is_what_is_missing_to_the_bound_in_bits_and_pulls_up_only_what_is_below():
    """h = 2^z: 1 and 3 bits against bounds of 2.5 and 2; the second may be as high as it likes."""
    z = torch.tensor([[1.0], [3.0]], requires_grad=True)
    shortfall = Log2SquaredError(head="log2").shortfall(z, torch.tensor([2.5, 2.0], dtype=torch.float64))
    shortfall.sum().backward()
    assert shortfall.tolist() == [1.5, 0.0] and z.grad.tolist() == [[-1.0], [0.0]]
