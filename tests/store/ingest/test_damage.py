"""Bad input: what is intact is read, the rest is told, and nothing but our own errors gets out."""

import gzip
import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from latebloom.base.errors import DataError, LatebloomError, StoreError
from latebloom.store.ingest import ForeignLog, read_log
from latebloom.store.tensorboard import EventWriter
from store.ingest.shapes import SHAPES, TRAIN_LOSS


def read(tmp_path: Path, content: str | bytes, name: str = "log.txt", **options: object) -> ForeignLog:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_log(path, **options)  # type: ignore[arg-type]


def values(log: ForeignLog, name: str) -> list[float]:
    return log.curves[name].values.tolist()


ROWS = [f'{{"step": {k}, "train_loss": {5 - k}.5, "val_loss": 6.5}}' for k in range(5)]


def test_a_file_cut_off_at_any_byte_gives_its_beginning_or_our_error(tmp_path: Path) -> None:
    for name in (
        "jsonl_meta_first",
        "json_rows_in_history",
        "json_lists_with_steps",
        "csv_plain",
        "text_several_lines",
    ):
        shape = SHAPES[name]()
        for end in range(1, len(shape.content), max(1, len(shape.content) // 60)):
            try:
                log = read(tmp_path, shape.content[:end], shape.name)
            except LatebloomError:
                continue
            whole = shape.readings["train/loss"]
            if "train/loss" in log.curves and "val/loss" in log.curves and len(log.curves["train/loss"].steps) > 3:
                found = values(log, "train/loss")[:-1]  # a number cut off within its digits looks like a number
                np.testing.assert_allclose(found, whole[: len(found)], atol=10.0**-shape.digits)


def test_json_that_was_cut_off_is_read_up_to_there_and_that_is_said(tmp_path: Path) -> None:
    text = json.dumps({"history": [json.loads(row) for row in ROWS]})
    log = read(tmp_path, text[:-15], "log.json")
    assert values(log, "train/loss") == [5.5, 4.5, 3.5, 2.5, 1.5]
    assert log.dropped == ["the end of the file, which was cut off in the middle of a value"]


def test_lines_that_are_no_json_are_left_out_and_counted(tmp_path: Path) -> None:
    content = "\n".join([ROWS[0], "Traceback (most recent call last):", ROWS[1], ROWS[2], '{"step": 3, "train_lo'])
    log = read(tmp_path, content, "log.jsonl")
    assert values(log, "train/loss") == [5.5, 4.5, 3.5]
    assert log.dropped == ["2 lines that are no JSON, or not complete"]


def test_two_objects_on_one_line_are_both_read(tmp_path: Path) -> None:
    assert values(read(tmp_path, f"{ROWS[0]}\n{ROWS[1]}{ROWS[2]}\n{ROWS[3]}\n", "log.jsonl"), "train/loss") == [
        5.5,
        4.5,
        3.5,
        2.5,
    ]


def test_nan_and_infinity_are_readings(tmp_path: Path) -> None:
    rows = [f'{{"step": {k}, "train_loss": {loss}}}' for k, loss in enumerate(("2.0", "1.0", "Infinity", "NaN", "NaN"))]
    np.testing.assert_equal(
        values(read(tmp_path, "\n".join(rows), "log.jsonl"), "train/loss"), [2, 1, np.inf, np.nan, np.nan]
    )
    text = "".join(f"epoch {k} train loss {loss}\n" for k, loss in enumerate(("2.0", "1.0", "inf", "nan", "nan")))
    np.testing.assert_equal(values(read(tmp_path, text), "train/loss"), [2, 1, np.inf, np.nan, np.nan])


def test_nan_between_numbers_is_an_empty_cell(tmp_path: Path) -> None:
    text = "step,train_loss,val_loss\n" + "\n".join(f"{k},{20 - k},{k if k % 5 == 0 else 'nan'}" for k in range(11))
    log = read(tmp_path, text, "log.csv")
    assert log.curves["val/loss"].steps.tolist() == [0, 5, 10]
    assert log.dropped == ["8 empty cells of 'val_loss', written as NaN"]


def test_rows_of_another_length_are_left_out_and_counted(tmp_path: Path) -> None:
    log = read(
        tmp_path,
        "step,train_loss,val_loss\n0,5,6\n1,4,6\n2,3\n3,2,6,9\nstep,train_loss,val_loss\n4,1,6\n5,0",
        "log.csv",
    )
    assert log.curves["train/loss"].steps.tolist() == [0, 1, 4]
    assert sorted(log.dropped) == [
        "1 lines that repeat the names of the columns",
        "3 lines with more or fewer cells than the first one, as where a file ends early",
    ]


def test_where_a_run_was_resumed_what_was_written_later_counts(tmp_path: Path) -> None:
    steps = [*range(0, 50, 10), *range(30, 80, 10)]
    log = read(tmp_path, "step,train_loss\n" + "\n".join(f"{s},{n}.5" for n, s in enumerate(steps)), "log.csv")
    assert log.curves["train/loss"].steps.tolist() == list(range(0, 80, 10))
    assert values(log, "train/loss") == [0.5, 1.5, 2.5, 5.5, 6.5, 7.5, 8.5, 9.5]
    assert [(event.kind, event.step, event.evidence) for event in log.events] == [("resume", 30, {"reached": 40})]
    assert "2 readings written over by later ones of the same step" in log.dropped


def test_a_resumed_text_log_is_marked_as_well(tmp_path: Path) -> None:
    rows = [f"Epoch {e}: train_loss={e}.25" for e in (0, 1, 2, 3, 4)]
    rows += ["Resuming from checkpoint of epoch 2", *(f"Epoch {e}: train_loss={e}.75" for e in (3, 4, 5, 6))]
    log = read(tmp_path, "\n".join(rows))
    assert values(log, "train/loss") == [0.25, 1.25, 2.25, 3.75, 4.75, 5.75, 6.75]
    assert {event.kind for event in log.events} == {"resume", "resumed"}


def test_rows_in_no_order_are_sorted(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(50).tolist()
    log = read(tmp_path, "step,train_loss\n" + "\n".join(f"{k},{k}.5" for k in order), "log.csv")
    assert values(log, "train/loss") == [k + 0.5 for k in range(50)]
    assert "no order" in " ".join(log.notes)
    backwards = read(tmp_path, "step,train_loss\n" + "\n".join(f"{k},{k}.5" for k in range(49, -1, -1)), "log.csv")
    assert values(backwards, "train/loss") == [k + 0.5 for k in range(50)]


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_table_with_very_many_columns_is_read(tmp_path: Path, count: int) -> None:
    names = ["step", "train_loss", "val_loss", *(f"layer{k}" for k in range(count))]
    rows = [",".join([str(s), "1.5", "2.5", *["0"] * count]) for s in range(3)]
    log = read(tmp_path, ",".join(names) + "\n" + "\n".join(rows) + "\n", "log.csv")
    assert len(log.curves) == count + 2
    assert values(log, "val/loss") == [2.5] * 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.json", "[" * 200_000),
        ("log.json", '{"a":' * 100_000 + "1" + "}" * 100_000),
        ("log.jsonl", "\n".join(['{"step": 1, "a": ' + "[" * 100_000] * 3)),
        ("log.json", json.dumps({"train_loss": [[[[[[[[[[[1]]]]]]]]]]]})),
        ("log.json", "1" * 10_000),
        ("log.json", '{"step": [1, 2], "train_loss": [' + "9" * 5000 + ", 1]}"),
        ("log.csv", "step," * 50_000),
        ("log.csv", '"' * 10_001 + ",\n" * 100),
        ("log.txt", "epoch " * 20_000 + "1"),
        ("log.txt", "1 " * 100_000),
        ("log.txt", "loss: 1 (" * 20_000),
        ("log.txt", " - " * 50_000 + "loss 1"),
        ("log.txt", "0" * 1_000_000),
        ("log.txt", "a" * 1_000_000 + " INFO 3"),
        ("log.npz", b"PK\x03\x04" + b"\0" * 1000),
    ],
)
def test_hostile_files_end_in_a_log_or_in_our_error(tmp_path: Path, name: str, content: str | bytes) -> None:
    try:
        read(tmp_path, content, name)
    except LatebloomError as error:
        assert len(str(error)) < 5000


def test_pickles_are_refused_and_never_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "run",))  # type: ignore[return-value]

    for name, content in (("history.pkl", pickle.dumps(Evil())), ("history.json", pickle.dumps([1, 2]))):
        with pytest.raises(DataError, match="pickle"):
            read(tmp_path, content, name)
    file = io.BytesIO()
    np.savez(file, steps=np.arange(3), train_loss=np.ones(3), config=np.array([Evil()], dtype=object))
    log = read(tmp_path, file.getvalue(), "log.npz")
    assert values(log, "train/loss") == [1, 1, 1]
    assert log.dropped == ["the array 'config': objects, i.e. pickles, which can run code"]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n123", "a picture"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b'{"val_acc": 0.5, "_step": 100, "_runtime": 3}', "It is a summary"),
        (b'{"a": [1, 2, 3]}', "--map 'val/accuracy=a'"),
        (b"hello\nworld\n", "no reading was found"),
        (b"step,note\n0,a\n1,b\n", "no reading was found"),
    ],
)
def test_what_cannot_be_read_is_said_plainly(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said.replace("(", "\\(")):
        read(tmp_path, content, "log.dat")


