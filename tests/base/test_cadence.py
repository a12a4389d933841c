"""A cadence against its definition: the set of its steps, listed one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latebloom.base.cadence import Cadence
from latebloom.base.component import from_dict
from latebloom.base.errors import SpecError

LAST = 3000


def steps_by_definition(every, per_decade, at):
    steps = {0, *at}
    if every is not None:
        steps |= set(range(0, LAST + 1, every))
    if per_decade is not None:
        k = 0
        while (step := round(10 ** (k / per_decade))) <= LAST:
            steps.add(step)
            k += 1
    return {step for step in steps if step <= LAST}


@given(
    every=st.none() | st.integers(1, 500),
    per_decade=st.none() | st.integers(1, 1000),
    at=st.lists(st.integers(0, LAST), max_size=5).map(tuple),
)
def test_due_says_yes_at_exactly_the_steps_of_the_definition(every, per_decade, at):
    if every is None and per_decade is None and not at:
        return
    cadence = Cadence(every=every, per_decade=per_decade, at=at)
    assert {step for step in range(LAST + 1) if cadence.due(step)} == steps_by_definition(every, per_decade, at)


def test_three_per_decade_are_the_steps_of_a_slide_rule():
    due = [step for step in range(1, 1001) if Cadence(per_decade=3).due(step)]
    assert due == [1, 2, 5, 10, 22, 46, 100, 215, 464, 1000]


def test_a_cadence_that_never_comes_is_refused_with_an_example():
    with pytest.raises(SpecError, match=r"needs `every`, `per_decade` or `at`, e\.g\. \{every: 100\}"):
        from_dict(Cadence, {})
