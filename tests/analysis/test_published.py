"""A published study says about its runs exactly what the runs themselves say."""

import json

import pytest

from analysis.test_phases import SPEC, steps
from latebloom.analysis.outcome import outcome_of
from latebloom.analysis.published import PublishedStudy, publish, read_published
from latebloom.base.errors import DataError
from latebloom.store import Store, StoredStudy, open_study


@pytest.fixture
def study(tmp_path):
    specs = [
        {**SPEC, "name": f"s {seed} {decay}", "seed": seed, "optimizer": {"kind": "adamw", "weight_decay": decay}}
        for decay in (0.1, 1.0)
        for seed in (0, 1)
    ]
    runs = [({"seed": s["seed"], "wd": s["optimizer"]["weight_decay"]}, f"key{i}", s) for i, s in enumerate(specs)]
    with open_study(tmp_path, "grid", {"name": "grid"}, runs) as writer:
        stored = writer.stored
    for place, one in enumerate(stored.planned[:3]):  # the fourth has not begun
        with Store(tmp_path).create(
            name=one.spec["name"], seed=one.spec["seed"], spec=one.spec, spec_hash="", environment={}, run_id=one.run
        ) as writer:
            for step, readings in steps(400 / 3, 2000 / 3 * (place + 1)):
                writer.append(step, {**readings, "val/loss": 1 / 3})
            writer.note("stopped", state_sha256="beef")
            writer.state("finished", 6000, "done", {})
    return StoredStudy(tmp_path, "grid")


def test_outcomes_of_the_file_are_those_of_the_runs(study, tmp_path):
    (tmp_path / "grid.json").write_bytes(publish(study, "latebloom sweep grid", "2026-01-01"))
    published = read_published(tmp_path / "grid.json")
    for one, theirs in zip(study.planned[:3], published.runs, strict=False):
        ours = study.run(one)
        assert theirs.spec == ours.spec == one.spec
        assert theirs.label == one.label and theirs.state_sha256 == "beef"
        assert outcome_of(theirs, "arm") == outcome_of(ours, "arm")
    assert published.run(published.planned[3]) is None and published.planned[3].label == study.planned[3].label
    assert [one.spec for one in published.planned] == [one.spec for one in study.planned]
    ours, theirs = study.run(study.planned[1]).curves(), published.run(published.planned[1]).curves()
    assert sorted(theirs) == ["train/accuracy", "val/accuracy"]
    assert all((theirs[n].steps == ours[n].steps).all() and (theirs[n].values == ours[n].values).all() for n in theirs)
    assert (published.name, published.command) == ("grid", "latebloom sweep grid")


def test_what_is_the_same_in_all_runs_is_written_once(study):
    fields = json.loads(publish(study, "", ""))
    assert fields["spec"]["optimizer"] == {"kind": "adamw"}
    assert [run["spec"]["optimizer"] for run in fields["runs"]] == [{"weight_decay": w} for w in (0.1, 0.1, 1.0, 1.0)]


def test_other_readings_are_held_by_request_and_one_that_no_run_has_is_refused(study, tmp_path):
    (tmp_path / "grid.json").write_bytes(publish(study, "", "", ["val/loss"]))
    held = read_published(tmp_path / "grid.json").runs[0].curves()
    stored = study.run(study.planned[0]).curves()
    assert set(held["val/loss"].values) == {0.333333} and set(stored["val/loss"].values) == {1 / 3}
    assert (held["val/accuracy"].values == stored["val/accuracy"].values).all()  # to the last bit
    assert (held["val/loss"].steps == stored["val/loss"].steps).all()
    with pytest.raises(DataError, match=r"reading 'val/los'\. Did you mean 'val/loss'"):
        publish(study, "", "", ["val/los"])


def test_a_reading_that_is_no_number_is_published_and_not_taken_for_one_that_is_missing(study, tmp_path):
    """A run whose accuracy is lost is watched, and has not got there, until its end."""
    one = study.run(study.planned[0])
    broken = [(step, {**r, "val/accuracy": float("nan")} if step > 200 else r) for step, r in one.records()]
    place = tmp_path / "again"
    with open_study(place, "grid", {"name": "grid"}, [(study.planned[0].label, "key", one.spec)]) as writer:
        planned = writer.stored.planned[0]
    with Store(place).create(name="a", seed=0, spec=one.spec, spec_hash="", environment={}, run_id=planned.run) as run:
        for step, readings in broken:
            run.append(step, readings)
        run.state("finished", 6000, "done", {})
    again = StoredStudy(place, "grid")
    (tmp_path / "x.json").write_bytes(publish(again, "", ""))
    told = outcome_of(read_published(tmp_path / "x.json").runs[0], "")
    assert told == outcome_of(again.run(planned), "") and (told.last_step, told.happened) == (6000, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "no published study"),
        ("{", "not JSON"),
        ('{"kind": "latebloom study"}', "no published study"),
        ('{"kind": "latebloom study", "schema": 9}', "has schema 9"),
        ('{"kind": "latebloom study", "schema": 1}', "lacks 'name'; export the study again"),
    ],
)
def test_another_file_is_refused(tmp_path, text, why):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=why):
        read_published(tmp_path / "x.json")


def test_a_file_with_one_reading_changed_has_other_outcomes(study):
    """Control: the outcomes above are not read from anything but the published accuracies."""
    fields = json.loads(publish(study, "", ""))
    for run in fields["runs"]:
        run["readings"]["val/accuracy"] = [0.05 for _ in run["steps"]]
    assert all(outcome_of(run, "").happened is None for run in PublishedStudy(fields).runs[:3])
