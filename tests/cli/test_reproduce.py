"""Claims from the command line: listed, judged, as a page, as a file that can be judged again."""

from __future__ import annotations

import json
import re

import pytest

from latebloom.analysis.claims import claims_of
from latebloom.lab import run
from latebloom.recipes import STUDIES, claims, names
from latebloom.spec import plan, read_recipe, study_named
from latebloom.store import Store

from .conftest import TINY

CLAIMS = """
  - {kind: value, says: It learns <fast>., source: me, reading: train/loss, at: 20, at_most: 10}
  - {kind: reaches, says: It groks., source: me, reading: val/accuracy, at_least: 0.95, step: 1000, because: Ours.}
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A recipe with claims, and a store with its run."""
    folder = tmp_path_factory.mktemp("reproduce")
    settings = "".join(f"  {one.replace('=', ': ')}\n" for one in TINY)
    (folder / "tiny.yaml").write_text(f"about: {{title: Tiny}}\nrecipe: demo\nsettings:\n{settings}claims: {CLAIMS}")
    (trial,) = plan(study_named(str(folder / "tiny.yaml")))
    run(trial.spec, store=folder / "runs")
    return folder


def test_it_tells_claim_by_claim(judged, here):
    said = here("reproduce", judged / "tiny.yaml", "--store", judged / "runs")
    assert said.code == 0, said.err
    assert said.out.startswith("Tiny\n")
    assert re.search(
        r"^HELD +It learns <fast>\.\n +published  at most 10 at step 20   \[me\]\n +found +\d", said.out, re.M
    )
    assert re.search(r"^NOT TESTABLE HERE +It groks\.", said.out, re.M) and "limits     Ours." in said.out
    assert "2 claims: 1 held, 1 not testable here\nfrom 1 run, seed 1, watched until step 20\n" in said.out
    assert len(Store(judged / "runs").runs()) == 1 and "\x1b" not in said.out


@pytest.mark.slow  # seconds for a worker that loads torch
def test_what_is_missing_is_trained_first(judged, latebloom, tmp_path):
    said = latebloom("reproduce", judged / "tiny.yaml", "--seeds", "0..1", "--workers", 1, where=tmp_path / "runs")
    assert said.code == 0 and said.err.startswith("study demo-") and "from 2 runs, seeds 0 to 1" in said.out
    assert len(Store(tmp_path / "runs").runs()) == 2


def test_the_same_again_trains_nothing_and_can_be_a_page_or_json(judged, here):
    folder = judged
    words = ["reproduce", folder / "tiny.yaml", "--store", folder / "runs"]
    page = here(*words, "--no-train", "-o", folder / "tiny.html")
    assert page.code == 0 and len(Store(folder / "runs").runs()) == 1
    text = (folder / "tiny.html").read_text()
    assert "It learns &lt;fast&gt;." in text and "not testable here" in text and "<script" not in text
    told = json.loads(here(*words, "--json").out)
    assert [one["verdict"] for one in told["judged"]] == ["held", "not testable here"] and told["runs"][0]["seed"] == 1
    assert here(*words, "--dry-run").out.startswith("study demo-") and here(*words, "--dry-run").out.count("\n") == 1


def test_a_file_is_judged_again_without_the_runs(judged, here, tmp_path):
    said = here("reproduce", judged / "tiny.yaml", "--store", judged / "runs", "-o", tmp_path / "tiny.json")
    again = here("reproduce", tmp_path / "tiny.json", "--store", tmp_path / "none")
    assert again.code == 0 and again.out == said.out


def test_what_can_be_reproduced_is_listed_without_a_word(here):
    listed = here("reproduce")
    assert listed.code == 0 and "deep-grokking-sizes\n" in listed.out and "(see deep-grokking-sizes)" in listed.out
    rows = json.loads(here("reproduce", "--json").out)["reproducible"]
    assert {"omnigrok-mnist", "deep-grokking", "anti-grokking"} <= {row["name"] for row in rows}


def test_sizes_seeds_and_steps_are_short_for_settings(here, tmp_path):
    words = ["reproduce", "deep-grokking", "--sizes", "2000,7000", "--seeds", "0..1", "--max-steps", 500, "--dry-run"]
    planned = here(*words, "--store", tmp_path / "none")
    assert planned.out.splitlines()[0].endswith(": 4 runs") and "train_size=7000 seed=1" in planned.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["demo"], 2, "SpecError: nobody claims anything of 'demo'; expected `claims:` in it."),
        (["deep-groking"], 2, "SpecError: 'deep-groking' is no study and no recipe. Did you mean 'deep-grokking'?"),
        (["omnigrok-mnist", "--max-steps", "0"], 2, "Error: Invalid value for '--max-steps'"),
        (["omnigrok-mnist", "--no-train", "-o", "x.pdf"], 2, "SpecError: out = 'x.pdf'; expected a name that ends in"),
        (["nothing.json"], 5, "DamageError: nothing.json is missing."),
    ],
)
def test_wrong_words_get_a_line_that_helps(here, tmp_path, words, code, message):
    said = here("reproduce", *words, "--store", tmp_path / "none")
    assert said.code == code and any(line.startswith(message) for line in said.err.splitlines()), said.err
    assert not (tmp_path / "none").exists()


SHIPPED = [(name, kind) for kind in ("", STUDIES) for name in names(kind) if claims(name, kind)]


@pytest.mark.parametrize(("name", "kind"), SHIPPED)
def test_every_shipped_claim_is_valid_says_where_it_is_from_and_is_about_a_planned_run(name, kind):
    source = study_named(name) if kind else read_recipe(name)
    if isinstance(source.claims, str):
        assert source.claims in names(STUDIES)
        return
    specs = [trial.spec.model_dump() for trial in plan(study_named(name))]
    made = claims_of(source.claims, source.lines)
    assert len({one.says for one in made}) == len(made)
    for one in made:
        assert one.says.endswith(".") and re.search(r"arXiv:\d{4}\.\d{5}|README|public project", one.source), one.says
        assert any(
            all(_value(spec, k) in (v if isinstance(v, list) else [v]) for k, v in one.where.items()) for spec in specs
        )
        assert max(_steps(one.model_dump()), default=0) <= max(spec["steps"] for spec in specs), one.says


def _value(spec, key):
    for word in key.split("."):
        spec = spec[word]
    return spec


def _steps(fields):
    return [fields[key] for key in ("at", "since", "until", "step", "by", "not_by") if isinstance(fields.get(key), int)]
