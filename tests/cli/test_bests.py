"""Several bests at once, and the way back to one that was lost: the printed command is followed to the letter."""

from __future__ import annotations

import hashlib
import json
import shlex

import pytest

from engine.tiny import tiny
from latebloom import lab
from latebloom.store import Store

# Learned within 20 steps; then weight decay times a learning rate that keeps rising takes all of it.
LOSES = {
    "task": {"kind": "parity", "bits": 8, "subset_size": 1, "train_fraction": 0.5},
    "model": {"kind": "mlp", "width": 48},
    "optimizer": {"kind": "adamw", "learning_rate": 0.3, "weight_decay": 3.0},
    "schedule": {"kind": "warmup", "steps": 400},
    "batch": {"size": None},
    "steps": 200,
    "evaluation": {"every": 4},
    "checkpoints": {
        "every": 100,
        "best": [
            {"reading": "val/loss"},
            {"reading": "val/accuracy", "better": "higher"},
            {"reading": "weight_norm/l2"},
        ],
    },
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    lab.run(tiny(**LOSES), store=folder, name="loses")
    return folder


@pytest.fixture
def call(here, root, monkeypatch):
    monkeypatch.setenv("LATEBLOOM_STORE", str(root))
    return here


def contents(folder):
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def test_every_best_is_named_with_what_is_kept_of_it(call, root):
    told = json.loads(call("checkpoints", "best", "loses", "--json").out)
    stored = Store(root).find("loses")
    saved = {one.step: one.readings for one in stored.checkpoints()}
    assert [one["reading"] for one in told["bests"]] == ["val/loss", "val/accuracy", "weight_norm/l2"]
    for one in told["bests"]:
        values = stored.curves()[one["reading"]].values
        assert one["value"] == (values.max() if one["better"] == "higher" else values.min())
        assert saved[one["checkpoint_step"]][one["reading"]] == one["value"] == one["checkpoint_value"]
    assert len({one["checkpoint_step"] for one in told["bests"]}) == 3
    assert [one["reading"] for one in told["bests"] if one["is_lost"]] == ["val/accuracy"]


@pytest.mark.parametrize("words", [("checkpoints", "best", "loses"), ("show", "loses")])
def test_following_the_printed_command_goes_back_and_leaves_the_run_as_it_was(call, root, words):
    said = call(*words)
    command = next(line for line in said.out.splitlines() if "latebloom resume" in line)
    assert "val/accuracy was 100% at step" in command
    program, *rest = shlex.split(command[command.index("latebloom resume") :])
    lost = Store(root).find("loses")
    before = contents(lost.path)
    went = call(*rest, "--json", "--no-report")
    assert program == "latebloom" and went.code == 0
    new = Store(root).find(json.loads(went.out)["id"])
    step = int(rest[rest.index("--from") + 1])
    assert contents(lost.path) == before
    assert new.parent == {"run": lost.id, "step": step} and new.status == "finished"
    assert new.spec["optimizer"]["learning_rate"] == pytest.approx(0.1)
    old, now = dict(lost.records()), dict(new.records())
    assert all(now[s] == old[s] for s in old if s <= step) and now[step + 4] != old[step + 4]
    assert now[200]["val/accuracy"] > old[200]["val/accuracy"]


def test_a_run_that_lost_nothing_is_offered_no_way_back(call, root, tmp_path):
    lab.run(tiny(**LOSES | {"steps": 60}), store=tmp_path, name="holds")
    said = call("checkpoints", "best", "holds", "--store", tmp_path)
    assert said.code == 0 and "val/accuracy" in said.out and "resume" not in said.out


def test_settings_without_a_checkpoint_to_start_from_are_refused(call):
    said = call("resume", "loses", "optimizer.learning_rate=0.1")
    assert said.code == 2 and "--from STEP" in said.err
    assert "has no checkpoint of step 17" in call("resume", "loses", "--from", 17).err
