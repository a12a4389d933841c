from pathlib import Path

import pytest

from latebloom.base.errors import StoreError
from latebloom.store import Store, layout
from store import story


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "is empty"),
        (" \t ", "is empty"),
        ("../x", "looks like a path"),
        ("/etc/passwd", "looks like a path"),
        ("..\\x", "looks like a path"),
        ("a\0b", "cannot be shown"),
        ("a\nb", "cannot be shown"),
        ("a\x1b[31mb", "cannot be shown"),
        ("a\x9bb", "cannot be shown"),
        ("a\u2028b", "cannot be shown"),
        ("a\ud800b", "cannot be shown"),
        ("x" * 5000, "5,000 characters"),
        ("latest", "already means the newest run"),
    ],
)
def test_a_name_that_cannot_be_a_label_is_refused_and_nothing_is_written(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        Store(tmp_path / "store").create(**{**story.WHO, "name": name})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["🌼 spät", "..", ".", "CON", "-rf", "$(reboot)", "a" * 200, "<script>", "👩‍🔬"])
def test_any_other_name_is_text_and_the_folder_is_ours(tmp_path: Path, name: str) -> None:
    with Store(tmp_path).create(**{**story.WHO, "name": name}) as writer:
        writer.state("finished", 0)
    run = Store(tmp_path).find(name)
    assert run.name == name
    assert {path.name for path in tmp_path.iterdir()} == {"FORMAT", run.id} and layout.is_run_id(run.id)


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "", ".hidden", "MANIFEST.json", "a\0b"])
def test_a_file_of_a_checkpoint_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with Store(tmp_path).create(**story.WHO) as writer, pytest.raises(StoreError, match="plain name"):
        writer.save(1, {name: b"x"}, labels=[], readings={})


def test_a_manifest_that_names_a_file_outside_is_damaged(tmp_path: Path) -> None:
    from latebloom.store import jsonl

    (tmp_path / "secret").write_bytes(b"x")
    with Store(tmp_path / "s").create(**story.WHO) as writer:
        writer.save(1, {"a": b"x"}, labels=[], readings={})
        path = writer.run.path / "checkpoints/step-000000001/MANIFEST.json"
        manifest = jsonl.unframe(path.read_bytes()[:-1])
        manifest["files"]["../../../../secret"] = manifest["files"].pop("a")
        path.write_bytes(jsonl.frame(manifest))
        with pytest.raises(StoreError, match="not a plain name"):
            writer.run.load(1)


def test_ids_sort_by_the_second_they_were_made_in() -> None:
    assert layout.is_run_id(layout.new_run_id())
    assert layout.time_of("20260131T120059-abcdef") == "2026-01-31T12:00:59" < layout.now()
    for wrong in (
        "",
        "20260131T120059",
        "20260131T120059-ABCDEF",
        "20260131T120059-abcdef/..",
        "x20260131T120059-abcdef",
    ):
        assert not layout.is_run_id(wrong)


def test_a_run_is_named_with_its_store_where_that_is_not_the_usual_one(tmp_path: Path, monkeypatch) -> None:
    """What is printed to go on with can be typed as it stands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LATEBLOOM_STORE", raising=False)
    for place, words in (("runs", "{id}"), ("my experiment", "{id} --store '{store}'")):
        with Store(place).create(**story.WHO) as writer:
            run = writer.run
        assert run.words == words.format(id=run.id, store=run.path.parent)
    monkeypatch.setenv("LATEBLOOM_STORE", "my experiment")
    assert run.words == run.id
    monkeypatch.setenv("LATEBLOOM_STORE", "")
    assert layout.default_root() == Path("runs")
