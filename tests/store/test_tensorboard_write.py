"""Writing: what the real package reads of our files, live, resumed and exported."""

import errno
import math
import re
import socket
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latebloom.base.errors import StoreError
from latebloom.store import Store, StoredRun, durable
from latebloom.store.ingest import as_readings
from latebloom.store.ingest.names import meaning_of
from latebloom.store.tensorboard import (
    EventWriter,
    event,
    event_files,
    export,
    read_scalars,
    tag_of,
)
from latebloom.store.tensorboard.frame import frame
from store import story
from store.test_tensorboard_frame import SUMMARY

NOW = 1_700_000_000.25


def accumulator(folder: Path, **options: bool) -> Any:
    package = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    return package.EventAccumulator(str(folder), size_guidance={"scalars": 0}, **options).Reload()


def seen(events: Any) -> dict[str, list[tuple[int, float]]]:
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def write(folder: Path, steps: range, *, first_step: int = 0, wall_time: float = NOW, offset: float = 0.0) -> Path:
    writer = EventWriter(folder, wall_time=wall_time, first_step=first_step)
    for step in steps:
        writer.append(step, {"train/loss": step + offset, **({} if step % 2 else {"val/loss": 2 * step})}, wall_time)
    writer.close()
    return writer.path


def test_our_records_are_those_that_the_real_package_writes() -> None:
    """Byte for byte: the start and the first scalar of a file that torch's SummaryWriter wrote."""
    assert frame(event.scalars(0, [("Loss/train", 4.5)], 1.7e9)) in SUMMARY
    assert frame(event.scalars(3_000_000_000, [("Loss/train", -math.inf)], 1.7e9 + 2)) in SUMMARY
    after_its_time = event.start(2, NOW)[9:]
    [its_time] = struct.unpack_from("<d", SUMMARY, SUMMARY.index(after_its_time) - 8)
    assert frame(event.start(2, its_time)) in SUMMARY
    event_pb2 = pytest.importorskip("tensorboard.compat.proto.event_pb2")
    version = event_pb2.Event(wall_time=NOW, file_version="brain.Event:2")
    assert event.version(NOW) == version.SerializeToString()


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    values = [0.1, math.nan, math.inf, -math.inf, 1e39, -1e300, 1e-46, 0.0]
    writer = EventWriter(tmp_path / "new" / "folder", wall_time=NOW)
    for step, value in enumerate(values):
        writer.append(10**step, {"train/loss": value, "weight_norm/l2": step}, NOW + step)
    writer.append(2**40, {}, NOW)  # nothing to say
    writer.close()
    events = accumulator(tmp_path / "new" / "folder")
    assert seen(events).keys() == {"Loss/train", "weight_norm/l2"}
    with np.errstate(over="ignore"):
        expected = np.array(values).astype(np.float32)  # the precision of TensorBoard; too large is infinite
    np.testing.assert_array_equal([e.value for e in events.Scalars("Loss/train")], expected)
    assert [(e.step, e.wall_time) for e in events.Scalars("weight_norm/l2")] == [(10**k, NOW + k) for k in range(8)]
    assert events.file_version == 2.0


def test_a_running_tensorboard_sees_each_step_at_once_and_what_it_has_read_never_changes(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path, wall_time=NOW)
    events, before = accumulator(tmp_path), writer.path.read_bytes()
    for step in range(5):
        writer.append(step, {"val/accuracy": step / 4}, NOW)
        after = writer.path.read_bytes()
        assert after.startswith(before) and len(after) > len(before)
        assert seen(events.Reload()) == {"Accuracy/val": [(s, s / 4) for s in range(step + 1)]}
        before = after
    writer.close()


def test_a_resumed_run_has_no_orphaned_points(tmp_path: Path) -> None:
    """Killed after step 9, resumed from step 4, killed after step 6, resumed from step 5."""
    write(tmp_path, range(10))
    write(tmp_path, range(5, 7), first_step=5, wall_time=NOW + 60, offset=0.25)
    write(tmp_path, range(6, 8), first_step=6, wall_time=NOW + 120, offset=0.5)
    expected = [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (5, 5.25), (6, 6.5), (7, 7.5)]
    assert seen(accumulator(tmp_path)) == {
        "Loss/train": expected,
        "Loss/val": [(0, 0.0), (2, 4.0), (4, 8.0), (6, 12.0)],
    }
    ours = read_scalars(tmp_path).curves
    assert list(zip(ours["Loss/train"].steps, ours["Loss/train"].values, strict=True)) == expected
    assert ours["Loss/val"].steps.tolist() == [0, 2, 4, 6]
    kept = seen(accumulator(tmp_path, purge_orphaned_data=False))  # control: it is the start record that does it
    assert (8, 8.0) in kept["Loss/train"] and (8, 16.0) in kept["Loss/val"]


