"""A log that grows is at every look what a fresh read finds, and what was read is not read again."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.shapes import as_accuracy, made
from latebloom.analysis.diagnosis import diagnose
from latebloom.base.errors import ChooseError
from latebloom.store import durable
from latebloom.store.ingest import ForeignLog, GrowingLog, read_log
from latebloom.store.ingest.growing import AGAIN_BYTES
from latebloom.store.tensorboard import EventWriter

ROWS = [(step, r["train/accuracy"], r["val/accuracy"]) for step, r in as_accuracy(made("classic", 1500, 0), 0.01)]
HEAD, PAD = "step,train_acc,val_acc,note\n", "x" * 60
TEMPLATES = {
    "csv": "{s},{t},{v}," + PAD + "\n",
    "jsonl": '{{"step": {s}, "train_acc": {t}, "val_acc": {v}, "note": "' + PAD + '"}}\n',
    "text": "epoch 0 step {s}: train acc {t} val acc {v} " + PAD + "\n",  # undecided until a second epoch comes
    "log": "Epoch {s} | train acc {t} | val acc {v} " + PAD + "\nEpoch {s} batch 3/9: loss 2.5\n",
}


def lines(kind: str) -> list[str]:
    rows = [TEMPLATES[kind].format(s=s, t=t, v=v) for s, t, v in ROWS]
    return [HEAD, *rows] if kind == "csv" else rows


def pieces(rows: list[str], seed: int = 0) -> Iterator[str]:
    draw, at = random.Random(seed), 0
    while at < len(rows):
        count = draw.randint(1, 200)
        yield "".join(rows[at : at + count])
        at += count


def same(one: ForeignLog | None, other: ForeignLog) -> None:
    assert one is not None and one.curves.keys() == other.curves.keys()
    for name, curve in other.curves.items():
        assert np.array_equal(one.curves[name].steps, curve.steps), name
        assert np.array_equal(one.curves[name].values, curve.values, equal_nan=True), name
    assert (one.mapped, one.axis, one.events) == (other.mapped, other.axis, other.events)
    assert diagnose(one.curves, one.events).verdict == diagnose(other.curves, other.events).verdict


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    counted, read = [0], durable.read_chunks

    def counting(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        for piece in read(path, start, end):
            counted[0] += len(piece)
            yield piece

    monkeypatch.setattr(durable, "read_chunks", counting)
    return lambda: counted[0]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_after_every_growth_it_is_what_a_fresh_read_finds(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"log.{kind}"
    growing = GrowingLog(path)
    assert growing.look() == (False, None) or growing.look()[1] is None
    with path.open("a") as file:
        for piece in pieces(lines(kind)):
            file.write(piece)
            file.flush()
            if path.stat().st_size > 600:  # with two rows it may be anything
                same(growing.look()[1], read_log(path))
    assert path.stat().st_size > 2 * AGAIN_BYTES
    assert growing.look()[0] is False


def test_a_log_that_has_only_begun_is_waited_for_wherever_it_is(tmp_path: Path) -> None:
    """The folder is called as a message about several runs would be."""
    path = tmp_path / "runs" / "--map" / "log.csv"
    path.parent.mkdir(parents=True)
    path.touch()
    growing = GrowingLog(path)
    assert growing.look()[1] is None
    path.write_text("".join(lines("csv")[:40]))
    same(growing.look()[1], read_log(path))
    path.write_text("run,epoch,val_accuracy\n" + "".join(f"{run},{epoch},0.5\n" for run in "ab" for epoch in range(20)))
    with pytest.raises(ChooseError, match="Choose one"):
        growing.look()


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_growth_costs_what_was_added(kind: str, tmp_path: Path, bytes_read: Callable[[], int]) -> None:
    path, rows = tmp_path / f"log.{kind}", lines(kind)
    path.write_text("".join(rows[:1000]))
    growing = GrowingLog(path)
    growing.look()
    first = bytes_read()
    assert first >= path.stat().st_size > AGAIN_BYTES  # control: it is counted
    with path.open("a") as file:
        for place in range(1000, 1400, 100):
            before, size = bytes_read(), path.stat().st_size
            file.write("".join(rows[place : place + 100]))
            file.flush()
            growing.look()
            added = path.stat().st_size - size
            assert added <= bytes_read() - before <= added + 5000  # and the two proofs that it is the same file
    before = bytes_read()
    growing.look()  # what is held back at the end is looked for once
    growing.look()
    assert bytes_read() - before <= 5000


def test_event_files_are_read_on(tmp_path: Path, bytes_read: Callable[[], int]) -> None:
    growing = GrowingLog(tmp_path)
    for part in range(3):  # a run that was resumed twice, each time 100 steps back
        writer = EventWriter(tmp_path, wall_time=1.7e9 + part)
        for step, train, val in ROWS[400 * part - 20 * part : 400 * (part + 1)]:
            writer.append(step, {"train/accuracy": train, "val/accuracy": val}, 1.7e9)
            if step % 53 == 0:
                before = bytes_read()
                log = growing.look()[1]
                cost = bytes_read() - before
                same(log, read_log(tmp_path))
        writer.close()
        assert cost < 30_000
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) > 3 * 30_000


def test_a_last_line_without_an_end_is_taken_once_the_log_stands_still(tmp_path: Path) -> None:
    path, rows = tmp_path / "log.csv", lines("csv")
    path.write_text("".join(rows[:1200]).rstrip("\n"))
    growing = GrowingLog(path)
    (_, first), (has_grown, second) = growing.look(), growing.look()
    assert first is not None and len(first.curves["val/accuracy"].steps) == 1198
    assert not has_grown
    same(second, read_log(path))
    with path.open("a") as file:
        file.write("\n" + "".join(rows[1200:]))
    same(growing.look()[1], read_log(path))  # it was not taken for good


@pytest.mark.parametrize("anew", ["shorter", "longer", "same beginning"])
def test_a_file_that_was_written_anew_is_read_anew(anew: str, tmp_path: Path) -> None:
    path, rows = tmp_path / "log.csv", lines("csv")
    path.write_text("".join(rows[:1100]))
    growing = GrowingLog(path)
    growing.look()
    other = [row.replace("0.9", "0.8") for row in rows]
    path.write_text(
        "".join({"shorter": other[:1000], "longer": other, "same beginning": rows[:500] + other[500:]}[anew])
    )
    same(growing.look()[1], read_log(path))
    growing.look()


def test_a_log_that_is_moved_away_and_begun_again_is_followed(tmp_path: Path) -> None:
    path, rows = tmp_path / "log.jsonl", lines("jsonl")
    path.write_text("".join(rows[:1200]))
    growing = GrowingLog(path)
    growing.look()
    path.rename(tmp_path / "log.1.jsonl")
    assert growing.look()[1] is None
    path.write_text("".join(rows[:1300]))
    same(growing.look()[1], read_log(path))


def test_packed_files_and_whole_formats_are_read_again(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "log.csv.gz"
    growing = GrowingLog(path)
    for count in (1200, 1400):
        path.write_bytes(gzip.compress("".join(lines("csv")[:count]).encode(), compresslevel=0))
        same(growing.look()[1], read_log(path))
