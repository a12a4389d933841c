import pytest

from latebloom.base.errors import SpecError
from latebloom.report.comparison.arms import arm_of, is_wanted, restrictions, short_names, split_seed, text_of

SPEC = {
    "optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": None},
    "interventions": [{"kind": "grokfast_ema", "amplify": 2.0}, {"kind": "l1"}],
    "task": {"parts": {"add": {"share": 0.5}}},
}


@pytest.mark.parametrize(
    ("name", "arm", "seed"),
    [
        ("l1_seed3", "l1", 3),
        ("l1-s3", "l1", 3),
        ("l1/seed_3", "l1", 3),
        ("l1/3", "l1", 3),
        ("deep/l1 seed=12", "deep/l1", 12),
        ("wd 0.1.seed0", "wd 0.1", 0),
        ("seed7", "all", 7),
        ("resnet18", "resnet18", None),
        ("tasks3", "tasks3", None),
        ("wd_0.1", "wd_0.1", None),
        ("v2", "v2", None),
        ("3", "3", None),
    ],
)
def test_a_seed_is_split_off_only_where_it_stands_for_itself(name, arm, seed):
    assert split_seed(name) == (arm, seed)


@pytest.mark.parametrize(
    ("label", "by", "arm"),
    [
        ({"arm": "l1", "seed": 3}, [], "l1"),
        ({"seed": 3}, [], "all"),
        ({"arm": "l1", "optimizer.learning_rate": 0.1, "seed": 0}, [], "l1, optimizer.learning_rate=0.1"),
        ({"arm": "l1", "optimizer.learning_rate": 0.3}, ["optimizer.learning_rate"], "optimizer.learning_rate=0.3"),
        ({}, ["optimizer.learning_rate"], "optimizer.learning_rate=0.1"),
        ({}, ["interventions"], "grokfast_ema+l1"),
        ({}, ["interventions.1.kind"], "interventions.1.kind=l1"),
        ({}, ["optimizer"], "sgd"),
        ({}, ["optimizer.momentum", "interventions.7"], "optimizer.momentum=none, interventions.7=none"),
    ],
)
def test_an_arm_is_named_after_what_sets_it_apart(label, by, arm):
    assert arm_of(label, SPEC, by) == arm


def test_settings_are_told_in_a_word():
    assert [text_of(value) for value in ([], None, True, 0.1, "x", {"a": {"b": 1}})] == [
        "none", "none", "true", "0.1", "x", "a=b=1",
    ]  # fmt: skip


def test_names_are_shortened_only_while_they_differ():
    twins = ["interventions.0.strength=1", "interventions.1.strength=1"]
    assert list(short_names(twins).values()) == twins
    assert short_names(["l1, optimizer.learning_rate=0.5", "ema 0.9"]) == {
        "l1, optimizer.learning_rate=0.5": "l1, learning_rate=0.5",
        "ema 0.9": "ema 0.9",
    }


@pytest.mark.parametrize(
    ("value", "wanted", "is_meant"),
    [
        (4, "0..3", False),
        (0, "0..3", True),
        ("4", "0..9", False),
        (0.1, "0.1", True),
        (1, "0,1", True),
        ("b", "a,c", False),
    ],
)
def test_a_restriction_is_a_range_a_list_or_a_value(value, wanted, is_meant):
    assert is_wanted(value, wanted) == is_meant


def test_a_restriction_without_a_value_is_refused():
    assert restrictions(["seed=0", "seed=1", "arm=a=b"]) == {"seed": ["0", "1"], "arm": ["a=b"]}
    with pytest.raises(SpecError, match="expected KEY=VALUE"):
        restrictions(["seed"])