@pytest.mark.parametrize("later", [60.0, 0.0, -3600.0], ids=["later", "same second", "clock set back"])
def test_a_later_stretch_has_the_larger_name(tmp_path: Path, later: float) -> None:
    """TensorBoard reads the files of a folder in the order of their names."""
    paths = [write(tmp_path, range(1), wall_time=NOW + k * later) for k in range(12)]
    assert sorted(map(str, paths)) == list(map(str, paths)) and len(set(paths)) == 12
    assert event_files(tmp_path) == paths


def test_the_name_of_the_host_cannot_leave_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("../../a b\n.c", "", "ünï", "x" * 500):
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        path = write(tmp_path, range(1))
        assert path.parent == tmp_path and path.is_file()
        assert re.fullmatch(r"events\.out\.tfevents\.\d{10}\.[0-9A-Za-z-]{1,64}\.\d+\.\d+", path.name)


def test_a_failed_append_leaves_no_half_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = EventWriter(tmp_path, wall_time=NOW)
    real = durable._write_all

    def half(fd: int, data: bytes) -> None:
        real(fd, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(durable, "_write_all", half)
    with pytest.raises(StoreError, match="ENOSPC"):
        writer.append(0, {"val/loss": 1.0}, NOW)
    monkeypatch.setattr(durable, "_write_all", real)
    writer.append(0, {"val/loss": 2.0}, NOW)
    writer.close()
    assert seen(accumulator(tmp_path)) == {"Loss/val": [(0, 2.0)]}
    with pytest.raises(StoreError):
        writer.append(1, {"val/loss": 2.0}, NOW)


def test_other_tags_can_be_chosen(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path, wall_time=NOW, tag_of=lambda name: f"mine/{name}")
    writer.append(0, {"val/loss": 1.0}, NOW)
    writer.close()
    assert read_scalars(tmp_path).curves.keys() == {"mine/val/loss"}


@pytest.mark.parametrize("name", ["train/loss", "val/loss", "train/accuracy", "val/accuracy", "learning_rate"])
def test_a_reading_under_its_public_tag_is_read_as_itself(name: str) -> None:
    meaning = meaning_of(tag_of(name))
    assert tag_of(name) != name and meaning is not None
    assert name in (meaning.measure, f"{meaning.split}/{meaning.measure}")


@pytest.fixture
def run(memory: Path) -> StoredRun:
    story.live(memory)
    return Store(memory).find("latest")


def test_an_exported_run_is_the_run(run: StoredRun, tmp_path: Path) -> None:
    path = export(run, tmp_path / "board")
    assert [path] == event_files(tmp_path / "board")
    exported = as_readings(read_scalars(path)).curves
    assert exported.keys() == run.curves().keys() == {"val/loss", "val/accuracy"}
    for name, curve in run.curves().items():
        np.testing.assert_array_equal(exported[name].steps, curve.steps)
        np.testing.assert_array_equal(exported[name].values, curve.values.astype(np.float32))
    events = accumulator(tmp_path / "board")
    assert {e.wall_time for e in events.Scalars("Loss/val")} == {datetime.fromisoformat(run.created_at).timestamp()}
    assert [e.step for e in events.Scalars("Accuracy/val")] == run.curves()["val/accuracy"].steps.tolist()


def test_a_run_is_not_exported_over_another(run: StoredRun, tmp_path: Path) -> None:
    path = export(run, tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="Use another"):
        export(run, tmp_path)
    assert event_files(tmp_path) == [path] and path.read_bytes() == before


def test_an_export_that_fails_leaves_nothing(run: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def full(operation: str, path: Path) -> None:
        nonlocal calls
        calls += operation == "append"
        if operation == "append" and calls == 3:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(durable, "observe", full)
    with pytest.raises(StoreError, match="ENOSPC"):
        export(run, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_identity_is_damaged_is_exported_all_the_same(run: StoredRun, tmp_path: Path) -> None:
    (run.path / "run.json").write_bytes(b"damaged")
    damaged = StoredRun(run.path)
    assert damaged.damage
    assert as_readings(read_scalars(export(damaged, tmp_path))).curves.keys() == {"val/loss", "val/accuracy"}
