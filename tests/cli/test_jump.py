"""latebloom jump: a run's jump, or a file that tells of one; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.tiny import MLP, tiny
from latebloom import lab

TOLD = Path(__file__).parents[2] / "docs" / "findings" / "data" / "train-loss-jump.json"


@pytest.fixture(scope="module")
def leaps(tmp_path_factory):
    root = tmp_path_factory.mktemp("leaps")
    sgd = {"kind": "sgd", "learning_rate": 2.0}
    spec = tiny(
        model=MLP,
        steps=90,
        optimizer=sgd,
        batch={"size": None},
        evaluation={"every": 4},
        checkpoints={"every": None, "best": []},
    )
    lab.run(spec, store=root, name="leaps")
    return root


def test_a_run_is_explained_as_text_and_as_json(here, leaps):
    said = here("jump", "leaps", "--store", leaps)
    assert said.code == 0 and said.out.startswith("train/loss jumped from ") and "(g) refuted" in said.out
    assert "once more" in said.err
    told = json.loads(here("jump", "leaps", "--store", leaps, "--json").out)
    assert [finding["letter"] for finding in told["findings"]] == list("abcdefg")
    assert told["replay"]["different"] == 0 and told["replay"]["compared"] > 0


def test_what_json_said_is_told_again_and_drawn(here, tmp_path):
    figure = tmp_path / "jump.png"
    said = here("jump", TOLD, "--plot", figure)
    assert said.code == 0 and "SURVIVES" in said.out and "Adam eps" in said.out
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_explained_is_refused_with_what_to_do(here, leaps, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    assert "is not between the readings" in here("jump", "leaps", "--step", 99999, "--store", leaps).err
    assert "no explanation of a jump" in here("jump", tmp_path / "other.json").err
    assert "--plot writes .png or .svg" in here("jump", TOLD, "--plot", tmp_path / "x.gif").err
    assert here("jump", "nobody", "--store", leaps).code == 5
