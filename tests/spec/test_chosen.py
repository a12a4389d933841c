"""Some runs of a plan, by what tells them from the others."""

from __future__ import annotations

import pytest

from latebloom.base.errors import SpecError
from latebloom.spec import Study, chosen, plan

TINY = {"task": {"kind": "modular", "operation": "add", "modulus": 5}, "model": {"kind": "mlp", "width": 4}}
TRIALS = plan(
    Study(
        "four-by-three",
        settings={**TINY, "steps": 1, "optimizer": {"kind": "adamw"}},
        arms={"baseline": {}, "ma": {"interventions": ["grokfast_ma"]}},
        axes=({"optimizer.weight_decay": [0.1, 1]}, {"seed": [0, 1, 2]}),
    )
)


@pytest.mark.parametrize(
    ("only", "numbers"),  # of the plan: arms change slowest, seeds fastest
    [
        ([], range(12)),
        (["seed=0..1"], [0, 1, 3, 4, 6, 7, 9, 10]),
        (["arm=ma"], range(6, 12)),
        (["arm=ma,baseline"], range(12)),
        (["arm=ma", "seed=0", "seed=1"], [6, 7, 9, 10]),
        (["arm=ma", "optimizer.weight_decay=1", "seed=2,0"], [9, 11]),
    ],
)
def test_those_are_chosen_whose_every_value_is_named_in_the_order_of_the_plan(only, numbers):
    assert chosen(TRIALS, only) == [TRIALS[number] for number in numbers]


@pytest.mark.parametrize(
    ("only", "words"),
    [
        (["arn=ma"], "no run of the plan has a arn. Did you mean 'arm'? Known: arm, optimizer.weight_decay, seed"),
        (["seed=2..4"], "has seed = 3, 4; there is 0..2"),
        (["arm=l1"], "has arm = l1; there is baseline, ma"),
        (["ma"], "'ma' is no setting; expected key=values"),
    ],
)
def test_what_no_run_has_is_refused_and_the_message_says_what_there_is(only, words):
    with pytest.raises(SpecError) as caught:
        chosen(TRIALS, only)
    assert words in str(caught.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(SpecError) as caught:
        chosen(TRIALS, ["arm=l1", "seed=9", "steps=4"])
    assert len(caught.value.problems) == 3


def test_values_that_no_run_has_together_are_refused():
    uneven = [trial for trial in TRIALS if trial.label["arm"] == "baseline" or trial.label["seed"] == 0]
    with pytest.raises(SpecError, match="has all of arm=ma, seed=1"):
        chosen(uneven, ["arm=ma", "seed=1"])
