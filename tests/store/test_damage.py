"""A damaged file is never used in silence: it is found, named, and what was saved before takes its place."""

import os
import random
import shutil
from pathlib import Path

import pytest

from latebloom.base.errors import StoreError
from latebloom.store import DamageError, Store, StoredRun
from store import story

FLIPS = 3000


@pytest.fixture
def run(memory: Path) -> StoredRun:
    """A finished run with checkpoints at steps 3 and 5."""
    story.live(memory)
    return Store(memory).find("latest")


def files(run: StoredRun, step: int) -> list[Path]:
    return sorted((run.path / f"checkpoints/step-{step:09d}").iterdir())


def test_every_flipped_bit_of_a_checkpoint_is_found(run: StoredRun) -> None:
    rng, detected, wrong_without = random.Random(0), 0, 0
    originals = {path: path.read_bytes() for path in files(run, 5)}
    for trial in range(FLIPS):
        path = rng.choice(list(originals))  # each file alike, so that the small manifest has its share
        flipped = bytearray(originals[path])
        bit = rng.randrange(len(flipped) * 8)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(DamageError) as caught:
            run.load(5)
        detected += path.name in str(caught.value)
        wrong_without += path.read_bytes() != originals[path]  # control: a plain read would have returned it
        path.write_bytes(originals[path])
        del trial
    assert detected == wrong_without == FLIPS
    assert run.load(5) == story.blobs(5)
    print(f"bit flips detected: {detected}/{FLIPS}")


def test_every_flipped_bit_of_a_manifest_and_of_the_header_files_is_found(run: StoredRun) -> None:
    for path in (run.path / "run.json", run.path / "state.json", files(run, 5)[0]):
        whole = path.read_bytes()
        for bit in range(len(whole) * 8):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            again = StoredRun(run.path)
            again.checkpoints()
            assert again.damage and path.name in again.damage[0]
        path.write_bytes(whole)
    assert StoredRun(run.path).damage == []


def test_every_truncation_of_a_checkpoint_is_found(run: StoredRun) -> None:
    for path in files(run, 5):
        whole = path.read_bytes()
        lengths = range(0, len(whole), 4096) if len(whole) > 8192 else range(len(whole))
        for length in [*lengths, len(whole) - 1]:
            path.write_bytes(whole[:length])
            with pytest.raises(DamageError, match=path.name):
                run.load(5)
        path.write_bytes(whole + b"\0")
        with pytest.raises(DamageError, match=path.name):
            run.load(5)
        path.write_bytes(whole)
    assert run.load(5) == story.blobs(5)


def test_the_error_names_the_file_and_both_lengths_or_hashes(run: StoredRun) -> None:
    path = files(run, 5)[1]
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(StoreError, match=rf"{path} is 100 bytes long; 150,000 were saved"):
        run.load(5)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StoreError, match=rf"{path} has SHA-256 [0-9a-f]{{64}}; [0-9a-f]{{64}} was saved"):
        run.load(5)
    path.unlink()
    with pytest.raises(StoreError, match=rf"{path} is missing"):
        run.load(5)


@pytest.mark.parametrize("name", ["MANIFEST.json", "model.safetensors", "state.json"])
@pytest.mark.parametrize("content", [None, b"", b"garbage\n", b"{}\n"], ids=["missing", "empty", "garbage", "bare"])
def test_a_damaged_checkpoint_goes_to_quarantine_and_the_one_before_is_used(
    run: StoredRun, name: str, content: bytes | None
) -> None:
    path = run.path / "checkpoints/step-000000005" / name
    path.unlink() if content is None else path.write_bytes(content)
    with Store(run.path.parent).open(run.id) as writer:
        assert writer.recovered == (3, story.blobs(3))
        assert "step 5 is damaged and was moved to" in writer.notices[0] and name in writer.notices[0]
        assert (run.path / "quarantine/step-000000005-1").is_dir()
        assert [c.step for c in writer.run.checkpoints()] == [3]
        assert any(line.get("text") == writer.notices[0] for line in writer.run.journal())
    story.live(run.path.parent)
    assert Store(run.path.parent).find("latest").load(5) == story.blobs(5)


def test_a_checkpoint_whose_log_has_lost_a_line_is_not_believed(memory: Path) -> None:
    """All lines are equally long, so behind the gap a line ends exactly where the checkpoint was saved."""
    with Store(memory).create(**story.WHO) as writer:
        for step in range(1, 9):
            writer.append(step, {"val/loss": 0.5})
            if step in (2, 6):
                writer.save(step, story.blobs(step), labels=["every"], readings={"val/loss": 0.5})
    run = writer.run
    log = run.path / "readings.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    assert len({*map(len, lines)}) == 1
    log.write_bytes(b"".join(line for number, line in enumerate(lines) if number != 3))
    with Store(memory).open(run.id) as writer:
        assert writer.recovered == (2, story.blobs(2)) and "tells of step 7" in writer.notices[0]
        writer.append(3, {"val/loss": 0.5})  # or the run could never be gone on with


