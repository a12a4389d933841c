"""What becomes of studies, single runs and event files, whole and in pieces."""

import pytest

from latebloom.analysis.published import publish, read_published
from latebloom.base.errors import DataError, SpecError, StoreError
from latebloom.report.comparison.compared import compared
from latebloom.report.comparison.foreign import of_folder
from latebloom.report.comparison.stored import of_runs, of_study
from latebloom.store import Store, StoredStudy
from latebloom.store.tensorboard import EventWriter
from report.experiment import DIVERGED, arms_plan, gathered, records, spec_of, store_run, stored_study


def warned(told, text):
    return [one for one in told.comparison.warnings if text in one]


def test_a_study_of_known_times_gives_the_known_ratio(tmp_path):
    study = stored_study(tmp_path, arms_plan({"l1": [1000, 2000, 1500], "baseline": [2000, 4000, 3000]}))
    told = compared(of_study(study))
    (contrast,) = told.comparison.contrasts
    assert (told.comparison.baseline, contrast.arm, contrast.is_paired) == ("baseline", "l1", True)
    assert contrast.ratio == pytest.approx(2)
    assert told.title == "study test" and told.comparison.horizon_steps == 10_000
    assert [one.arm for one in told.outcomes] == ["l1"] * 3 + ["baseline"] * 3  # plan order; the run's own id
    assert {one.run for one in told.outcomes} == {one.run for one in study.planned} == set(told.curves)
    assert told.curves[study.planned[0].run].val.steps[-1] == 1400


def test_runs_that_have_not_begun_are_counted_and_named(tmp_path):
    plan = arms_plan({"baseline": [2000, 3000, "waiting"], "l1": [1000, "waiting", "waiting"]})
    told = compared(of_study(stored_study(tmp_path, plan)))
    begun, provisional = told.comparison.warnings[0].split(". ")
    assert begun == "3 of 6 planned runs have not begun: baseline (1); l1 (2)"
    assert provisional.startswith("Conclusions before all are over are provisional")
    assert [arm.n for arm in told.comparison.arms] == [2, 1]


def test_runs_that_are_not_over_and_runs_without_a_reading_are_named(tmp_path):
    plan = arms_plan({"baseline": [2000, 3000, 2500], "l1": [1000, None, None]})
    told = compared(of_study(stored_study(tmp_path, plan, lasts={("l1", 1): 700, ("l1", 2): 0})))
    assert warned(told, "Not over, and counted as far as they are: 2 interrupted.")
    assert warned(told, "Left out, because not evaluated after step 0: l1 seed 2.")
    assert told.comparison.arms[1].counts.unfinished == 1


def test_a_run_that_diverged_before_it_was_read_counts_as_one_that_never_gets_there(tmp_path):
    """To leave it out would flatter its arm: the three that are left are all sooner."""
    times = [2000, 2100, 2200, 2300, 2400, 2500, 2600, 2700]
    plan = arms_plan({"baseline": times, "hot": [1000, 1100, *[DIVERGED] * 5, 1200]})
    (_, hot), (found,) = (
        compared(of_study(stored_study(tmp_path, plan, lasts={("hot", seed): 0 for seed in range(2, 7)}))).comparison
    )[3:5]
    assert (hot.n, hot.counts.diverged, found.conclusion) == (8, 5, "no difference shown")


def test_a_damaged_run_is_left_out_and_a_damaged_line_is_told(tmp_path):
    study = stored_study(tmp_path, arms_plan({"baseline": [2000, 3000], "l1": [1000, 1200]}))
    (tmp_path / study.planned[0].run / "run.json").write_text("{")
    readings = tmp_path / study.planned[2].run / "readings.jsonl"
    lines = readings.read_text().splitlines()
    readings.write_text("\n".join([*lines[:3], lines[3].replace("0.1", "0.9"), *lines[4:]]) + "\n")
    told = compared(of_study(study))
    assert warned(told, f"Left out of baseline: 1, because run {study.planned[0].run} has no readable description")
    assert told.comparison.arms[0].n == 1
    assert warned(told, f"{study.planned[2].run} of l1 is damaged: readings.jsonl: line 4 is damaged")


def test_a_study_without_runs_says_how_to_train_them(tmp_path):
    with pytest.raises(DataError, match="none of the 2 runs of study 'test' has begun"):
        of_study(stored_study(tmp_path, arms_plan({"baseline": ["waiting"], "l1": ["waiting"]})))


