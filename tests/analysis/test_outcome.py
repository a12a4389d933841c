import math

import pytest

from latebloom.analysis.outcome import outcome, outcome_of
from latebloom.analysis.story import tell
from latebloom.base.errors import DataError
from latebloom.detect import Collapsed, Crossing, DelayDetector, replay
from latebloom.store import StoredRun

SPEC = {
    "name": "x",
    "seed": 0,
    "steps": 20_000,
    "task": {"kind": "modular", "modulus": 97, "split_seed": None},
    "model": {"kind": "mlp", "widths": [8, 4]},
    "optimizer": {"kind": "adamw", "weight_decay": 1.0},
    "evaluation": {"every": 100, "per_decade": None, "at": []},
    "interventions": [{"kind": "grokfast_ema", "amplify": 2.0}],
    "detector": {"kind": "grokking"},
}


def test_an_outcome_says_what_the_story_of_the_run_says(stored, records):
    run = stored(records, spec=SPEC)
    story, found = tell(run), outcome_of(run, "plain")
    assert found.happened.step == story.generalized.step
    assert found.happened.previous_step == story.generalized.evidence["previous_step"]
    assert found.happened.known_at == story.generalized.known_at
    assert found.memorized.step == story.memorized.step
    assert (found.verdict, found.final_val) == (story.verdict.family, story.verdict.evidence["final_val"])
    assert (found.arm, found.seed, found.last_step, found.budget_steps) == ("plain", 0, 20_000, 20_000)
    assert found.evaluated == "every 100 steps" and not found.is_lost


def test_a_run_that_ended_sooner_is_censored_where_it_was_last_read(stored, records):
    found = outcome_of(stored(records[:30], spec=SPEC, status="interrupted"), "plain")
    assert (found.happened, found.last_step, found.budget_steps) == (None, 2_900, 20_000)
    assert found.status == "interrupted"


def test_a_run_that_its_rule_found_collapsed_can_never_get_there(stored):
    """The reason is the rule's own, of a run whose weights are gone; control: the same run at the end of its budget."""
    gone = [(100 * i, {"train/loss": 4.79 + 1e-6 * (i % 3), "val/loss": 4.79, "val/accuracy": 0.01}) for i in range(30)]
    gone = [(step, {**readings, "weight_norm/l2": 50.0 if step == 0 else 0.2}) for step, readings in gone]
    rule, state = Collapsed(), Collapsed().init()
    for step, readings in gone:
        state, reason = rule.update(state, step, readings)
        if reason:
            break
    assert step == 2_000 and outcome_of(stored(gone, spec=SPEC, reason=reason), "plain").status == "diverged"
    assert outcome_of(stored(gone, spec=SPEC, reason="all 3,000 steps are done"), "plain").status == "finished"


def test_what_a_crashed_run_logged_counts_though_it_never_summed_it_up(stored, records):
    run = StoredRun(stored(records[:150], spec=SPEC, status="running").path)  # its writer is gone
    assert run.status == "crashed" and run.summary == {}
    assert outcome_of(run, "plain").happened == outcome_of(stored(records, spec=SPEC), "plain").happened


def test_the_budget_is_the_one_the_run_was_extended_to(stored, records):
    run = stored(records, spec=SPEC, journal=[("extended", {"steps": 30_000}), ("extended", {"steps": 50_000})])
    assert outcome_of(run, "plain").budget_steps == 50_000


def test_memorizing_can_be_timed_as_well(stored, records):
    found = outcome_of(stored(records, spec=SPEC), "plain", "memorized")
    assert found.happened == found.memorized is not None


