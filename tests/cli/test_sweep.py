"""Studies from the command line: the plan first, then runs, and everything said about them afterwards."""

from __future__ import annotations

import json

import pytest

from latebloom.analysis.forecast.corpus import read_corpus

from .conftest import TINY

AXES = ["optimizer.weight_decay=0.1,1", "seed=0..1"]


@pytest.fixture(scope="module")
def swept(latebloom, tmp_path_factory):
    """A study of four tiny runs, as said by `latebloom sweep`, and its store."""
    store = tmp_path_factory.mktemp("swept") / "runs"
    return latebloom("sweep", "demo", *TINY, *AXES, "--name", "tiny", "--workers", 2, where=store), store


def test_the_plan_is_printed_first_and_every_run_last(swept):
    said, _ = swept
    assert said.code == 0, said.err
    assert said.err.splitlines()[:3] == [
        "study tiny: 4 runs",
        "  optimizer.weight_decay: 0.1, 1   (2)",
        "  seed: 0, 1   (2)",
    ]
    assert said.out.count("weight_decay=0.1 seed=") == 2 and "study tiny: 4 of 4 finished" in said.out
    assert "\x1b" not in said.out + said.err


def test_the_same_command_trains_nothing_again(here, swept):
    _, store = swept
    before = sorted(store.glob("2*/journal.jsonl")), [p.read_bytes() for p in sorted(store.glob("2*/journal.jsonl"))]
    said = here("sweep", "demo", *TINY, *AXES, "--name", "tiny", "--json", "-q", "--store", store)
    assert said.code == 0 and json.loads(said.out)["finished"] == 4 and said.err == ""
    assert before == (sorted(store.glob("2*/journal.jsonl")), [p.read_bytes() for p in before[0]])


def test_some_runs_of_the_plan_come_first(here, tmp_path):
    told = [
        "sweep",
        "demo",
        *TINY,
        *AXES,
        "--name",
        "parts",
        "--only",
        "seed=1",
        "--only",
        "optimizer.weight_decay=0.1",
    ]
    said = here(*told, "--dry-run", "--store", tmp_path)
    assert said.code == 0 and "1 run\n" in said.out and "weight_decay=0.1 seed=1" in said.out
    said = here(*told, "--store", tmp_path)
    assert said.code == 0 and "study parts: 1 of 1 finished; 3 more are planned" in said.out, said.err
    assert said.err.splitlines()[3] == "  now 1 of them: seed=1, optimizer.weight_decay=0.1"
    shown = here("study", "show", "parts", "--store", tmp_path).out
    assert (shown.count("finished"), shown.count("waiting")) == (1, 3)


def test_another_study_of_the_same_name_is_refused(here, swept):
    _, store = swept
    said = here("sweep", "demo", *TINY, "seed=0..1", "--name", "tiny", "--store", store)
    assert said.code == 5 and "has 2 runs that are not in this plan" in said.err


def test_a_study_is_shown_listed_and_exported(here, swept, tmp_path):
    _, store = swept
    shown = here("study", "show", "tiny", "--store", store)
    assert shown.code == 0 and shown.out.count("finished") == 4
    assert "tiny, 4 of 4 runs finished" in here("study", "--store", store).out
    assert json.loads(here("study", "--json", "--store", store).out)["studies"] == [
        {"name": "tiny", "runs": 4, "finished": 4}
    ]
    first = here("study", "--store", store, "--json", "show", "tiny")  # options of the group hold for its verbs
    assert first.code == 0 and first.out == here("study", "show", "tiny", "--json", "--store", store).out
    assert here("study", "export", "tiny", "-o", tmp_path / "tiny.json", "--store", store).code == 0
    published = json.loads((tmp_path / "tiny.json").read_text())
    assert len(published["runs"]) == 4 and published["spec"]["task"]["modulus"] == 5
    assert "val/loss" not in published["runs"][0]["readings"]
    more = here("study", "export", "tiny", "-o", tmp_path / "more.json", "--reading", "val/loss", "--store", store)
    assert more.code == 0 and "val/loss" in json.loads((tmp_path / "more.json").read_text())["runs"][0]["readings"]
    unknown = here("study", "show", "tinny", "--store", store)
    assert unknown.code == 5 and "Did you mean 'tiny'?" in unknown.err


def test_runs_of_a_study_are_one_line_among_the_others(here, swept, tmp_path):
    _, store = swept
    told = here("list", "--store", store).out
    assert told == "study tiny: 4 runs begun, 4 finished  (latebloom study show tiny)\n"
    assert here("list", "--store", store, "--all").out.count("finished") == 4
    rows = json.loads(here("list", "--store", store, "--json").out)["runs"]
    assert [row["study"] for row in rows] == ["tiny"] * 4
    assert "study" not in here("list", "--store", tmp_path / "empty").out


