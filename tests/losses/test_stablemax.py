"""StableMax cross-entropy against its definition, one number at a time; its gradient against difference quotients."""

import math

import pytest
import torch

from latebloom.losses import CrossEntropy, StableMax


def by_definition(logits, label):
    """-ln of the label's share of s, in Python's own floats."""
    s = [z + 1 if z >= 0 else 1 / (1 - z) for z in logits]
    return -math.log(s[label] / math.fsum(s))


ROWS = {
    "random": torch.randn(8, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64).mul(3).tolist(),
    "zeros": [[0.0, 0.0, 0.0], [0.0, -0.0, 1.0], [-1.0, 0.0, 0.0]],
    "large": [[1e6, -1e6, 0.0], [-1e6, -1e5, -1e4], [1e12, 1e12, -1e12], [1e30, -1e30, 1.0]],
}


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_it_is_the_definition(rows, precision):
    logits, labels = torch.tensor(ROWS[rows], dtype=torch.float64), torch.arange(len(ROWS[rows])) % 3
    got = StableMax(precision=precision).per_example(logits.to(getattr(torch, precision)), labels)
    expected = [by_definition(row, label) for row, label in zip(logits.tolist(), labels.tolist(), strict=True)]
    # a difference of two logarithms of at most ln 1e30 = 69, each right to a rounding or two
    assert got.tolist() == pytest.approx(expected, rel=0, abs=4 * 69 * torch.finfo(getattr(torch, precision)).eps)


def test_softmax_is_something_else():
    """Control."""
    logits = torch.tensor(ROWS["random"][:1])
    assert CrossEntropy().per_example(logits, torch.tensor([0])).item() != pytest.approx(
        by_definition(logits[0].tolist(), 0), rel=1e-2
    )


def test_knowing_nothing_of_v_labels_costs_ln_v():
    assert StableMax().per_example(torch.zeros(2, 97), torch.tensor([0, 96])).tolist() == pytest.approx(
        [math.log(97)] * 2
    )


@pytest.mark.parametrize("rows", ["random", "zeros"])
def test_its_gradient_is_the_difference_quotient_also_at_zero_where_both_branches_meet(rows):
    logits = torch.tensor(ROWS[rows], dtype=torch.float64, requires_grad=True)
    labels = torch.arange(len(logits)) % 3
    # the second derivative jumps at zero, which costs a centred quotient up to its half times the step of 1e-6
    assert torch.autograd.gradcheck(lambda z: StableMax().per_example(z, labels), logits, eps=1e-6, atol=2e-6)


@pytest.mark.parametrize("z", [0.0, -0.0, 1.0, -1.0, 1e6, -1e6, 1e18, -1e18, 1e30, -1e30])
def test_the_slope_of_the_logarithm_of_s_is_its_closed_form(z):
    """d ln s / dz = 1 / (1 + |z|) on both sides, times the share that the label does not have yet."""
    logits = torch.tensor([[z, 0.0]], dtype=torch.float64, requires_grad=True)
    StableMax().per_example(logits, torch.tensor([0])).sum().backward()
    s = z + 1 if z >= 0 else 1 / (1 - z)
    slope, open_share, eps = 1 / (1 + abs(z)), 1 / (s + 1), torch.finfo(torch.float64).eps
    # autograd takes the open share as 1 - share, which is right to a few roundings of 1
    assert logits.grad[0, 0].item() == pytest.approx(-slope * open_share, rel=0, abs=4 * eps * slope)
    assert logits.grad.isfinite().all()


def test_the_definition_as_one_where_has_no_gradient_at_one():
    """Control for z = 1 above: the branch not taken divides by zero, and zero times infinity is not a number."""
    z = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    torch.where(z >= 0, z + 1, 1 / (1 - z)).backward()
    assert z.grad.isnan()


def test_the_gradient_does_not_vanish_where_that_of_softmax_does():
    """A gap of 200 nats between the label and the rest: float32's softmax has nothing left to learn, s has."""
    gradients = []
    for loss in (CrossEntropy(), StableMax(precision="float32")):
        logits = torch.tensor([[100.0, -100.0]], requires_grad=True)
        loss.per_example(logits, torch.tensor([0])).sum().backward()
        gradients.append(logits.grad.abs().max().item())
    assert gradients[0] == 0 and gradients[1] > 1e-7


def test_adding_the_same_to_all_logits_changes_it_unlike_softmax():
    """Law, and the reason why the scale of the logits matters less: s is no exponential."""
    logits, label = torch.tensor([[2.0, -1.0, 0.5]]), torch.tensor([0])
    for loss, moves in ((StableMax(), True), (CrossEntropy(), False)):
        change = loss.per_example(logits + 3, label) - loss.per_example(logits, label)
        assert (change.abs().item() > 1e-3) == moves


def test_nan_stays_nan():
    assert StableMax().per_example(torch.tensor([[math.nan, 0.0]]), torch.tensor([1])).isnan().all()
