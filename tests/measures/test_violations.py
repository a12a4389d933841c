"""Violations against numbers that anybody can compare, and on codes against the definition of an m-height."""

import torch
from torch import nn

from latebloom.losses import Log2SquaredError
from latebloom.measures import View, Violations
from measures.codes import CODES, looking

LOSS = Log2SquaredError(head="log2")
ANSWERS = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
FLOORS = torch.tensor([1.5, 2.0, 0.0, 6.0], dtype=torch.float64)  # the first and the last are 0.5 and 2 above


def of(floors):
    cuts = {"train": {"a": torch.tensor([0, 1])}, "val": {"a": torch.tensor([2]), "b": torch.tensor([3])}}
    return View(
        nn.Linear(1, 1),
        lambda b: ANSWERS[b],
        FLOORS + 1,
        LOSS.per_example,
        cuts,
        predicted_of=LOSS.predicted,
        floors_N=floors,
    )


def test_answers_below_the_bound_are_counted_and_one_that_meets_it_is_none():
    assert Violations().read(of(FLOORS)) == {
        "violations/train": 0.5,
        "violations/train/shortfall": 0.25,
        "violations/val": 0.5,
        "violations/val/shortfall": 1.0,
    }


def test_without_bounds_there_is_nothing_to_read():
    assert Violations().read(of(None)) == {} and Violations().read(looking()) == {}


def test_a_network_that_answers_the_label_violates_nothing_and_one_that_says_h_is_1_nearly_everything():
    view = looking(task={**CODES, "codewords": 5})
    found = [
        Violations().read(View(**{**vars(view), "logits_of": lambda b, said=said: said[b, None]}))["violations/val"]
        for said in (view.labels_N, torch.zeros_like(view.labels_N))
    ]
    assert found[0] == 0 and found[1] > 0.9
