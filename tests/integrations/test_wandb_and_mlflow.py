"""The real trackers: what their own libraries read of a run of ours, without a network."""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import latebloom
from engine.tiny import DECISIVE, MLP, tiny
from latebloom import lab
from latebloom.lab.handle import Run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TINY = tiny(**DECISIVE, evaluation={"every": 3})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, no settings from outside, and no way out."""
    for name in list(os.environ):
        if name.startswith(("WANDB_", "MLFLOW_")):
            monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def expected(run: Run) -> list[tuple[int, dict[str, float]]]:
    return [(step, {**readings, "learning_rate": 0.01}) for step, readings in run.stored.records()]


def notices(run: Run) -> list[str]:
    return [entry["text"] for entry in run.stored.journal() if entry.get("what") == "notice"]


def records(data: bytes) -> Iterator[bytes]:
    """What is in the log format of LevelDB, which W&B's file is after 7 bytes: checksum, length, kind, part."""
    assert data.startswith(b":W&B")
    at, parts = 7, b""
    while at + 7 < len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
        length, kind = struct.unpack_from("<HB", data, at + 4)
        parts, at = parts + data[at + 7 : at + 7 + length], at + 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def logged(folder: Path) -> tuple[list[tuple[int, dict[str, float]]], dict[str, Any], dict[str, Any], int]:
    """History, configuration, summary and exit code in W&B's own file, by its own messages."""
    from wandb.proto import wandb_internal_pb2

    [file] = folder.glob("wandb/offline-run-*/*.wandb")
    history, config, summary, code = [], dict[str, Any](), dict[str, Any](), -1
    for data in records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "history":
            row = {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
            step = record.history.step.num
            history.append((step, {name: value for name, value in row.items() if not name.startswith("_")}))
        elif kind == "run":
            config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
            config["_id"], config["_project"] = record.run.run_id, record.run.project
        elif kind == "summary":
            summary |= {"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in record.summary.update}
        elif kind == "exit":
            code = record.exit.exit_code
    return history, config, summary, code


def test_wandb_has_every_reading_and_no_network(here: Path) -> None:
    pytest.importorskip("wandb")
    plain = latebloom.run(TINY, store=here / "plain")
    run = latebloom.run(TINY, store=here / "runs", trackers=["wandb"])
    history, config, summary, code = logged(here)
    assert history == expected(run)
    assert config["_id"] == run.id
    assert config["_project"] == "latebloom"
    assert config["task"]["modulus"] == 7
    [memorized] = [event for event in run.events if event.kind == "memorized"]
    assert summary["memorized_at_step"] == memorized.step
    assert summary["status"] == "finished"
    assert code == 0
    [said] = notices(run)
    assert said.startswith("wandb: offline in ")
    assert Path(said.rpartition(" wandb sync ")[2]).is_dir()
    assert [lab.digest(one.stored.load(one.stored.step)) for one in (run, plain)] == [
        lab.digest(plain.stored.load(plain.stored.step))
    ] * 2


def test_mlflow_has_every_reading_and_a_resumed_run_stays_one_run(here: Path) -> None:
    pytest.importorskip("mlflow")
    latebloom.run(tiny(steps=6, model=MLP), store=here / "runs", trackers=["mlflow"])
    run = latebloom.resume(steps=12, store=here / "runs")
    from latebloom.integrations.mlflow import Mlflow

    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    client = Mlflow()._client
    [experiment] = [one for one in client.search_experiments() if one.name == "latebloom"]
    [found] = client.search_runs([experiment.experiment_id])
    for name in ("val/accuracy", "train/loss"):
        read = {m.step: m.value for m in client.get_metric_history(found.info.run_id, name)}
        assert read == {step: pytest.approx(row[name]) for step, row in expected(run)}
    assert found.info.status == "FINISHED"
    assert found.data.params["task.modulus"] == "7"
    assert found.data.tags["latebloom.run"] == run.id
    assert [text.startswith("mlflow: run ") for text in notices(run)] == [True, True]


def test_a_server_that_is_not_there_is_reported_and_the_run_ends_well(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    run = latebloom.run(tiny(steps=6, model=MLP), store=here / "runs", trackers=["mlflow"])
    assert run.status == "finished"
    [said] = notices(run)
    assert said.startswith("No more mlflow: ")
