"""Each verb on a tiny run: what it prints and where, and how it ends."""

from __future__ import annotations

import json
import re

from .conftest import TINY


def test_run_prints_the_summary_to_stdout_and_plain_progress_to_stderr(trained):
    assert trained.code == 0
    assert trained.out.splitlines()[1] == "INSUFFICIENT DATA" and "Report saved to " in trained.out
    lines = trained.err.splitlines()
    assert lines[0].startswith("run 2") and lines[1] == "first  seed 1: 20 steps"
    assert lines[-1].startswith("step 20/20  ")
    assert "\x1b" not in trained.out + trained.err


def test_list_and_show_tell_of_the_run(latebloom, trained):
    run_id = re.search(r"run (\S+) in", trained.err)[1]
    listed, told = latebloom("list"), latebloom("show", "first")
    assert listed.code == told.code == 0 and listed.err == told.err == ""
    assert run_id in listed.out and "first" in listed.out and f"id       {run_id}" in told.out


def test_json_is_one_object_with_a_schema(here, trained, store, monkeypatch):
    monkeypatch.setenv("LATEBLOOM_STORE", str(store))
    for words in (["list"], ["show"], ["checkpoints", "list"], ["recipes"], ["doctor"]):
        said = here(*words, "--json")
        assert said.code == 0 and json.loads(said.out)["schema"] == 1, words


def test_run_with_json_prints_the_story_and_nothing_else(here, fresh):
    said = here("run", "demo", *TINY, "--json", "--no-report", "--store", fresh)
    assert said.err == "" and json.loads(said.out)["status"] == "finished"


def test_report_prints_the_paths_it_wrote(latebloom, trained, tmp_path):
    said = latebloom("report", "first", "--out", tmp_path)
    assert said.out.splitlines() == [str(tmp_path / name) for name in ("report.html", "curves.png", "curves.svg")]
    assert all((tmp_path / name).stat().st_size for name in ("report.html", "curves.png", "curves.svg"))


def test_checkpoints_are_listed_inspected_and_compared(here, trained, store):
    assert "final" in here("checkpoints", "list", "first", "--store", store).out
    for wanted in ("first", "first@20", "first@2_0", "@20"):
        page = here("checkpoints", "inspect", wanted, "--store", store)
        assert page.code == 0 and "step       20 of 20" in page.out and "model/unembed.weight" in page.out
    assert "has no checkpoint '21'; it has 10, 20\n" in here("checkpoints", "inspect", "@21", "--store", store).err
    assert "verdict" in here("checkpoints", "compare", "first@20", "first", "--store", store).out


def test_a_run_is_rolled_back_and_resumed(here, fresh):
    here("run", "demo", *TINY, "checkpoints.every=10", "--no-report", "--store", fresh)
    branched = here("checkpoints", "rollback", "latest", "10", "steps=25", "--store", fresh)
    assert branched.code == 0 and branched.err.startswith("go on with: latebloom resume ")
    resumed = here("resume", branched.out.strip(), "--no-report", "--store", fresh)
    assert resumed.code == 0 and "step 25/25" in resumed.err
    assert here("resume", "latest", "--steps", "30", "--no-report", "-q", "--store", fresh).err == ""
    shown = json.loads(here("show", "--json", "--store", fresh).out)
    assert shown["step"] == 30 and shown["parent"]["step"] == 10


def test_quiet_says_nothing_but_the_result(here, fresh, tmp_path):
    said = here("run", "demo", *TINY, "-q", "--no-report", "--save-path", tmp_path / "x.png", "--store", fresh)
    assert said.err == "" and f"Plot saved to {tmp_path / 'x.png'}" in said.out
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_the_flags_of_the_program_for_division_and_addition_train_a_mixture(here, fresh):
    words = "--multi_task --task_division 0.5 --task_addition 0.5 --task_subtraction 0.0 --p 5 --train-fraction 0.6"
    words += (
        " --lr 5e-4 --weight_decay 5e-3 --num_steps 20 --batch_size 8 --d_model 8 --nhead 2 --num_layers 1 --seed 43"
    )
    said = here("run", "modular-division", *words.split(), "--json", "--no-report", "--store", fresh)
    spec = json.loads(said.out)["spec"]
    assert list(spec["task"]["parts"]) == ["divide", "add"]
    for name, part in spec["task"]["parts"].items():
        assert part["share"] == 0.5 and part["task"]["operation"] == name
        assert (part["task"]["modulus"], part["task"]["train_fraction"]) == (5, 0.6)
    assert (spec["optimizer"]["learning_rate"], spec["optimizer"]["weight_decay"]) == (5e-4, 5e-3)
    assert (spec["steps"], spec["seed"], spec["batch"]["size"], spec["model"]["width"]) == (20, 43, 8, 8)


def test_doctor_finds_this_machine_fit(latebloom, fresh):
    said = latebloom("doctor", where=fresh)
    assert said.code == 0 and said.out.endswith("This machine is fit to train on.\n")
    column = said.out.index("0.1.0")  # the first line is latebloom's own version
    assert all(line[column - 1] == " " and line[column] != " " for line in said.out.splitlines()[:-1])
    assert list(fresh.iterdir()) == []


def test_no_color_is_obeyed_and_nothing_but_text_reaches_a_pipe(latebloom, trained):
    for words in (["list"], ["run", "--help"]):
        assert "\x1b" not in latebloom(*words, NO_COLOR="1").out + latebloom(*words).out
