"""Gate usage against gates that one can see through, and entropies worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from engine.tiny import begin, tiny
from latebloom.engine.loop import Look
from latebloom.measures import GateUsage
from latebloom.measures.gate_usage import entropy
from measures.codes import looking

EXPERT = {"kind": "mlp", "width": 4}


def mixture(**gate):
    return {"kind": "mixture_of_experts", "experts": 2, "expert": EXPERT, "gate": gate}


def test_a_gate_by_size_shares_the_examples_as_the_sizes_do_and_never_hesitates():
    """30 validation matrices of the one size and 30 of the other."""
    found = GateUsage().read(looking(model=mixture(kind="hard", cases=((4, 2), (5, 2)))))
    assert found == {
        "gate_usage/share/0": pytest.approx(0.5),
        "gate_usage/share/1": pytest.approx(0.5),
        "gate_usage/balance": pytest.approx(1),
        "gate_usage/indecision": pytest.approx(0),
    }


def test_a_gate_that_always_weighs_three_to_one_has_the_entropy_of_that():
    view = looking(model=mixture(kind="soft"))
    with torch.no_grad():
        last = view.module.gate[2]
        last.weight.zero_()
        last.bias.copy_(torch.tensor([math.log(3.0), 0.0]))
    found = GateUsage().read(view)
    bits = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert found["gate_usage/share/0"] == pytest.approx(0.75)
    assert (found["gate_usage/balance"], found["gate_usage/indecision"]) == pytest.approx((bits, bits))


def test_one_expert_that_answers_everything_leaves_no_balance():
    found = GateUsage().read(looking(model=mixture(kind="soft", active=1)))
    assert found["gate_usage/indecision"] == pytest.approx(0)
    shares = torch.tensor([found["gate_usage/share/0"], found["gate_usage/share/1"]]).double()
    assert found["gate_usage/balance"] == pytest.approx(float(entropy(shares)))


def test_the_entropy_of_equal_shares_is_the_logarithm_of_their_number():
    assert entropy(torch.full((3, 8), 1 / 8)).tolist() == pytest.approx([3, 3, 3])


def test_a_network_without_a_gate_has_none():
    spec = tiny()
    assert GateUsage().read(Look(spec, spec.task.split(spec.seed), begin(spec)).view) == {}
