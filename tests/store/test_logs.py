from pathlib import Path

import pytest

from latebloom.base.errors import StoreError
from latebloom.store import Store, StoredRun, durable, jsonl
from store import story


@pytest.fixture
def run(memory: Path) -> StoredRun:
    """A run with readings at steps 0..3 and no checkpoint."""
    with Store(memory).create(**story.WHO) as writer:
        for step in range(4):
            writer.append(step, story.readings(step))
        return writer.run


def steps(run: StoredRun) -> list[int]:
    return [step for step, _ in run.records()]


def test_a_tail_torn_at_any_byte_loses_only_that_line(run: StoredRun) -> None:
    log = run.path / "readings.jsonl"
    whole = log.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole)):
        log.write_bytes(whole[:end])
        again = StoredRun(run.path)
        assert steps(again) == [0, 1, 2]
        assert again.damage == []  # a line being written is no damage
    log.write_bytes(whole)
    assert steps(run) == [0, 1, 2, 3]


@pytest.mark.parametrize("log", ["readings.jsonl", "journal.jsonl"])
def test_appending_after_a_tail_torn_at_any_byte_never_glues_lines(memory: Path, log: str) -> None:
    store = Store(memory)
    with store.create(**story.WHO) as writer:
        writer.append(0, story.readings(0))
        story.save(writer, 0)
        writer.append(1, story.readings(1))
        run = writer.run
    whole = (run.path / log).read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole) + 1):
        (run.path / log).write_bytes(whole[:end])
        with store.open(run.id) as writer:
            writer.append(1, story.readings(1))
            writer.note("here")
        again = StoredRun(run.path)
        assert steps(again) == [0, 1]
        what = [line["what"] for line in again.journal()]
        assert what[0] == "started" and what[-2:] == ["resumed", "here"]
        assert again.damage == []


def test_a_line_glued_to_a_torn_one_would_be_lost(run: StoredRun) -> None:
    """Control: without the repair, the two tests above would fail."""
    log = run.path / "readings.jsonl"
    log.write_bytes(log.read_bytes()[:-5] + jsonl.frame({"step": 4, "readings": {}}))
    assert steps(run) == [0, 1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        b"\0" * 40,
        b"{}",
        b"",
        b"\xff\xfe",
        b'{"step":1}\r',
        b"[" * 100_000,
        b"x" * (1 << 25),
        jsonl.frame({"step": 1})[:-1],
    ],
)
def test_a_damaged_line_in_the_middle_is_left_out_and_named_and_the_rest_is_kept(run: StoredRun, wrong: bytes) -> None:
    log = run.path / "readings.jsonl"
    lines = log.read_bytes().split(b"\n")
    log.write_bytes(b"\n".join([lines[0], wrong, *lines[2:]]))
    assert steps(run) == [0, 2, 3]
    assert run.damage == ["readings.jsonl: line 2 is damaged and was left out."]


def test_every_flipped_bit_of_a_line_is_noticed(run: StoredRun) -> None:
    log = run.path / "readings.jsonl"
    whole = log.read_bytes()
    start, end = whole.index(b"\n") + 1, whole.index(b"\n", whole.index(b"\n") + 1)
    for bit in range(start * 8, end * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        log.write_bytes(flipped)
        again = StoredRun(run.path)
        assert steps(again) == [0, 2, 3] and again.damage


def test_several_damaged_lines_are_counted(run: StoredRun) -> None:
    log = run.path / "readings.jsonl"
    log.write_bytes(b"a\nb\nc\n" + log.read_bytes())
    assert steps(run) == [0, 1, 2, 3]
    assert run.damage == ["readings.jsonl: line 1 is damaged and was left out; so were 2 more lines."]


def test_zeros_that_a_power_cut_left_at_the_end_are_the_end(run: StoredRun) -> None:
    log = run.path / "readings.jsonl"
    log.write_bytes(log.read_bytes() + b"\0" * 5000)
    assert steps(run) == [0, 1, 2, 3] and run.damage == []


def test_a_repeated_block_adds_nothing_to_a_curve_and_is_reported(run: StoredRun) -> None:
    log = run.path / "readings.jsonl"
    log.write_bytes(log.read_bytes() * 2)
    assert run.curves()["val/loss"].steps.tolist() == [0, 1, 2, 3]
    assert run.damage == ["readings.jsonl: step 3 comes after 3; it was left out."]


def test_a_missing_log_is_named(run: StoredRun) -> None:
    (run.path / "events.jsonl").unlink()
    assert run.events() == []
    assert "events.jsonl is missing" in run.damage[0]


def test_an_interrupt_in_the_middle_of_an_append_leaves_no_half_of_it(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control-C between two instructions: the line may be on disk although the call did not return."""
    real = durable._write_all

    def write_and_be_interrupted(fd: int, data: bytes) -> None:
        real(fd, data)
        raise KeyboardInterrupt

    with Store(memory).create(**story.WHO) as writer:
        writer.append(0, story.readings(0))
        monkeypatch.setattr(durable, "_write_all", write_and_be_interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.append(1, story.readings(1))
        monkeypatch.setattr(durable, "_write_all", real)
        story.save(writer, 0)
        assert [step for step, _ in writer.run.records()] == [0]
        writer.append(1, story.readings(1))
        assert [step for step, _ in writer.run.records()] == [0, 1] and writer.run.damage == []


def test_what_recovery_cuts_off_is_kept_aside(memory: Path) -> None:
    store = Store(memory)
    with store.create(**story.WHO) as writer:
        for step in range(5):
            writer.append(step, story.readings(step), story.events(step))
            if step == 2:
                story.save(writer, step)
        run, whole = writer.run, story.logs(memory)
    with store.open(run.id) as writer:
        assert writer.recovered == (2, story.blobs(2))
        assert any("readings.jsonl was cut back to step 2" in notice for notice in writer.notices)
        cut = story.logs(memory)
        aside = (run.path / "quarantine/readings-after-000000002-1.jsonl").read_bytes()
        assert cut[0] + aside == whole[0]
        assert cut[1] + (run.path / "quarantine/events-after-000000002-1.jsonl").read_bytes() == whole[1]
        assert [line["what"] for line in writer.run.journal()] == ["started", "saved", "notice", "notice", "resumed"]


def test_after_opening_again_the_log_still_only_goes_forward_and_its_damage_is_told(memory: Path) -> None:
    store = Store(memory)
    with store.create(**story.WHO) as writer:
        for step in range(4):
            writer.append(step, story.readings(step))
        story.save(writer, 3)
        log = writer.run.path / "readings.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"step":1,', b'"step":7,'))
    with store.open(writer.run.id) as writer:
        assert writer.recovered is not None
        assert writer.notices == ["readings.jsonl: line 2 is damaged; its readings are lost."]
        with pytest.raises(StoreError, match="step 3 cannot follow those of step 3"):
            writer.append(3, story.readings(3))
        writer.append(4, story.readings(4))
        assert steps(writer.run) == [0, 2, 3, 4]


def test_without_a_checkpoint_the_run_starts_over(run: StoredRun) -> None:
    with Store(run.path.parent).open(run.id) as writer:
        assert writer.recovered is None and len(writer.notices) == 1
        assert list(writer.run.records()) == []
        assert (run.path / "quarantine/readings-after-000000000-1.jsonl").exists()
