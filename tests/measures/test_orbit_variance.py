"""Orbit variance of networks whose symmetry is known, and whose variances can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from engine.tiny import begin, tiny
from latebloom.engine.loop import Look
from latebloom.measures import OrbitVariance
from latebloom.measures.orbit_variance import disagreement, orbit_variance
from measures.codes import CODES, looking


class Of(nn.Module):
    """A network that answers a function of the picture of P."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs_BT):
        return self.function(inputs_BT[:, :36].reshape(-1, 6, 6))[:, None]


def read(function, **settings):
    return OrbitVariance(**settings).read(replace(looking(head="log2"), module=Of(function)))


def test_what_heeds_the_symmetry_has_none():
    """A product of row sums of magnitudes knows nothing of order and signs; what is left is rounding."""
    found = read(lambda P: P.abs().sum(2).square().sum(1))
    assert set(found) == {"orbit_variance/mean", "orbit_variance/4-2-1", "orbit_variance/5-2-3"}
    assert all(0 <= value < 1e-10 for value in found.values())


def test_of_a_network_that_reads_one_entry_almost_all_lies_within_orbits():
    """E.g. P is 2 x 2, uniform on [-1, 1], variance 1/3. An orbit shows the network its entries p with either sign:

    variance mean p^2, and over all examples 1/3 is the mean of that. So the share is 1.
    """
    found = read(lambda P: P[:, 0, 0], examples=30, images=400)
    assert found["orbit_variance/mean"] == pytest.approx(1, abs=0.02)


def test_what_forgets_the_signs_alone_keeps_the_share_that_order_has():
    """|P_11| of a 2 x 2 matrix: an image shows one of its 4 magnitudes, so their variance is within, 3/4 of the whole.

    Var(|p|) = v for independent entries. Between orbits varies the mean of 4, by v / 4; the rest, 3 v / 4, is within.
    """
    task = {**CODES, "groups": "4,2,1", "val_per_group": 2000}
    view = replace(looking(task=task), module=Of(lambda P: P[:, 0, 0].abs()))
    found = OrbitVariance(examples=2000, images=50).read(view)
    assert found == {"orbit_variance/mean": pytest.approx(0.75, abs=0.02)}


def test_variances_within_and_in_all_by_hand():
    answers = torch.tensor([[[0.0, 1.0], [2.0, 1.0]], [[4.0, 5.0], [4.0, 1.0]]], dtype=torch.float64)
    within = ((2 + 0) + (0 + 8)) / 2  # unbiased: of 0 and 2, of 1 and 1; of 4 and 4, of 5 and 1
    whole = (2.5**2 + 0.5**2 + 1.5**2 + 1.5**2) / 4 + (1 + 1 + 9 + 1) / 4  # about 2.5 and about 2
    assert orbit_variance(answers) == pytest.approx(within / whole)


def test_a_network_that_always_answers_the_same_has_no_reading():
    assert read(lambda P: torch.ones(len(P))) == {}


SMALL = {"kind": "small_codes", "largest": 2}


def test_of_classes_it_is_read_at_the_outputs_and_a_common_shift_of_them_is_nothing():
    spec = tiny(task=SMALL, model={"kind": "mlp", "width": 8})
    view = Look(spec, spec.task.split(spec.seed), begin(spec)).view
    plain = OrbitVariance().read(view)

    class Shifted(nn.Module):
        def forward(self, inputs_BT):
            return view.module(inputs_BT) + inputs_BT[:, :1]

    assert 0.1 < plain["orbit_variance/mean"] < 1.2
    assert OrbitVariance().read(replace(view, module=Shifted())) == pytest.approx(plain, rel=1e-5)

    class Symmetric(nn.Module):
        def forward(self, inputs_BT):
            return (inputs_BT[:, :4] - 2).abs().float().sum(1, keepdim=True) * torch.arange(3.0)

    found = OrbitVariance().read(replace(view, module=Symmetric()))
    assert found["orbit_variance/mean"] < 1e-12 and found["orbit_disagreement/mean"] == 0


def test_outputs_that_vary_little_may_still_disagree_and_are_caught_by_the_classes_alone():
    """Class 1 wins by 0.001 where the first entry is positive, and loses by as much elsewhere; class 2 varies a lot."""
    spec = tiny(task=SMALL, model={"kind": "mlp", "width": 8})
    view = Look(spec, spec.task.split(spec.seed), begin(spec)).view

    class Undecided(nn.Module):
        def forward(self, inputs_BT):
            side = (inputs_BT[:, :1] - 2).sign().float() / 1000
            size = (inputs_BT[:, :4] - 2).abs().sum(1, keepdim=True).float()
            return torch.cat([torch.zeros_like(side), side, -1 - size], 1)

    found = OrbitVariance(examples=300).read(replace(view, module=Undecided()))
    assert found["orbit_variance/mean"] < 1e-4 and 0.3 < found["orbit_disagreement/mean"] <= 0.5


def test_disagreement_by_hand_and_of_numbers_none():
    # pairs of 4 images: 6. All alike 0; two and two 4 of 6; all different 6 of 6
    classes = torch.tensor([[3, 3, 3, 3], [0, 1, 0, 1], [0, 1, 2, 3]])
    assert disagreement(classes) == pytest.approx((0 + 4 / 6 + 1) / 3)
    assert not [name for name in OrbitVariance().read(looking()) if name.startswith("orbit_disagreement")]


def test_draws_follow_from_seed_and_step():
    view = looking()
    first = OrbitVariance().read(view)
    assert OrbitVariance().read(view) == first
    assert OrbitVariance().read(replace(view, step=1)) != first
    assert OrbitVariance().read(replace(view, seed=view.seed + 1)) != first


@pytest.mark.parametrize("sees", ["sorted_entries", "minors", "sorted_minors"])
def test_inputs_that_are_no_entries_have_no_known_symmetry(sees):
    assert OrbitVariance().read(looking(task={**CODES, "sees": sees})) == {}


def test_a_task_without_a_known_symmetry_has_none():
    spec = tiny()
    assert OrbitVariance().read(Look(spec, spec.task.split(spec.seed), begin(spec)).view) == {}
