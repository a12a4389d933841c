"""Reading: files of the real package, read equal; what is hostile, read in bounds; foreign tags under our names."""

import base64
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latebloom.base.errors import StoreError
from latebloom.store import DamageError
from latebloom.store.tensorboard import event, find_runs, read, read_scalars
from latebloom.store.tensorboard.frame import frame

# Written by EventFileWriter of tensorboard 2.21.0: scalar tensors of each type, listed and as raw bytes, a step
# before 0, and a text, a vector and a picture, which are no scalars.
TENSORS = base64.b64decode(
    """
    SAAAAAAAAAD+kkidCYOG5h+YwNpBGg1icmFpbi5FdmVudDoyUi4KLHRlbnNvcmJvYXJkLnN1bW1hcnkud3JpdGVyLmV2ZW50X2ZpbGVfd3Jp
    dGVy/zD7pDEAAAAAAAAAnYOD6QkAAABA/FTZQSomCiQKCWZsb2F0X3ZhbEIKCAESACoEzczMPUoLCgkKB3NjYWxhcnOGCfJFzgAAAAAAAADH
    kc3ICQAAAED8VNlBEAEqwAEKEQoFZmxvYXRCCAgBIgTNzMw9ChYKBmRvdWJsZUIMCAIyCJqZmZmZmbk/Ch4KDmRvdWJsZV9jb250ZW50QgwI
    AiIInHUAiDzkN/4KDgoEaGFsZkIGCBNqAuZcChIKCGJmbG9hdDE2QgYIDmoCwH8KFwoFaW50MzJCDggDOgr5//////////8BChcKBWludDY0
    Qg4ICVIKgICAgIDg////AQodCg1pbnQ2NF9jb250ZW50QgwICSIIAAAAAAABAAB6SLPGJQAAAAAAAADqvDbzCQAAAED8VNlBEP//////////
    /wEqDwoNCgZiZWZvcmUVAACAP05VA2AtAAAAAAAAADxBivsJAAAAQPxU2UEQAiogCh4KBXdvcmRzQgsIBxIAQgVoZWxsb0oICgYKBHRleHT/
    zf0ZPQAAAAAAAABgSfHsCQAAAED8VNlBEAMqMAoYCgZ2ZWN0b3JCDggBEgQSAggBKgQAAIA/ChQKB3BpY3R1cmUiCQgBEAEiA3BuZ6BCgmE=
    """
)

Points = dict[str, list[tuple[int, float]]]


def stretch(folder: Path, second: int, *records: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{second:010d}.host.1.0"
    path.write_bytes(b"".join(map(frame, records)))
    return path


def records(file: bytes) -> list[bytes]:
    found = []
    while file:
        [length] = struct.unpack_from("<Q", file)
        found.append(file[12 : 12 + length])
        file = file[16 + length :]
    return found


def one(step: int, value: float, tag: str = "a") -> bytes:
    return event.scalars(step, [(tag, value)], 1.7e9)


def points(path: Path) -> Points:
    return {
        tag: list(zip(curve.steps.tolist(), curve.values.tolist(), strict=True))
        for tag, curve in read_scalars(path).curves.items()
    }


def accumulated(path: Path, **options: bool) -> Points:
    """What the real package reads."""
    package = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = package.EventAccumulator(str(path), size_guidance={"scalars": 0}, **options).Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def summary_writer(folder: Path, **options: int) -> Any:
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), **options)


def test_every_kind_of_scalar_tensor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1700000000.host"
    path.write_bytes(TENSORS)
    tenth = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert points(path) == {
        "float_val": [(0, tenth)],
        "float": [(1, tenth)],
        "double": [(1, 0.1)],
        "double_content": [(1, -1e300)],
        "half": [(1, float(np.float16(0.1)))],
        "bfloat16": [(1, 1.5)],
        "int32": [(1, -7.0)],
        "int64": [(1, -(2.0**40))],
        "int64_content": [(1, 2.0**40)],
        "before": [(-1, 1.0)],
    }
    assert "Skipped 3 values other than scalars." in read_scalars(path).report


