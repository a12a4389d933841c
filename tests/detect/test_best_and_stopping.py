import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latebloom.base.component import from_dict
from latebloom.base.errors import SpecError
from latebloom.detect import AfterGeneralization, Best, Never, StoppingRule, replay

values = st.lists(st.one_of(st.floats(), st.sampled_from([0.5, 0.99, 1.0])), max_size=30)


@given(values, st.sampled_from(["lower", "higher"]))
def test_the_best_is_the_first_of_the_best_finite_values(sequence, better):
    state, events = replay(Best(reading="x", better=better), [(i, {"x": value}) for i, value in enumerate(sequence)])
    finite = [value for value in sequence if math.isfinite(value)]
    best = (min if better == "lower" else max)(finite, default=None)
    assert state["value"] == best and events == []
    assert state["step"] == (None if best is None else sequence.index(best))


@pytest.mark.parametrize(
    ("reading", "better"),
    [
        ("val/loss", "lower"), ("val/accuracy", "higher"), ("val/accuracy/divide", "higher"), ("val/r2", "higher"),
        ("val/r2/5-3", "higher"), ("val/spearman", "higher"), ("weight_norm/l2", "lower"),
    ],
)  # fmt: skip
def test_which_direction_is_better_is_known_by_the_name(reading, better):
    assert Best(reading=reading).better == from_dict(Best, {"reading": reading}).better == better
    assert Best(reading=reading, better="lower").better == "lower"


def stop_step(rule, sequence):
    state = rule.init()
    for i, value in enumerate(sequence):
        state, reason = rule.update(json.loads(json.dumps(state, allow_nan=False)), 100 * i, {"val/accuracy": value})
        if reason:
            return 100 * i, reason
    return None


@given(values, st.integers(1, 6))
def test_stopping_waits_for_exactly_so_many_evaluations_in_a_row(sequence, n):
    above = [math.isfinite(value) and value >= 0.99 for value in sequence]
    expected = next((100 * i for i in range(len(above)) if i + 1 >= n and all(above[i + 1 - n : i + 1])), None)
    found = stop_step(AfterGeneralization(for_evaluations=n), sequence)
    assert (found and found[0]) == expected


def test_the_reason_names_the_steps():
    _, reason = stop_step(AfterGeneralization(), [0.5, *[1.0] * 5])
    assert reason == "val/accuracy was at least 0.99 in 5 evaluations in a row, from step 100 to 500"


def test_an_evaluation_without_the_reading_neither_counts_nor_interrupts():
    rule = AfterGeneralization(for_evaluations=2)
    state, _ = rule.update(rule.init(), 0, {"val/accuracy": 1.0})
    state, reason = rule.update(state, 1, {"val/loss": 0.1})
    assert reason is None
    assert rule.update(state, 2, {"val/accuracy": 1.0})[1]


def test_a_recipe_names_a_rule_by_kind():
    assert from_dict(StoppingRule, {"kind": "never"}) == Never()
    assert stop_step(Never(), [1.0] * 50) is None
    with pytest.raises(SpecError, match="after_generalization"):
        from_dict(StoppingRule, {"kind": "after_generalisation"}, "stopping")
