"""What a run shows is found in its log, whatever the log looks like; and a log that cannot be read says what to do."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from latebloom.analysis.diagnosis import diagnose
from latebloom.base.errors import DataError
from latebloom.store.ingest import read_log
from store.ingest.truths import SAMPLES, late, put, rows, side_by_side, text, two_runs


@pytest.mark.parametrize("name", SAMPLES)
def test_the_verdict_is_that_of_the_run_in(name: str, tmp_path: Path) -> None:
    write, family, judged, mapping = SAMPLES[name]
    log = read_log(write(tmp_path), mapping=mapping)
    found = diagnose(log.curves, log.events)
    assert found.verdict.family == family, log
    assert (found.judged["train"], found.judged["val"]) == judged, log


def test_powers_of_ten_and_uneven_epochs_keep_how_many_times_later_something_was(tmp_path: Path) -> None:
    for name in ("steps_as_powers_of_ten", "uneven_fractions_of_epochs"):
        log = read_log(SAMPLES[name].write(tmp_path))
        ratio = diagnose(log.curves).verdict.ratio
        assert ratio is not None and ratio == pytest.approx(
            20_000 / 600 * (0.95 / 0.05 * 0.01 / 0.99) ** (1 / 8), rel=0.1
        )
    assert late(0)[0][-1] == 5  # control: 150 numbered readings would make it a factor of 1.4


@pytest.mark.parametrize(
    ("write", "runs"),
    [(two_runs, "'seed0', 'seed1'"), (side_by_side, "'adamw', 'sgd'")],
)
def test_of_several_runs_one_has_to_be_chosen(write: object, runs: str, tmp_path: Path) -> None:
    path = write(tmp_path)  # type: ignore[operator]
    with pytest.raises(DataError, match=f"holds 2 runs: {runs}. Choose one: --run"):
        read_log(path)


def test_training_of_one_arm_is_never_put_beside_validation_of_another(tmp_path: Path) -> None:
    """Parts of one run may look like arms: the first is taken, and that is said."""
    put(
        tmp_path / "m.csv",
        text(
            "{s},{ta},0.5,0.4,{va}", head="step,a_words_train_acc,b_words_train_acc,b_words_val_acc,a_words_val_acc\n"
        ),
    )
    log = read_log(tmp_path / "m.csv")
    assert (log.mapped["train/accuracy"], log.mapped["val/accuracy"]) == ("a_words_train_acc", "a_words_val_acc")
    assert any("--run chooses another" in note for note in log.notes)


def test_files_of_a_folder_are_told_with_what_became_of_them(tmp_path: Path) -> None:
    log = read_log(SAMPLES["a_folder_of_wandb"].write(tmp_path))
    assert log.curves["val/accuracy"].values.tolist() == pytest.approx([r["va"] for r in rows()], abs=1e-4)
    other = tmp_path / "parts"
    log = read_log(SAMPLES["a_file_for_each_curve"].write(other))
    assert log.format.startswith("4 files")
    assert any("Read together as one run" in note and "train_acc.csv" in note for note in log.notes)


def test_of_many_logs_in_a_folder_the_one_with_the_known_name_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    put(tmp_path / "metrics.csv", text("{s},{ta},{va}", head="step,train_acc,val_acc\n"))
    put(tmp_path / "train.log", text("epoch {e} train acc 0.5 val acc 0.5"))
    log = read_log(tmp_path)
    assert log.curves["train/accuracy"].values[-1] == pytest.approx(rows()[-1]["ta"])
    assert any("not used" in left and "train" in left for left in log.dropped)


def test_a_counter_of_training_epochs_is_no_training_accuracy(tmp_path: Path) -> None:
    put(tmp_path / "l.csv", text("{e},{e},{tl},{va}", head="epoch,training_epochs,training_loss,validation_accuracy\n"))
    assert "train/accuracy" not in read_log(tmp_path / "l.csv").curves


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("h.pkl", pickle.dumps({"train_acc": [0.5]}, protocol=0), "pickle, which is a program"),
        ("l.tar", b"\0" * 257 + b"ustar\x0000" + b"\0" * 300, "tar archive: unpack it"),
        ("e.csv.bz2", b"BZh9" + b"damage" * 20, "damaged"),
        ("e.csv.xz", b"\xfd7zXZ\x00" + b"damage" * 20, "damaged"),
        ("e.zip", b"PK\x03\x04" + b"damage" * 20, "damaged zip"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    put(tmp_path / name, content)
    with pytest.raises(DataError, match=told):
        read_log(tmp_path / name)


def test_a_table_of_an_office_program_and_a_zip_of_several_files_say_what_to_do(tmp_path: Path) -> None:
    for name, members, told in (
        ("e.xlsx", ["[Content_Types].xml", "xl/workbook.xml"], "save the table as CSV"),
        ("e.zip", ["a.csv", "b.csv"], "Unpack it and give the folder"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in members:
                archive.writestr(member, "x")
        with pytest.raises(DataError, match=told):
            read_log(tmp_path / name)


def test_an_array_of_objects_says_that_it_is_a_pickle(tmp_path: Path) -> None:
    np.save(tmp_path / "h.npy", np.array({"train_acc": [0.5]}, dtype=object))
    with pytest.raises(DataError, match="pickles, which can run code"):
        read_log(tmp_path / "h.npy")