def test_a_text_a_vector_and_a_picture_are_all_that_was_skipped() -> None:
    """Control for the count above: each alone is a record with one value that is none."""
    skipped = [event.parse(record).skipped for record in records(TENSORS)]
    assert skipped == [0, 0, 0, 0, 1, 2]


def test_what_a_summary_writer_wrote_is_read_equal(tmp_path: Path) -> None:
    values = [0.1, -1e-30, 1e39, math.inf, -math.inf, 0.0, 1e-46, 3.0]
    with summary_writer(tmp_path) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("Loss/train", value, step * 10**step)
            writer.add_scalar("Accuracy/val", value, step, new_style=True)  # as a tensor
            writer.add_histogram("weights", np.arange(5.0), step)
        writer.add_text("note", "x")
        writer.add_scalar("Loss/train", 5.0, 2**62)
    read_by_us, read_by_them = points(tmp_path), accumulated(tmp_path)
    assert read_by_us["Loss/train"] == read_by_them["Loss/train"]
    with np.errstate(over="ignore"):
        assert [value for _, value in read_by_us["Accuracy/val"]] == np.array(values).astype(np.float32).tolist()
    assert read_by_us.keys() == {"Loss/train", "Accuracy/val"}
    assert "Skipped 9 values other than scalars." in read_scalars(tmp_path).report


def test_a_purged_restart_leaves_what_tensorboard_leaves(tmp_path: Path) -> None:
    for purge_step, steps in [(None, range(10)), (6, range(6, 9)), (3, range(4, 6))]:
        folder = tmp_path / str(purge_step)
        with summary_writer(folder, **({} if purge_step is None else {"purge_step": purge_step})) as writer:
            for step in steps:
                writer.add_scalar("a", step + (purge_step or 0) / 100, step)
                if purge_step is None:
                    writer.add_scalar("b", step, step)  # not written again later
    together = tmp_path / "all"
    together.mkdir()
    for second, name in enumerate(["None", "6", "3"]):
        [file] = (tmp_path / name).iterdir()
        file.rename(together / f"events.out.tfevents.{1_700_000_000 + second}.host")
    assert points(together) == accumulated(together)
    assert [step for step, _ in points(together)["a"]] == [0, 1, 2, 4, 5]
    assert [step for step, _ in points(together)["b"]] == [0, 1, 2]
    assert read_scalars(together).report[-1].startswith("Left out 17 scalars from before the run went back")
    assert accumulated(together, purge_orphaned_data=False) != accumulated(together)  # control


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "start"]), st.integers(-3, 6)), max_size=40),
    st.integers(0, 40),
)
def test_later_scalars_void_their_tag_and_starts_void_all_from_their_step_on(
    memory_of_examples: Path, written: list[tuple[str, int]], cut: int
) -> None:
    """By definition, one at a time; in two files, divided anywhere."""
    standing: dict[str, list[tuple[int, float]]] = {"a": [], "b": []}
    made = []
    for number, (what, step) in enumerate(written):
        for tag in [what] if what != "start" else ["a", "b"]:
            standing[tag] = [point for point in standing[tag] if point[0] < step]
        if what == "start":
            made.append(event.start(step, 0.0))
        else:
            standing[what].append((step, float(number)))
            made.append(one(step, number, what))
    stretch(memory_of_examples, 1, *made[:cut])
    stretch(memory_of_examples, 2, *made[cut:])
    assert points(memory_of_examples) == {tag: rest for tag, rest in standing.items() if rest}