def test_a_part_is_timed_by_its_own_accuracy(stored, records):
    """The truth is the plain crossing of the part's reading, which is what a training announces."""
    mixed = [
        (
            step,
            readings
            | {"val/accuracy/add": records[min(2 * i, len(records) - 1)][1]["val/accuracy"]}
            | {"train/accuracy/add": 1.0, "val/accuracy/divide": 0.0, "train/accuracy/divide": 0.0},
        )
        for i, (step, readings) in enumerate(records)
    ]
    run = stored(mixed, spec=SPEC)
    rule = Crossing(event="generalized/add", reading="val/accuracy/add", at_least=DelayDetector().generalized_at)
    announced = replay(rule, mixed)[1][0]
    whole, add, divide = (outcome_of(run, "a", f"generalized{part}") for part in ("", "/add", "/divide"))
    assert (add.happened.step, add.happened.known_at) == (announced.step, announced.known_at)
    assert add.happened.step < whole.happened.step and add.memorized.step == 0
    assert divide.happened is None and divide.verdict == "confusion"
    with pytest.raises(DataError, match=r"no reading 'val/accuracy/sub'.*val/accuracy/add"):
        outcome_of(run, "a", "generalized/sub")


@pytest.mark.parametrize("event", ["generalised", "memorized/add", "generalized/", "onset"])
def test_an_event_nobody_knows_is_refused(event, records):
    with pytest.raises(DataError, match="expected generalized, memorized"):
        outcome(records, run="a", arm="a", seed=0, event=event)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"optimizer": {"kind": "adamw", "weight_decay": 0.1}, "steps": 7, "name": "y"}, True),
        ({"task": {"kind": "modular", "modulus": 89, "split_seed": None}}, False),
        ({"model": {"kind": "mlp", "widths": [8]}}, False),
        ({"weights": []}, True),  # a version before had no such setting
        ({"weights": [{"run": "a", "step": 5, "sha256": "12"}]}, False),
    ],
)
def test_runs_share_their_start_if_task_model_weights_and_seed_are_equal(stored, records, change, is_same):
    one, other = (outcome_of(stored(records, spec=spec), "a") for spec in (SPEC, SPEC | change))
    assert (one.start_key == other.start_key) == is_same


def test_a_log_from_elsewhere_has_no_known_start(records):
    assert outcome(records, run="a", arm="a", seed=0).start_key is None


def test_settings_are_flat_and_leave_out_what_is_not_set(stored, records):
    assert outcome_of(stored(records, spec=SPEC), "a").settings == {
        "name": "x",
        "seed": 0,
        "steps": 20_000,
        "task.kind": "modular",
        "task.modulus": 97,
        "model.kind": "mlp",
        "model.widths.0": 8,
        "model.widths.1": 4,
        "optimizer.kind": "adamw",
        "optimizer.weight_decay": 1.0,
        "evaluation.every": 100,
        "interventions.0.kind": "grokfast_ema",
        "interventions.0.amplify": 2.0,
        "detector.kind": "grokking",
    }


def test_a_leftover_of_an_interrupted_write_changes_nothing(records):
    torn = [*records[:40], *[(step, {"val/accuracy": 1.0}) for step, _ in records[10:40]], *records[40:]]
    assert outcome(torn, run="a", arm="a", seed=0) == outcome(records, run="a", arm="a", seed=0)


def test_generalization_that_is_gone_at_the_end_is_lost_and_has_still_happened(records):
    fallen = [*records, *[(step, {"train/accuracy": 1.0, "val/accuracy": 0.5}) for step in range(21_000, 24_000, 100)]]
    kept, lost = (outcome(log, run="a", arm="a", seed=0) for log in (records, fallen))
    assert lost.is_lost and not kept.is_lost and lost.happened == kept.happened
    assert (lost.final_val, lost.final_train, lost.best_val > 0.95) == (0.5, 1.0, True)


@pytest.mark.parametrize("records", [[], [(0, {"val/accuracy": math.nan})]])
def test_a_run_with_nothing_in_it_is_censored_at_the_start(records):
    found = outcome(records, run="a", arm="a", seed=0, budget_steps=100)
    assert (found.happened, found.last_step, found.budget_steps, found.best_val) == (None, 0, 100, None)


def test_a_run_whose_description_is_damaged_is_refused(stored, records):
    with pytest.raises(DataError, match="no readable description"):
        outcome_of(stored(records, spec={}), "a")
