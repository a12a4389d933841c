"""Stopping rules in a run: what they remember is in its checkpoints, and a resumed run ends where the whole one did."""

from __future__ import annotations

import pytest

from engine.tiny import MLP, begin, live, tiny
from latebloom.base.errors import StoreError
from latebloom.engine import pack, unpack

RULES = {
    "patient": {"kind": "patient", "times": 3},
    "on_degradation": {"kind": "on_degradation", "for_evaluations": 3},
    "collapsed": {"kind": "collapsed", "for_evaluations": 3},
    "any_of": {"kind": "any_of", "rules": [{"kind": "collapsed"}, {"kind": "patient", "times": 3}]},
}


@pytest.mark.parametrize("kind", RULES)
def test_a_run_cut_in_two_ends_at_the_same_step_for_the_same_reason(kind):
    spec = tiny(
        model=MLP,
        batch={"size": None},
        steps=150,
        evaluation={"every": 3},
        stopping=RULES[kind],
        checkpoints={"best": []},
    )
    whole = live(spec, begin(spec))[-1]
    first = begin(spec)
    live(spec, first, until=20)
    again = live(spec, unpack(spec, spec.task.split(spec.seed), pack(first)))[-1]
    assert (again.step, again.reason) == (whole.step, whole.reason)


def test_patience_ends_a_run_that_memorizes_before_its_last_step():
    """Control: the rule above does end something."""
    spec = tiny(model=MLP, batch={"size": None}, steps=150, evaluation={"every": 3}, stopping=RULES["patient"])
    last = live(spec, begin(spec))[-1]
    assert last.step < 150 and last.reason.startswith(f"right-censored at step {last.step}")


@pytest.mark.parametrize("kind, rule", [("collapsed", ()), ("any_of", ("0.collapsed",))])
def test_a_state_of_the_rule_without_a_part_is_refused_in_words(kind, rule):
    """As an older version wrote it, before the rule learned to read one sign more."""
    spec = tiny(model=MLP, batch={"size": None}, evaluation={"every": 3}, stopping=RULES[kind])
    state = begin(spec)
    live(spec, state, until=9)
    blobs, split = pack(state), spec.task.split(spec.seed)
    assert unpack(spec, split, blobs).stopping == state.stopping
    part = state.stopping
    for name in rule:
        part = part[name]
    del part["gone"]
    with pytest.raises(StoreError, match=r"does not fit the run's spec: part of stopping.* gone is missing$"):
        unpack(spec, split, pack(state))
