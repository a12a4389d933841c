import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latebloom.detect import Crossing, follow, replay

values = st.lists(st.sampled_from([0.0, 0.5, 0.95, 1.0, math.nan, math.inf]), max_size=30)
windows = st.tuples(st.integers(1, 7), st.sampled_from([0.2, 0.5, 0.6, 0.8, 1.0]))


def crossing(window=5, share=0.8):
    return Crossing(event="generalized", reading="val/accuracy", at_least=0.95, window_evaluations=window, share=share)


def records(sequence):
    return [(10 * (i + 1), {"val/accuracy": value}) for i, value in enumerate(sequence)]


def by_definition(sequence, window, share):
    """(i, j): the earliest i above whose window is known at j to be above often enough; None if there is none."""
    above = [math.isfinite(value) and value >= 0.95 for value in sequence]
    for i in range(len(above)):
        for j in range(i, min(i + window, len(above))):
            if above[i] and sum(above[i : j + 1]) / window >= share - 1e-9:
                return i, j
    return None


@given(values, windows)
def test_the_online_crossing_is_the_one_of_the_definition(sequence, window_share):
    _, events = replay(crossing(*window_share), records(sequence))
    expected = by_definition(sequence, *window_share)
    assert [(event.step, event.known_at) for event in events] == (
        [] if expected is None else [(10 * (expected[0] + 1), 10 * (expected[1] + 1))]
    )


@given(values, windows)
def test_a_possible_crossing_is_the_one_that_would_be_confirmed_were_all_that_follows_above(sequence, window_share):
    detector = crossing(*window_share)
    state, events = replay(detector, records(sequence))
    first, _ = by_definition([*sequence, *[1.0] * 7], *window_share)
    expected = None if events or first >= len(sequence) else 10 * (first + 1)
    found = detector.possible(state)
    assert (found and found["step"]) == expected
    if found:
        assert found["known_at"] == 10 * len(sequence) and found["previous_step"] == (10 * first or None)


@given(values, windows, st.integers(0, 30))
def test_saving_the_state_as_json_at_any_point_changes_nothing(sequence, window_share, at):
    detector = crossing(*window_share)
    whole, _ = replay(detector, records(sequence))
    state = detector.init()
    for i, (step, readings) in enumerate(records(sequence)):
        if i == at:
            state = json.loads(json.dumps(state, allow_nan=False))
        state, _ = detector.update(state, step, readings)
    assert state == whole


@given(values)
def test_update_leaves_the_state_it_was_given_as_it_was(sequence):
    detector, state = crossing(), crossing().init()
    for step, readings in records(sequence):
        before = json.dumps(state)
        after, _ = detector.update(state, step, readings)
        assert json.dumps(state) == before
        state = after


def test_the_event_says_between_which_evaluations_it_happened():
    _, (event,) = replay(crossing(), records([0.1, 0.2, 0.96, 0.97, 0.5, 0.98, 0.99]))
    assert (event.step, event.known_at, event.kind) == (30, 70, "generalized")
    assert event.evidence == {
        "reading": "val/accuracy",
        "at_least": 0.95,
        "value": 0.96,
        "evaluations_above": 4,
        "evaluations_seen": 5,
        "previous_step": 20,
    }


@pytest.mark.parametrize("spikes", [1, 2, 3])
def test_spikes_shorter_than_the_rule_are_no_crossing(spikes):
    sequence = [0.1] * 10 + [1.0] * spikes + [0.1] * 10
    assert replay(crossing(), records(sequence))[1] == []


def test_an_evaluation_without_the_reading_is_none_but_a_nan_counts_against():
    holes = records([1.0, 1.0, 1.0, 1.0])
    sparse = [one for pair in ((r, (r[0] + 5, {"train/loss": 1.0})) for r in holes) for one in pair]
    assert len(replay(crossing(), sparse)[1]) == 1
    assert replay(crossing(), records([1.0, math.nan, 1.0, math.nan, 1.0]))[1] == []


def test_the_size_of_the_state_does_not_grow():
    sizes = [len(json.dumps(state)) for _, state, _ in follow(crossing(), records([0.5] * 2000))]
    assert max(sizes[100:]) <= max(sizes[:100]) + 20  # more digits in the counters


def test_control_a_rule_without_a_window_is_noticed_by_the_definition():
    spike = [0.1, 1.0, 0.1, 0.1, 0.1, 0.1]
    assert len(replay(crossing(window=1), records(spike))[1]) == 1
    assert by_definition(spike, 5, 0.8) is None
