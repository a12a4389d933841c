"""The linear probe against examples that a line does or does not separate, and against the plain normal equations."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.tiny import begin, tiny
from latebloom.engine.loop import Look
from latebloom.measures import LinearProbe, View
from latebloom.measures.linear_probe import probed
from measures.codes import looking

G = torch.Generator().manual_seed(0)
CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def normal(*shape):
    return torch.randn(*shape, generator=G, dtype=torch.float64)


def clouds(count, spread):
    """Examples of three labels around the corners of a triangle, in five dimensions."""
    labels = torch.randint(3, (count,), generator=G)
    return F.one_hot(labels, 3).double() @ torch.eye(3, 5, dtype=torch.float64) + spread * normal(count, 5), labels


def accuracy(train, labels, val, val_labels, ridge=1e-2):
    return float((probed(train, labels, val, 3, ridge).argmax(1) == val_labels).double().mean())


def test_clouds_that_do_not_touch_are_told_apart_and_mixed_ones_are_guessed():
    assert accuracy(*clouds(300, 0.1), *clouds(300, 0.1)) == 1
    assert accuracy(*clouds(300, 100.0), *clouds(3000, 100.0)) == pytest.approx(1 / 3, abs=0.07)


def test_what_no_line_separates_is_guessed_until_a_layer_separates_it():
    """Exclusive or of two bits, 50 times over: a linear map of the bits knows nothing, of the ReLU of them all."""
    bits = CORNERS.double().repeat(50, 1)
    labels = (bits.sum(1) == 1).long()
    guessed = probed(bits, labels, bits, 2, 1e-6)
    torch.testing.assert_close(guessed, torch.full_like(guessed, 0.5))
    hidden = torch.relu(bits @ torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).double())
    assert (probed(hidden, labels, hidden, 2, 1e-6).argmax(1) == labels).all()


def test_it_is_the_solution_of_the_normal_equations():
    (train, labels), (val, _) = clouds(100, 0.5), clouds(50, 0.5)
    ridge = 0.3 * (train - train.mean(0)).square().sum(0).mean()
    # with a column of ones that the ridge leaves alone
    full = torch.cat([train, torch.ones(100, 1, dtype=torch.float64)], 1)
    price = ridge * torch.diag(torch.tensor([1.0] * 5 + [0.0], dtype=torch.float64))
    weight = torch.linalg.solve(full.T @ full + price, full.T @ F.one_hot(labels, 3).double())
    expected = torch.cat([val, torch.ones(50, 1, dtype=torch.float64)], 1) @ weight
    torch.testing.assert_close(probed(train, labels, val, 3, 0.3), expected)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_neither_unit_nor_rotation_nor_shift_changes_what_is_answered(scale):
    (train, labels), (val, _) = clouds(100, 0.5), clouds(50, 0.5)
    turn = scale * torch.linalg.qr(normal(5, 5))[0]
    expected = probed(train, labels, val, 3, 1e-2)
    torch.testing.assert_close(
        probed(train @ turn + scale, labels, val @ turn + scale, 3, 1e-2), expected, atol=1e-7, rtol=0
    )


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_layer_that_is_constant_answers_the_most_frequent_label(value):
    labels = torch.tensor([2, 2, 1, 0, 2])
    logits = probed(torch.full((5, 4), value).double(), labels, torch.full((7, 4), value).double(), 3, 1e-2)
    torch.testing.assert_close(logits, torch.tensor([[0.2, 0.2, 0.6]]).double().expand(7, 3))


def test_labels_drawn_at_random_are_not_read_off():
    """Control: 200 features and 150 examples could be fitted perfectly, and say nothing about others."""
    labels, others = (torch.randint(3, (n,), generator=G) for n in (150, 3000))
    assert accuracy(normal(150, 200), labels, normal(3000, 200), others) == pytest.approx(1 / 3, abs=0.07)


class Squeeze(nn.Module):
    """One layer that keeps what tells the labels apart, one that forgets it."""

    def __init__(self):
        super().__init__()
        self.keeps, self.forgets = nn.Linear(5, 5), nn.Linear(5, 5)
        with torch.no_grad():
            self.keeps.weight.copy_(torch.eye(5))
            self.forgets.weight.copy_(torch.diag(torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0])))

    def forward(self, x):
        return self.forgets(self.keeps(x))


def test_each_layer_is_fitted_on_the_training_set_and_read_on_the_validation_set():
    (train, labels), (val, val_labels) = clouds(300, 0.1), clouds(600, 0.1)
    cuts = {"train": {"a": torch.arange(300)}, "val": {"a": torch.arange(300, 900)}}
    every = torch.cat([labels, val_labels])
    view = View(Squeeze(), None, every, None, cuts, inputs_NT=torch.cat([train, val]))
    readings = LinearProbe().read(view)
    assert readings["linear_probe/keeps"] == 1
    assert readings["linear_probe/forgets"] == pytest.approx(1 / 3, abs=0.1)
    view = View(Squeeze(), None, every.roll(1), None, cuts, inputs_NT=torch.cat([train, val]))
    assert LinearProbe().read(view)["linear_probe/keeps"] == pytest.approx(1 / 3, abs=0.1)  # other labels, no match


def test_a_layer_that_acts_on_each_position_is_probed_at_the_last():
    spec = tiny()
    state = begin(spec)
    readings = LinearProbe().read(Look(spec, spec.task.split(spec.seed), state).view)
    linear = [name for name, part in state.module.named_modules() if isinstance(part, nn.Linear)]
    assert set(readings) == {f"linear_probe/{name}" for name in linear}
    assert all(0 <= accuracy <= 1 for accuracy in readings.values())


def test_of_numbers_it_reads_the_share_of_the_variance_within_parts_that_a_line_explains():
    """One layer of a network that passes its input on: y = 3 x + part, with x of variance 1 and noise of variance 4."""
    count = 4000
    x, noise = normal(2 * count, 1), normal(2 * count)
    part = torch.arange(2 * count) % 2
    labels = 3 * x[:, 0] + 100 * part + 2 * noise
    inputs = torch.cat([x, part[:, None].double(), torch.zeros(2 * count, 3, dtype=torch.float64)], 1)
    cuts = {
        cut: {name: begin + torch.arange(first, count, 2) for first, name in enumerate(("even", "odd"))}
        for cut, begin in (("train", 0), ("val", count))
    }
    view = View(Squeeze(), None, labels, None, cuts, inputs_NT=inputs, predicted_of=lambda outputs: outputs[:, 0])
    found = LinearProbe(ridge=1e-9).read(view)
    assert found["linear_probe/keeps"] == pytest.approx(9 / (9 + 4), abs=0.03)
    # the other layer forgot x and part: it answers one mean, 50 off from that of either part
    assert found["linear_probe/forgets"] == pytest.approx(-(50**2) / 13, rel=0.1)
    shuffled = View(
        Squeeze(), None, labels.roll(2), None, cuts, inputs_NT=inputs, predicted_of=lambda outputs: outputs[:, 0]
    )
    assert LinearProbe(ridge=1e-9).read(shuffled)["linear_probe/keeps"] == pytest.approx(0, abs=0.03)  # control
    assert found.keys() == {"linear_probe/keeps", "linear_probe/forgets"}


def test_a_run_on_numbers_is_probed_and_experts_that_only_some_examples_reach_are_not():
    gate = {"kind": "hard", "cases": ((4, 2), (5, 2))}
    expert = {"kind": "mlp", "width": 4}
    mixture = {"kind": "mixture_of_experts", "experts": 2, "expert": expert, "gate": gate}
    assert set(LinearProbe().read(looking())) >= {"linear_probe/unembed"}
    assert LinearProbe().read(looking(model=mixture)) == {}