def test_when_no_checkpoint_is_whole_the_run_starts_over_with_the_same_bytes(run: StoredRun) -> None:
    before = story.logs(run.path.parent)
    for step in (3, 5):
        files(run, step)[1].write_bytes(b"")
    with Store(run.path.parent).open(run.id) as writer:
        assert writer.recovered is None and "starts over from its seed" in " ".join(writer.notices)
    story.live(run.path.parent)
    assert story.logs(run.path.parent) == before


def test_a_checkpoint_of_another_run_or_step_is_rejected(memory: Path) -> None:
    stores = []
    for name in ("a", "b"):
        story.live(memory / name)
        stores.append(Store(memory / name).find("latest"))
    ours, theirs = (run.path / "checkpoints/step-000000005" for run in stores)
    shutil.rmtree(ours)
    shutil.copytree(theirs, ours)
    with pytest.raises(DamageError, match=f"belongs to step 5 of run {stores[1].id}, not to step 5 of {stores[0].id}"):
        stores[0].load(5)
    shutil.rmtree(ours)
    shutil.copytree(ours.with_name("step-000000003"), ours)
    with pytest.raises(DamageError, match="belongs to step 3"):
        stores[0].load(5)
    with Store(memory / "a").open(stores[0].id) as writer:
        assert writer.recovered == (3, story.blobs(3))


def test_a_log_shorter_than_the_checkpoint_says_makes_the_checkpoint_useless(run: StoredRun) -> None:
    lines = (run.path / "readings.jsonl").read_bytes().splitlines(keepends=True)
    (run.path / "readings.jsonl").write_bytes(b"".join(lines[:5]))  # steps 0..4: enough for the checkpoint at 3
    with Store(run.path.parent).open(run.id) as writer:
        assert writer.recovered == (3, story.blobs(3))
        assert "the checkpoint was saved at" in writer.notices[0]


@pytest.mark.parametrize("name", ["run.json", "state.json"])
@pytest.mark.parametrize("content", [None, b"", b"\0" * 99, b"[]", b"garbage"])
def test_a_damaged_run_is_listed_with_what_is_missing_and_the_others_are_not_affected(
    memory: Path, name: str, content: bytes | None
) -> None:
    for n in range(3):
        with Store(memory).create(**{**story.WHO, "name": f"run {n}"}) as writer:
            writer.state("finished", n)
    victim = Store(memory).find("run 1").path
    (victim / name).unlink() if content is None else (victim / name).write_bytes(content)
    runs = Store(memory).runs()
    assert len(runs) == 3
    for run in runs:
        if run.path == victim:
            assert run.status == "damaged" and name in run.damage[0]
        else:
            assert run.status == "finished" and run.damage == []
    assert Store(memory).find(victim.name).damage


def test_a_run_without_its_identity_cannot_be_written_and_one_without_its_state_can(run: StoredRun) -> None:
    store = Store(run.path.parent)
    (run.path / "state.json").write_bytes(b"")
    with store.open(run.id) as writer:
        assert "state was lost" in writer.notices[0]
    assert store.find(run.id).status == "interrupted"
    (run.path / "run.json").unlink()
    for _ in range(2):  # the refusal leaves no lock behind
        with pytest.raises(StoreError, match=r"run\.json is missing"):
            store.open(run.id)


def test_an_empty_run_folder_and_strange_company_do_not_disturb(memory: Path) -> None:
    story.live(memory)
    (memory / "20200101T000000-abcdef").mkdir()
    (memory / "notes").mkdir()
    (memory / "20200101T000000-aaaaaa").write_text("a file")
    (memory / ".new-20990101T000000-abcdef").mkdir()
    assert [run.status for run in Store(memory).runs()] == ["finished", "damaged"]


def test_a_run_folder_that_was_renamed_is_damaged(run: StoredRun) -> None:
    renamed = run.path.rename(run.path.with_name("20200101T000000-abcdef"))
    assert f"belongs to run {run.id}" in StoredRun(renamed).damage[0]


def test_links_planted_in_a_checkpoint_are_not_followed(run: StoredRun, tmp_path: Path) -> None:
    path = files(run, 5)[1]
    secret = tmp_path / "secret"
    secret.write_bytes(path.read_bytes())  # the right bytes, but not ours
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(DamageError, match="links and devices are not followed"):
        run.load(5)
    path.unlink()
    os.mkfifo(path)  # must not wait for a writer
    with pytest.raises(DamageError, match="not a regular file"):
        run.load(5)


def test_deleting_a_checkpoint_does_not_follow_links(memory: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("still here")
    with Store(memory).create(**story.WHO) as writer:
        for step in range(1, 4):
            writer.save(step, {"a": b"x"}, labels=[], readings={})
        (writer.run.path / "checkpoints/step-000000001/link").symlink_to(tmp_path / "precious")
        writer.keep([])
        assert [c.step for c in writer.run.checkpoints()] == [2, 3]
    assert (tmp_path / "precious/file").read_text() == "still here"
