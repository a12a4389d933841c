"""A study on disk: its plan is whole or not there, its runs keep their ids, its journal survives a torn line."""

import errno
import itertools
import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from faults.harness import count_calls, failing, run_until_call
from latebloom.base.errors import StoreError
from latebloom.store import DamageError, Planned, Store, StoredStudy, StudyWriter, durable, layout, open_study, studies
from store import story

Runs = list[tuple[dict[str, Any], str, dict[str, Any]]]


def runs(seeds: Sequence[int] = (0, 1, 2)) -> Runs:
    return [({"arm": "l1", "seed": seed}, f"key {seed}", {"seed": seed, "name": f"l1 seed={seed}"}) for seed in seeds]


def begin(root: Path, seeds: Sequence[int] = (0, 1, 2), name: str = "delay") -> StudyWriter:
    return open_study(root, name, {"title": "Delay", "grid": [0.5, 1]}, runs(seeds))


def test_what_is_planned_is_read_back(memory: Path) -> None:
    with begin(memory) as writer:
        stored = writer.stored
    assert stored.study == {"title": "Delay", "grid": [0.5, 1]} and stored.created_at.startswith("20")
    assert [(one.label, one.key, one.spec) for one in stored.planned] == runs()
    assert all(layout.is_run_id(one.run) for one in stored.planned)
    assert StoredStudy(memory, "delay").planned == stored.planned
    assert [Store(memory).runs(), [stored.run(one) for one in stored.planned]] == [[], [None] * 3]


def test_a_planned_run_is_the_one_whose_folder_has_its_id(memory: Path) -> None:
    with begin(memory) as writer:
        one = writer.stored.planned[1]
        with Store(memory).create(**story.WHO, run_id=one.run) as run:
            run.state("finished", step=3)
        with pytest.raises(StoreError):
            Store(memory).create(**story.WHO, run_id=one.run)
        found = [writer.stored.run(planned) for planned in writer.stored.planned]
    assert [run and (run.id, run.status) for run in found] == [None, (one.run, "finished"), None]
    assert len(Store(memory).runs()) == 1


def test_more_runs_may_be_planned_and_none_taken_away(memory: Path) -> None:
    before = begin(memory)
    before.close()
    after = begin(memory, [5, 2, 1, 0, 4])
    after.close()
    assert [one.label["seed"] for one in after.stored.planned] == [5, 2, 1, 0, 4]
    assert after.stored.planned[1:4] == before.stored.planned[::-1]
    assert after.stored.created_at == before.stored.created_at
    for seeds in ([0, 1, 2], [0, 1, 2, 4, 6, 7], []):
        with pytest.raises(StoreError, match=r"study 'delay' has \d runs that are not in this plan, e\.g\. .*'seed'"):
            begin(memory, seeds)
        assert StoredStudy(memory, "delay").planned == after.stored.planned
        assert not after.stored.is_swept()  # a refusal holds no lock


def test_what_a_run_is_called_is_said_by_the_newest_plan_and_what_it_is_by_its_key(memory: Path) -> None:
    """Two arms under each other's names: corrected in the file, they must be corrected in every comparison."""
    begin(memory).close()
    before = StoredStudy(memory, "delay").planned
    given = runs([0, 1, 2, 3])
    corrected = [
        ({"arm": "plain" if label["seed"] else "l1", "decay": 1, "seed": label["seed"]}, *rest)
        for label, *rest in given
    ]
    open_study(memory, "delay", {"title": "Corrected"}, corrected).close()
    after = StoredStudy(memory, "delay")
    assert [one.label for one in after.planned] == [label for label, *_ in corrected]
    assert [(one.run, one.key, one.spec) for one in after.planned[:3]] == [(b.run, b.key, b.spec) for b in before]
    assert after.study == {"title": "Corrected"}


def test_going_on_with_the_same_plan_writes_no_plan(memory: Path) -> None:
    begin(memory).close()
    before = (memory / "studies/delay/plan.json").stat()
    begin(memory).close()
    assert (memory / "studies/delay/plan.json").stat() == before


