"""latebloom measures: the list is the table's, and a reading at a checkpoint is what the run itself logged there."""

from __future__ import annotations

import json

import pytest

from latebloom import lab
from latebloom.measures import MEASURES, LocalLearningCoefficient

SETTINGS = [
    *("task.modulus=5", "steps=20", "evaluation.every=10", "batch.size=6", "model={kind: mlp, width: 12}"),
    "measures=[{kind: evaluation}, {kind: gradient_norm}, {kind: sharpness, cadence: {every: 10}}]",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A store with one run that has a checkpoint at 20."""
    root = tmp_path_factory.mktemp("runs")
    lab.run("demo", SETTINGS, store=root, name="watched")
    return root


def test_every_measure_is_listed_with_its_readings_source_and_cost(here, monkeypatch):
    monkeypatch.setattr(LocalLearningCoefficient, "read", lambda self, view: {})  # 600 passes there and back
    said = here("measures", "--json")
    rows = {row["kind"]: row for row in json.loads(said.out)["measures"]}
    assert said.code == 0 and list(rows) == list(MEASURES)
    assert all(row["what"].endswith(".") and "`" in row["readings"] for row in rows.values())
    assert "arXiv:2402.15555" in rows["local_complexity"]["source"] and "2301.05217" in rows["fourier"]["source"]
    assert rows["sharpness"]["forward_passes"] > rows["evaluation"]["forward_passes"] > 0
    assert rows["gate_usage"]["forward_passes"] is None, "a perceptron has no gate, so nothing was timed"


@pytest.mark.parametrize("kind", ["gradient_norm", "sharpness", "evaluation"])
def test_a_reading_at_a_checkpoint_is_what_the_run_logged_there(here, runs, kind):
    said = here("measures", "watched@20", kind, "--json", "--store", runs)
    answer = json.loads(said.out)
    assert said.code == 0 and answer["step"] == 20 and answer["forward_passes"] > 0
    curves = lab.Run(lab.run.__globals__["Store"](runs).find("watched")).curves
    assert answer["readings"] == {name: pytest.approx(curves[name].values[-1]) for name in answer["readings"]}


def test_settings_count_and_the_newest_checkpoint_is_meant(here, runs):
    few, many = (here("measures", "latest", "sharpness", f"iterations={n}", "--store", runs) for n in (1, 40))
    assert few.code == many.code == 0 and few.out != many.out and "sharpness/top" in few.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["watched"], "which one? e.g."),
        (["watched@20", "sharpnes"], "Did you mean 'sharpness'"),
        (["watched@20", "sharpness", "iterations=0"], "iterations"),
        (["watched@19", "sharpness"], "has no checkpoint '19'; it has"),
        (["nobody", "sharpness"], "nobody"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(here, runs, words, said):
    answer = here("measures", *words, "--store", runs)
    assert answer.code in (2, 5) and said in answer.err and "Traceback" not in answer.err