def test_the_phases_of_a_study_are_told_and_drawn(here, latebloom, tmp_path):
    store = tmp_path / "runs"
    axes = ["optimizer.weight_decay=0.1,1", "task.train_fraction=0.5,0.7"]
    assert latebloom("sweep", "demo", *TINY, *axes, "--name", "grid", "-q", where=store).code == 0
    said = here("phases", "grid", "--store", store)
    assert said.code == 0 and said.out.startswith("task.train_fraction down, optimizer.weight_decay across")
    assert (store / "studies/grid/phases/phases.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(here("phases", "grid", "--json", "--x", "task.train_fraction", "--store", store).out)
    assert told["x_key"] == "task.train_fraction" and len(told["cells"]) == 4
    assert here("study", "export", "grid", "-o", tmp_path / "grid.json", "--store", store).code == 0
    published = here("phases", tmp_path / "grid.json")
    assert published.code == 0 and published.out == said.out.partition(str(store))[0]
    assert here("phases", tmp_path / "grid.json", "--out", tmp_path / "drawn").code == 0
    assert (tmp_path / "drawn/phases.svg").exists()


def test_one_axis_is_no_diagram(here, swept):
    _, store = swept
    said = here("phases", "tiny", "--store", store)
    assert said.code == 2 and "a diagram needs two axes" in said.err


def test_a_dry_run_prints_every_run_and_writes_nothing(here, fresh):
    said = here("sweep", "demo", "optimizer.weight_decay=log(0.01,1,3)", "seed=0..1", "--dry-run", "--store", fresh)
    assert said.code == 0 and "weight_decay=0.01 seed=0" in said.out and "     6  weight_decay=1 seed=1" in said.out
    assert not fresh.exists()
    named = here("study", "run", "grokfast-l1-s5", "seed=0", "--dry-run", "--json", "--store", fresh)
    assert [run["label"]["arm"] for run in json.loads(named.out)["runs"]] == [
        "baseline",
        "l1",
        "ema",
        "ma",
        "l1+ema",
        "l1+ma",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["modular-divison", "seed=0..3"],
            "'modular-divison' is no study and no recipe. Did you mean 'modular-division'?",
        ),
        (["demo", "seed=3..0"], "runs downwards; write 0..3"),
        (["demo", "optimizer.weight_deacy=0.1,1"], "optimizer.weight_deacy is unknown. Did you mean 'weight_decay'?"),
        (["demo", "optimizer.weight_decay=0.1..0.5"], "lin(0.1,0.5,5)"),
        (["demo", "seed=0..2", "task.modulus=96"], "needs a prime modulus"),
        (["demo", "zip(seed=1,2; steps=10,20,30)"], "seed has 2, steps has 3"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_before_anything_runs(here, fresh, words, told):
    said = here("sweep", *words, "--store", fresh)
    assert said.code == 2 and told in said.err and not fresh.exists(), said.err


def test_a_study_file_is_a_study_with_the_numbers_of_its_lines(here, tmp_path):
    text = "recipe: demo\nsettings: {steps: 20}\narms:\n  plain: {}\n  filtered: {interventions: [grokfast_emma]}\n"
    (tmp_path / "study.yaml").write_text(text + "axes: {seed: 0..1}\n")
    said = here("sweep", tmp_path / "study.yaml", "--dry-run")
    assert said.code == 2 and "Did you mean 'grokfast_ema'?" in said.err and "study.yaml:5" in said.err
    (tmp_path / "study.yaml").write_text(text.replace("emma", "ema") + "axes: {seed: 0..1}\n")
    assert "     4  arm=filtered seed=1" in here("sweep", tmp_path / "study.yaml", "--dry-run").out


def test_event_files_are_written_where_they_were_asked_for(here, fresh, tmp_path):
    said = here("run", "demo", *TINY, "--no-report", "-q", "--tensorboard", tmp_path / "tb", "--store", fresh)
    assert said.code == 0
    from latebloom.store.tensorboard import find_runs, read_scalars

    (folder,) = find_runs(tmp_path / "tb").values()
    curves = read_scalars(folder).curves
    assert list(curves["Accuracy/val"].steps) == [0, 10, 20]
    assert {"Loss/train", "Loss/val", "Accuracy/train", "Learning_rate", "weight_norm/l2"} <= set(curves)


def test_a_study_becomes_a_corpus_of_configurations(here, swept, tmp_path):
    _, store = swept
    out = tmp_path / "corpus.json"
    said = here("forecast", "collect", "tiny", "--out", out, "--store", store)
    assert said.code == 0 and str(out) in said.out, said.err
    read = read_corpus(out)
    assert len(read.runs) == 4 and len(read.configurations) == 2  # the seed makes no other configuration
    assert read.runs[0].steps == [0, 10, 20] and read.runs[0].watched_until == 20
    assert read.runs[0].task == "modular divide"
    refused = here("forecast", "fit", out, "--out", tmp_path / "none.json")
    assert refused.code == 0 and "20 are needed" in refused.out