@pytest.fixture(scope="module")
def memory_of_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property, whose files each example writes anew."""
    return tmp_path_factory.mktemp("examples")


def test_files_are_read_in_the_order_of_their_time(tmp_path: Path) -> None:
    stretch(tmp_path, 1_700_000_009, one(1, 9.0))
    stretch(tmp_path, 1_700_000_010, one(1, 10.0))
    (tmp_path / "tfevents.5").write_bytes(frame(one(0, 5.0)))  # a name without padding, which text would put last
    (tmp_path / "events.out.tfevents.2.profile-empty").write_bytes(b"not looked at")
    (tmp_path / "notes.txt").write_bytes(b"not looked at")
    assert points(tmp_path) == {"a": [(0, 5.0), (1, 10.0)]}
    assert read_scalars(tmp_path).report[0] == "3 files, 3 records, 2 scalars, 1 tag."


def test_runs_are_found_and_named_as_tensorboard_does(tmp_path: Path) -> None:
    for folder in (".", "b", "b/train", "a/very/deep", "empty/file"):
        stretch(tmp_path / folder, 1)
    (tmp_path / "empty/file/events.out.tfevents.0000000001.host.1.0").unlink()
    (tmp_path / "round").symlink_to(tmp_path)  # not followed, else there would be no end
    assert find_runs(tmp_path) == {
        ".": tmp_path,
        "a/very/deep": tmp_path / "a/very/deep",
        "b": tmp_path / "b",
        "b/train": tmp_path / "b/train",
    }
    (tmp_path / "round").unlink()
    multiplexer = pytest.importorskip("tensorboard.backend.event_processing.event_multiplexer").EventMultiplexer()
    assert multiplexer.AddRunsFromDirectory(str(tmp_path)).Runs().keys() == find_runs(tmp_path).keys()


def test_a_folder_without_event_files_names_those_below_it(tmp_path: Path) -> None:
    stretch(tmp_path / "runs/first", 1)
    with pytest.raises(StoreError, match=r"no TensorBoard event files.*: runs/first\."):
        read_scalars(tmp_path)
    with pytest.raises(StoreError, match="'tfevents'"):
        read_scalars(tmp_path / "missing")


def test_a_record_cut_off_at_any_byte_is_refused_where_protobuf_refuses_it() -> None:
    """Between two fields an event may end, and only there."""
    protobuf = pytest.importorskip("tensorboard.compat.proto.event_pb2").Event
    refused = 0
    for record in records(TENSORS):
        for length in range(len(record)):
            try:
                protobuf.FromString(record[:length])
            except Exception as error:
                assert type(error).__name__ == "DecodeError"
                refused += 1
                with pytest.raises(DamageError, match="is no event"):
                    event.parse(record[:length])
            else:
                event.parse(record[:length])
    assert refused > 300


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (b"\x0a\x01\xff\x15\0\0\x80\x3f", None),  # a tag that is no UTF-8
        (b"\x0a\x01a\x13\x14", None),  # a group, which no event has
        (b"\x0a\x01a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", None),  # a number of 12 bytes
        (b"\x0a\x01a\x15\0\0\x80\x3f", 1.0),  # control: a plain scalar
        (b"\x0a\x01a\x10\x05", 0),  # its number in another form, which is an unknown field
        (b"\x15\0\0\x80\x3f", 0),  # no tag
        (b"\x0a\x01a\x42\x0c\x08\x01\x2d\0\0\x80\x3f\x2d\0\0\x80\x3f", 0),  # a tensor of two, one by one
        (b"\x0a\x01a\x42\x07\x08\x01\x2d\0\0\x80\x3f", 1.0),  # control: of one
    ],
)
def test_a_value_is_a_scalar_or_skipped_or_makes_the_record_damaged(value: bytes, what: float | None) -> None:
    record = bytes([0x2A, len(value) + 2, 0x0A, len(value)]) + value
    if what is None:
        with pytest.raises(DamageError):
            event.parse(record)
    else:
        assert event.parse(record) == (0, False, [("a", what)] if what else [], int(not what))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail_in_another_way_than_as_damage(record: bytes) -> None:
    try:
        event.parse(record)
    except DamageError as error:
        assert "no event" in str(error)


@settings(deadline=None)
@given(st.data())
def test_a_changed_event_with_the_right_checksum_is_read_or_reported(memory_of_examples: Path, data: Any) -> None:
    record = bytearray(data.draw(st.sampled_from(records(TENSORS)), "record"))
    for place in data.draw(st.lists(st.integers(0, len(record) - 1), max_size=5), "places"):
        record[place] = data.draw(st.integers(0, 255), "byte")
    del record[data.draw(st.integers(0, len(record)), "length") :]
    path = stretch(memory_of_examples, 1, bytes(record), one(7, 0.5, "after"))
    scalars = read_scalars(path)
    assert scalars.curves["after"].values[-1] == 0.5
    assert "2 records" in scalars.report[0] or "left out 1 record without an event" in scalars.report[1]


@settings(max_examples=60, deadline=None)
@given(
    step=st.integers(-(2**63), 2**63 - 1),
    named=st.lists(st.tuples(st.text(min_size=1, max_size=5), st.floats(width=32)), max_size=4),
    dtype=st.sampled_from([1, 2, 3, 4, 7, 9, 10, 14, 19]),
    lists=st.fixed_dictionaries(
        {},
        optional={
            "float_val": st.lists(st.floats(width=32), max_size=2),
            "double_val": st.lists(st.floats(), max_size=2),
            "int_val": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=2),
            "int64_val": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2),
            "half_val": st.lists(st.integers(0, 2**16 - 1), max_size=2),
            "tensor_content": st.binary(max_size=9),
        },
    ),
)
def test_an_event_that_protobuf_wrote_is_read_as_protobuf_reads_it(
    step: int, named: list[tuple[str, float]], dtype: int, lists: dict[str, Any]
) -> None:
    protos = "tensorboard.compat.proto."
    summary = pytest.importorskip(protos + "summary_pb2").Summary
    tensor = pytest.importorskip(protos + "tensor_pb2").TensorProto(dtype=dtype, **lists)
    values = [summary.Value(tag=tag, simple_value=value) for tag, value in named]
    values.append(summary.Value(tag="tensor", tensor=tensor))
    written = pytest.importorskip(protos + "event_pb2").Event(step=step, summary=summary(value=values))
    found = event.parse(written.SerializeToString())
    kinds = {1: ("float_val", "<f4"), 2: ("double_val", "<f8"), 3: ("int_val", "<i4"), 9: ("int64_val", "<i8")}
    kinds |= {19: ("half_val", "<f2"), 14: ("half_val", "<u2")}
    expected = list(named)
    if dtype in kinds:
        field, numpy_kind = kinds[dtype]
        raw = lists.get("tensor_content", b"")
        numbers = lists.get(field, [])
        listed = np.array(numbers, "<u2" if field == "half_val" else numpy_kind).tobytes()
        size = np.dtype(numpy_kind).itemsize
        if len(raw or listed) == size:
            number = (raw or listed) if dtype != 14 else b"\0\0" + (raw or listed)
            expected.append(("tensor", float(np.frombuffer(number, "<f4" if dtype == 14 else numpy_kind)[0])))
    assert found.step == step and not found.is_start
    assert [tag for tag, _ in found.scalars] == [tag for tag, _ in expected]
    np.testing.assert_array_equal([value for _, value in found.scalars], [value for _, value in expected])
    assert found.skipped == len(named) + 1 - len(expected)


def test_there_is_a_limit_to_tags_and_to_their_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_TAGS", 3)
    tags = ["x" * (read.LONGEST_TAG + 1), "x" * read.LONGEST_TAG, "b", "c", "d", "b"]
    path = stretch(tmp_path, 1, *(one(step, 0.0, tag) for step, tag in enumerate(tags)))
    assert points(path).keys() == {"x" * read.LONGEST_TAG, "b", "c"}
    assert any(line.startswith("Left out 2 scalars of tags beyond") for line in read_scalars(path).report)


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    stretch(tmp_path, 1, one(0, 1.0))
    stretch(tmp_path, 2, one(1, 2.0)).write_bytes(b"\0" * 64)
    stretch(tmp_path, 3, one(2, 3.0))
    scalars = read_scalars(tmp_path)
    assert scalars.curves["a"].values.tolist() == [1.0, 3.0]
    assert scalars.report == [
        "3 files, 2 records, 2 scalars, 1 tag.",
        "events.out.tfevents.0000000002.host.1.0: left out 64 bytes at the end: the length of a record is damaged, "
        "so that nothing after it can be found.",
    ]