def test_one_arm_is_no_comparison_and_the_error_knows_what_else_differs(tmp_path):
    plan = [({"seed": s}, {"optimizer": {"weight_decay": w}}, 1000) for s, w in enumerate((0.1, 1.0))]
    study = stored_study(tmp_path, plan)
    with pytest.raises(
        DataError, match=r"all runs are of one arm, 'all', .*They differ in optimizer.weight_decay: try --by"
    ):
        compared(of_study(study))
    assert compared(of_study(study, by=["optimizer.weight_decay"])).names == {
        "optimizer.weight_decay=0.1": "weight_decay=0.1",
        "optimizer.weight_decay=1.0": "weight_decay=1.0",
    }
    with pytest.raises(DataError, match="there is no run to compare"):
        compared(gathered({}))


def two_axes(tmp_path):
    """Arms times weight decay: the time of l1 is half, that of a weight decay of 0.1 ten times as long."""
    plan = [
        ({"arm": arm, "optimizer.weight_decay": decay, "seed": seed}, {"optimizer": {"weight_decay": decay}}, time)
        for arm, faster in (("baseline", 1), ("l1", 2))
        for decay, slower in ((1.0, 1), (0.1, 10))
        for seed, time in enumerate((400 * slower // faster, 600 * slower // faster))
    ]
    return stored_study(tmp_path, plan)


def test_an_axis_that_a_grouping_ignores_is_refused_where_seeds_would_count_twice(tmp_path):
    study = two_axes(tmp_path)
    with pytest.raises(SpecError, match=r"differ in optimizer.weight_decay \(1.0, 0.1\) and share their seeds"):
        of_study(study, by=["arm"])
    for where, time in (("0.1", 4000), ("1", 400)):
        told = compared(of_study(study, by=["arm"], where={"optimizer.weight_decay": [where]}))
        assert told.comparison.contrasts[0].ratio == pytest.approx(2)
        assert told.outcomes[0].happened.step == time


def test_an_axis_that_a_grouping_ignores_is_told_where_it_changes_the_start(tmp_path):
    plan = [
        ({"arm": arm, "task.train_fraction": share, "seed": 0}, {"task": {"train_fraction": share}}, 1000)
        for arm in ("baseline", "l1")
        for share in (0.3, 0.5)
    ]
    told = compared(of_study(stored_study(tmp_path, plan), by=["arm"]))
    assert warned(told, "l1 holds runs that differ in task.train_fraction (0.3, 0.5).")


def test_arms_are_all_of_a_label_but_the_seed(tmp_path):
    told = compared(of_study(two_axes(tmp_path), where={"seed": ["0..9"]}), baseline="l1, weight_decay=0.1")
    assert told.comparison.baseline == "l1, optimizer.weight_decay=0.1"
    assert [arm.n for arm in told.comparison.arms] == [2, 2, 2, 2]


def test_keys_and_values_that_mean_nothing_are_refused(tmp_path):
    study = two_axes(tmp_path)
    with pytest.raises(SpecError, match=r"'armm' is no label and no setting of these runs\. Did you mean 'arm'"):
        of_study(study, by=["armm"])
    with pytest.raises(SpecError, match="--where leaves none of the 8 runs of study 'test'"):
        of_study(study, where={"seed": ["9"]})
    with pytest.raises(DataError, match="baseline = 'l2' is no arm"):
        compared(of_study(study), baseline="l2")


def test_a_run_of_one_task_stands_for_that_part_of_a_mixture(tmp_path):
    mixture = {"kind": "mixture", "parts": {"divide": {"share": 0.5}, "add": {"share": 0.5}}}
    plan = [({"arm": "divide", "seed": s}, {}, t) for s, t in enumerate((2000, 3000))]
    plan += [({"arm": "both", "seed": s}, {"task": mixture}, "waiting") for s in (0, 1)]
    study = stored_study(tmp_path, plan)
    for planned, time in zip(study.planned[2:], (1000, 1500), strict=True):
        rows = [
            (
                step,
                {f"{name}/{part}": value for part in ("divide", "add") for name, value in readings.items()} | readings,
            )
            for step, readings in records(time, 3000)
        ]
        rows = [(step, readings | {"val/accuracy": 0.5, "val/accuracy/add": 0.1}) for step, readings in rows]
        store_run(tmp_path, "both", planned.label["seed"], planned.spec, rows, run_id=planned.run)
    whole = compared(of_study(study), horizon_steps=3000)
    assert whole.comparison.arms[1].event.happened == 0
    assert warned(whole, "both: several tasks, and generalized means all of them taken together; --event generalized/")
    part = compared(of_study(study, event="generalized/divide"))
    assert part.comparison.contrasts[0].ratio == pytest.approx(2)
    assert part.comparison.event == "generalized/divide"
    assert warned(part, "divide: trained on divide alone, so its whole validation stands for that part.")
    both = part.curves[study.planned[2].run]
    assert both.val.values[-1] == 1 and whole.curves[study.planned[2].run].val.values[-1] == 0.5


def test_single_runs_are_grouped_by_their_names_without_the_seed(tmp_path):
    times = {
        ("slow", 0): 2000,
        ("slow", 1): 3000,
        ("fast seed=0", 0): 1000,
        ("fast seed=1", 1): 1500,
        ("other", 0): 500,
    }
    for (name, seed), at in times.items():
        store_run(tmp_path, name, seed, spec_of(seed, name=name), records(at, 4000))
    told = compared(of_runs(Store(tmp_path), ["slow", "fast"]))
    assert {arm.arm: arm.n for arm in told.comparison.arms} == {"slow": 2, "fast": 2}
    assert told.comparison.contrasts[0].ratio == pytest.approx(2)
    with pytest.raises(StoreError, match="There is no run 'nope'"):
        of_runs(Store(tmp_path), ["slow", "nope"])


def test_a_number_in_a_name_that_is_not_the_seed_stays(tmp_path):
    for name in ("permutation-s5", "permutation-s4"):
        store_run(tmp_path, name, 0, spec_of(0), records(1000, 2000))
    told = compared(of_runs(Store(tmp_path), ["permutation-s5", "permutation-s4"]))
    assert list(told.names) == ["permutation-s5", "permutation-s4"]


def log(folder, at, last, *, percent, names=("Accuracy/train", "Accuracy/val")):
    writer = EventWriter(folder, wall_time=1.7e9)
    for step, readings in records(at, last):
        tagged = zip(names, readings.values(), strict=True)
        writer.append(step, {tag: value * (100 if percent else 1) for tag, value in tagged}, 1.7e9)
    writer.close()


def test_a_folder_of_event_files_gives_the_known_ratio(tmp_path):
    for arm, slower in (("adam", 1), ("slow/deep", 2)):
        for seed, at in enumerate((1000, 1500)):
            log(tmp_path / f"{arm}_seed{seed}", at * slower, at * slower + 500, percent=True)
    told = compared(of_folder(tmp_path))
    (contrast,) = told.comparison.contrasts
    assert contrast.ratio == pytest.approx(1 / 2) and not contrast.is_paired
    assert told.comparison.horizon_steps == 3500  # the longest log, not the shortest
    assert warned(told, "'adam_seed0' is seed 0 of 'adam'")
    assert warned(told, "is in per cent; divided by 100. (4 of 4 runs)")
    assert max(told.curves["adam_seed0"].val.values) == 1
    assert [one.arm for one in told.outcomes] == ["adam", "adam", "slow/deep", "slow/deep"]


def test_logs_that_tell_of_nothing_are_left_out_by_name(tmp_path):
    log(tmp_path / "a", 1000, 2000, percent=False)
    log(tmp_path / "b", 1000, 2000, percent=False)
    log(tmp_path / "c", 1000, 2000, percent=False, names=("x", "y"))
    told = compared(of_folder(tmp_path))
    assert warned(told, "c was left out: run c has no reading 'val/accuracy'")
    assert warned(told, "No seed in the name, so seed 0 of an arm of its own: a, b.")
    assert told.comparison.contrasts[0].conclusion == "not comparable"


def test_a_study_of_nothing_but_censored_and_diverged_runs_is_told_as_it_is(tmp_path):
    plan = arms_plan({"baseline": [None, None, DIVERGED], "l1": [DIVERGED, None, None]})
    told = compared(of_study(stored_study(tmp_path, plan)))
    assert told.comparison.contrasts[0].conclusion == "no difference shown"
    assert [arm.counts.diverged for arm in told.comparison.arms] == [1, 1]


def test_the_comparison_of_a_published_study_is_that_of_its_runs(tmp_path):
    study = stored_study(tmp_path, arms_plan({"baseline": [2000, 3000, None], "l1": [1000, 1200, "waiting"]}))
    (tmp_path / "test.json").write_bytes(publish(study, "latebloom sweep test", "2026-01-31"))
    runs, file = (compared(of_study(one)) for one in (study, read_published(tmp_path / "test.json")))
    assert file.comparison == runs.comparison and file.outcomes == runs.outcomes
    assert file.title == runs.title and "1 of 6 planned runs have not begun" in file.comparison.warnings[0]


def test_looking_changes_nothing_on_disk(tmp_path):
    study = stored_study(tmp_path, arms_plan({"baseline": [2000], "l1": [1000]}))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    compared(of_study(StoredStudy(tmp_path, study.name)))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