def test_a_missing_file_a_folder_without_logs_and_a_wrong_format_are_our_errors(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing"):
        read_log(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="holds no file"):
        read_log(tmp_path)
    with pytest.raises(DataError, match="Did you mean 'jsonl'"):
        read(tmp_path, "x", format="jsnl")


def test_the_one_log_of_a_folder_is_found_and_of_several_one_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_text("step,train_loss\n0,1\n1,0.5\n")
    assert values(read_log(tmp_path), "train/loss") == [1, 0.5]
    (tmp_path / "other.log").write_text("epoch 1 train loss 1")
    with pytest.raises(DataError, match=r"2 runs: 'other', 'run'. Choose one: --run 'other'"):
        read_log(tmp_path)
    assert values(read_log(tmp_path, mapping={"run": "run"}), "train/loss") == [1, 0.5]


def test_gzip_links_and_marks_of_encodings_do_not_matter(tmp_path: Path) -> None:
    content = SHAPES["csv_plain"]().content
    packed = read(tmp_path, gzip.compress(content), "log.csv.gz")
    (tmp_path / "link.csv").symlink_to(tmp_path / "log.csv.gz")
    marked = read(tmp_path, b"\xef\xbb\xbf" + content, "log.csv")
    for log in (packed, marked, read_log(tmp_path / "link.csv")):
        assert values(log, "train/loss") == TRAIN_LOSS
    with pytest.raises(DataError, match="gzip"):
        read(tmp_path, gzip.compress(content)[:40] + b"damage" * 20, "log.csv.gz")


def test_a_torn_event_file_is_read_up_to_there(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "run", wall_time=1.7e9)
    for step in range(20):
        writer.append(step, {"train/loss": 2.0 - step / 10, "val/accuracy": step / 20}, 1.7e9)
    writer.close()
    [file] = [path for path in (tmp_path / "run").iterdir() if "tfevents" in path.name]
    file.write_bytes(file.read_bytes()[:-7])
    log = read_log(tmp_path)
    assert log.axis == "step"
    assert log.curves["train/loss"].steps.tolist() == list(range(19))
    assert "incomplete record" in " ".join(log.dropped)
