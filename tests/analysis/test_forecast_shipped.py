"""The shipped model is what the committed corpus gives, and keeps its own rules."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from latebloom.analysis.forecast.corpus import read_corpus
from latebloom.analysis.forecast.fit import JUDGED_BY, fit
from latebloom.base.plain import plain
from latebloom.detect.chances import NEVER
from latebloom.detect.forecast import SIGNS, shipped

DATA = Path(__file__).parents[2] / "docs" / "findings" / "data"
CORPUS = DATA / "forecast-corpus.json"


def test_the_model_names_the_corpus_that_is_committed():
    card = shipped().card
    assert card["corpus"]["sha256"] == hashlib.sha256(CORPUS.read_bytes()).hexdigest()
    assert card["elsewhere"] == []


def test_a_horizon_is_told_only_where_tasks_held_out_were_judged_better_than_by_their_rate():
    for kind, comparisons in shipped().card["comparisons"].items():
        for k, one in enumerate(comparisons[JUDGED_BY[0]]):
            is_told = kind in shipped().chances and shipped().chances[kind].oldest_K[k] > NEVER
            assert is_told == (one["skill_95"] is not None and one["skill_95"][0] > 0)


def test_every_run_of_the_corpus_is_of_a_known_configuration_and_was_watched_to_its_budget():
    corpus = read_corpus(CORPUS)
    assert len({run.configuration for run in corpus.runs}) == len(corpus.configurations)
    budgets = [corpus.configurations[run.configuration]["steps"] for run in corpus.runs]
    cut = [run for run, budget in zip(corpus.runs, budgets, strict=True) if run.watched_until != budget]
    assert all(run.watched_until >= run.steps[-1] for run in corpus.runs)
    assert len(cut) < 0.05 * len(corpus.runs)  # those that diverged
    assert all(run.steps[-1] <= run.watched_until < 2500 for run in cut)


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == (pytest.approx(other, rel=1e-6, abs=1e-9) if isinstance(one, float) else other)


@pytest.mark.slow
def test_the_shipped_model_is_what_the_committed_corpus_gives():
    made = plain(fit(read_corpus(CORPUS)).plain())
    told = plain(shipped().plain())
    assert made["chances"].keys() | made["refused"].keys() == set(SIGNS)
    assert same(made["chances"], told["chances"]) and same(made["refused"], told["refused"])
    for name in ("corpus", "elsewhere", "seed"):
        assert same(made["card"][name], told["card"][name])
    for kind, comparisons in told["card"]["comparisons"].items():
        for name, rows in comparisons.items():
            for ours, theirs in zip(made["card"]["comparisons"][kind][name], rows, strict=True):
                assert ours["rows"] == theirs["rows"]
                assert ours["skill"] == (None if theirs["skill"] is None else pytest.approx(theirs["skill"], abs=2e-3))
