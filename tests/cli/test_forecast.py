"""Chances from the command line: the shipped card, and a model from one's own runs, from sweep to diagnosis."""

from __future__ import annotations

import json
import math

import pytest

from analysis.forecast_corpus import corpus
from latebloom.analysis.forecast import corpus as corpora


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A corpus file of runs that were made up."""
    made, path = corpus(60, 1), tmp_path_factory.mktemp("forecast") / "corpus.json"
    runs = [
        {"configuration": r.configuration, "study": r.study, "run": "", "seed": r.seed}
        | {"watched_until": r.watched_until, "steps": r.steps, "readings": r.readings}
        for r in made.runs
    ]
    settings = [{"task": {"kind": "made"}} for _ in made.configurations]
    head = {"kind": corpora.KIND, "schema": 1, "command": "made", "exported_at": "today", "environments": [{}]}
    path.write_text(json.dumps({**head, "configurations": settings, "runs": runs}))
    return path


@pytest.fixture(scope="module")
def rising(tmp_path_factory):
    """A log that has memorized, and whose validation rises."""
    path = tmp_path_factory.mktemp("log") / "metrics.csv"
    rows = ["step,train_acc,val_acc,train_loss,val_loss"]
    for step in range(0, 301, 10):
        late = math.log(max(step, 40) / 40) / math.log(500 / 40)
        rows.append(
            f"{step},{1.0 if step >= 50 else 0.1},{0.02 + 0.9 * late},{0.02 if step else 3},{3 * (1 - 0.9 * late)}"
        )
    path.write_text("\n".join(rows))
    return path


def test_the_shipped_card_says_what_the_chances_are_worth(here):
    said = here("forecast", "show")
    assert said.code == 0, said.err
    assert "Calibrated on" in said.out and "unseen tasks" in said.out and "AUROC" in said.out
    told = json.loads(here("forecast", "show", "--json").out)
    assert told["corpus"]["studies"] and told["comparisons"]


def test_a_model_from_ones_own_runs_judges_a_log(here, written, rising, tmp_path):
    out = tmp_path / "mine.json"
    said = here("forecast", "fit", written, "--out", out)
    assert said.code == 0 and "Calibrated on 60 runs of 60 configurations (made)" in said.out, said.err
    told = here("diagnose", rising, "--forecast", out)
    assert told.code == 0 and "chance of generalizing\n  by step 600, 2 times as far as now: " in told.out, told.err
    chances = json.loads(here("diagnose", rising, "--forecast", out, "--json").out)["forecast"]["chances"]
    ps = [one["probability"] for one in chances if one["probability"] is not None]
    assert ps and ps == sorted(ps) and ps[0] > 0.3
    page = tmp_path / "page.html"
    assert here("diagnose", rising, "--forecast", out, "--plot", page).code == 0
    assert "Chance of generalizing" in page.read_text() and "by step 600" in page.read_text()


def test_what_is_no_model_and_no_corpus_is_refused(here, rising, tmp_path):
    (tmp_path / "other.json").write_text('{"kind": "latebloom study"}')
    assert "is no forecast model" in here("diagnose", rising, "--forecast", tmp_path / "other.json").err
    assert "is no forecast corpus" in here("forecast", "fit", tmp_path / "other.json").err
    assert "is not JSON" in here("forecast", "fit", rising).err