def test_ids_that_chance_makes_equal_are_given_once(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six hexadecimal digits: of 200 ids made in one second two are equal in 0.1 % of all cases, of 5,000 in half."""
    with Store(memory).create(**story.WHO) as writer:
        there = writer.run.id
    begin(memory, [7]).close()
    known = StoredStudy(memory, "delay").planned[0].run
    made = itertools.cycle([there, known, *[f"20260101T000000-00000{n}" for n in (1, 1, 2, 1, 3)]])
    monkeypatch.setattr(layout, "new_run_id", lambda: next(made))
    begin(memory, [7, 0, 1, 2]).close()
    ids = [one.run for one in StoredStudy(memory, "delay").planned]
    assert ids == [known, *[f"20260101T000000-00000{n}" for n in (1, 2, 3)]]


def test_a_plan_too_long_to_be_read_again_is_refused(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(memory, [0]).close()
    monkeypatch.setattr(durable, "MOST_BYTES", 2000)
    with pytest.raises(StoreError, match=r"plan of 40 runs is [\d,]+ bytes long, more than the 2,000"):
        begin(memory, range(40))
    assert len(StoredStudy(memory, "delay").planned) == 1


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "/etc", ".a", "a\0b", "a b", "a\n", "é", "x" * 101])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str, memory: Path) -> None:
    with pytest.raises(StoreError, match="a study cannot be called"):
        begin(memory / "runs", name=name)
    with pytest.raises(StoreError, match="a study cannot be called"):
        StoredStudy(memory / "runs", name)
    assert list(memory.iterdir()) == []


def test_studies_are_listed_and_a_near_miss_is_named(memory: Path) -> None:
    assert studies(memory) == []
    for name in ("weight-decay", "delay"):
        begin(memory, name=name).close()
    (memory / "studies/no-plan-yet").mkdir()
    (memory / "studies/a file").touch()
    assert studies(memory) == ["delay", "weight-decay"]
    with pytest.raises(StoreError, match=r"no study 'dely' in .* Did you mean 'delay'"):
        StoredStudy(memory, "dely")
    with pytest.raises(StoreError, match=r"no study 'no-plan-yet' in .* Known: delay, weight-decay"):
        StoredStudy(memory, "no-plan-yet")
    assert Store(memory).runs() == []  # the folder of studies is no run


def test_the_journal_tells_what_was_noted_in_order_with_times(memory: Path) -> None:
    with begin(memory) as writer:
        writer.note("attempt", run="r", exit_code=-9, loss=float("nan"))
    with begin(memory) as writer:
        writer.note("retry")
    first, second = StoredStudy(memory, "delay").journal()
    assert (first["what"], first["run"], first["exit_code"], second["what"]) == ("attempt", "r", -9, "retry")
    assert first["loss"] != first["loss"] and first["at"] < second["at"]


def test_a_torn_last_line_spoils_neither_the_lines_before_nor_those_after(memory: Path) -> None:
    path = memory / "studies/delay/journal.jsonl"
    with begin(memory) as writer:
        writer.note("first")
        start = path.stat().st_size
        writer.note("second")
    whole = path.read_bytes()
    for length in range(start, len(whole) + 1):
        path.write_bytes(whole[:length])
        with begin(memory) as writer:
            writer.note("third")
        there = ["first", "second", "third"] if length >= len(whole) - 1 else ["first", "third"]  # but for its newline
        assert [entry["what"] for entry in StoredStudy(memory, "delay").journal()] == there
        assert path.read_bytes().startswith(whole[:length])  # nothing is thrown away


def test_of_two_coordinators_the_second_is_refused_until_the_first_is_gone(memory: Path) -> None:
    first = begin(memory)
    assert first.stored.is_swept()
    with pytest.raises(StoreError, match="Study delay is being written by process"):
        begin(memory, [0, 1, 2, 3])
    other = begin(memory, name="other")  # another study may be swept beside it
    other.close()
    first.close()
    first.close()
    assert not first.stored.is_swept()
    begin(memory, [0, 1, 2, 3]).close()


def test_a_reader_changes_nothing(memory: Path) -> None:
    begin(memory).close()
    before = {path: path.stat().st_mtime_ns for path in memory.rglob("*")}
    stored = StoredStudy(memory, "delay")
    assert (stored.journal(), stored.is_swept(), stored.run(stored.planned[0])) == ([], False, None)
    assert {path: path.stat().st_mtime_ns for path in memory.rglob("*")} == before


@pytest.mark.parametrize("spoil", [lambda plan: plan[:-9], lambda plan: b"", lambda plan: plan.replace(b"l1", b"l2")])
def test_a_damaged_plan_is_told_and_never_written_over(spoil: Any, memory: Path) -> None:
    """A new plan would have other ids: every run would be trained a second time."""
    begin(memory).close()
    path = memory / "studies/delay/plan.json"
    path.write_bytes(spoil(path.read_bytes()))
    spoilt = path.read_bytes()
    for act in (lambda: StoredStudy(memory, "delay"), lambda: begin(memory)):
        with pytest.raises(DamageError, match=r"plan\.json"):
            act()
    assert path.read_bytes() == spoilt


# Deaths and failing disks


def plan_twice(root: Path) -> list[Planned]:
    """Plan, note, plan more, note; the first plan as it was."""
    with begin(root) as writer:
        writer.note("first")
        planned = writer.stored.planned
    with begin(root, range(5)) as writer:
        writer.note("second")
    return planned


def check(root: Path, told: list[Any]) -> None:
    """Going on gives the whole plan, with the ids that were already told."""
    plan_again = [one._asdict() for one in plan_more(root)]
    assert [one["label"]["seed"] for one in plan_again] == list(range(5))
    assert len({one["run"] for one in plan_again}) == 5
    for planned in told:
        assert [one for one in plan_again if one["key"] in {known["key"] for known in planned}] == planned
    assert {path.name for path in root.glob("studies/delay/*")} == {"plan.json", "journal.jsonl", "lock"}


def plan_more(root: Path) -> list[Planned]:
    with begin(root, range(5)) as writer:
        writer.note("again")
    return StoredStudy(root, "delay").planned


def test_a_coordinator_killed_at_any_call_leaves_the_old_plan_or_the_new_one(memory: Path) -> None:
    def act(report: Any) -> None:
        with begin(memory / "runs") as writer:
            report([one._asdict() for one in writer.stored.planned])
        with begin(memory / "runs", range(5)) as writer:
            report([one._asdict() for one in writer.stored.planned])

    total = count_calls(act)
    assert total > 30
    for k in range(1, total + 1):
        shutil.rmtree(memory / "runs", ignore_errors=True)
        outcome = run_until_call(k, act)
        assert outcome.was_killed, outcome.error
        check(memory / "runs", json.loads(json.dumps(outcome.reports)))


@pytest.mark.parametrize("is_persistent", [False, True])
def test_a_disk_failing_at_any_call_is_told_and_leaves_a_study_that_goes_on(memory: Path, is_persistent: bool) -> None:
    told, k = 0, 0
    while True:
        k += 1
        shutil.rmtree(memory / "runs", ignore_errors=True)
        known: list[Any] = []
        with failing(k, errno.ENOSPC, is_persistent=is_persistent) as disk:
            try:
                known = [[one._asdict() for one in plan_twice(memory / "runs")]]
            except StoreError as error:
                told += 1
                assert "ENOSPC" in str(error)
        check(memory / "runs", json.loads(json.dumps(known)))
        if not disk.failed:
            break
    assert k > 30 and told > k / 2  # what only informs or cleans up may fail in silence


def test_an_entry_that_could_not_be_written_is_not_glued_to_the_next(memory: Path) -> None:
    with begin(memory) as writer:
        with failing(1, errno.EIO), suppress(StoreError):
            writer.note("lost")
        writer.note("kept")
    assert [entry["what"] for entry in StoredStudy(memory, "delay").journal()] == ["kept"]
