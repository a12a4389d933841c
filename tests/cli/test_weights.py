"""Weights of other runs from the command line, tried out before anything is trained."""

from __future__ import annotations

import json

import pytest
import yaml

from .conftest import TINY


@pytest.fixture
def dry(here, store, trained):
    """A dry run of `latebloom run demo` or `sweep demo` beside the run `first`."""
    assert trained.code == 0, trained.err
    return lambda verb, *words: here(verb, "demo", *TINY, *words, "--dry-run", "--store", store)


def test_a_dry_run_says_which_weights_are_meant(dry, store):
    told = dry("run", "weights=[first@20]")
    assert told.code == 0, told.err
    [meant] = yaml.safe_load(told.out)["weights"]
    assert (store / meant["run"] / "run.json").exists() and meant["step"] == 20 and len(meant["sha256"]) == 64
    assert yaml.safe_load(dry("run").out)["weights"] == []


@pytest.mark.parametrize("verb", ["run", "sweep"])
@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("weights=[frist]", "SpecError: weights[0]: There is no run 'frist'"),
        ("weights=[first@21]", "has no checkpoint 21; it has: "),
        ("weights=first", "SpecError: weights = 'first'; expected a list"),
    ],
)
def test_weights_that_are_not_there_are_refused_before_anything_is_trained(dry, verb, word, problem):
    told = dry(verb, word)
    assert told.code == 2 and problem in told.err and "Traceback" not in told.err


def test_the_plan_of_a_sweep_tells_weights_apart(dry):
    told = dry("sweep", "weights=[],[first],[{run: first, step: 20}]", "--json")
    assert told.code == 2 and "two runs of the plan start from the same weights" in told.err
    told = dry("sweep", "weights=[],[first]", "--json")
    assert [run["label"] for run in json.loads(told.out)["runs"]] == [{"weights": "none"}, {"weights": "first"}]
