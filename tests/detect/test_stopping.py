"""Rules that wait: what ends a run, and above all what does not."""

from __future__ import annotations

import json
import math

import pytest

from benchmarks.shapes import as_accuracy, as_correlation, as_loss, made
from benchmarks.stopping import EarlyStopping, stopped_at
from latebloom.base.component import from_dict
from latebloom.base.errors import SpecError
from latebloom.detect import AfterGeneralization, AnyOf, Collapsed, OnDegradation, Patient, StoppingRule

ALL = AnyOf(rules=(OnDegradation(), Patient(), Collapsed()))
LATE = ["classic", "gradual", "double descent", "oscillating", "in progress"]


def why(rule, records):
    """Step and reason; every state is what JSON can hold, as in a checkpoint."""
    state = json.loads(json.dumps(rule.init(), allow_nan=False))
    for step, readings in records:
        keys = set(state)
        state, reason = rule.update(state, step, readings)
        state = json.loads(json.dumps(state, allow_nan=False))
        assert set(state) == keys  # or a checkpoint would be refused
        if reason:
            return step, reason
    return None, None


@pytest.mark.parametrize("curve", [as_accuracy, as_loss, as_correlation])
@pytest.mark.parametrize("shape", LATE)
def test_a_late_bloomer_is_never_ended(shape, curve):
    for seed in (0, 1):
        assert stopped_at(ALL, curve(made(shape, 150, seed), 0.02, seed)) is None


@pytest.mark.parametrize(
    "readings",
    [
        {"train/loss": 2.0, "val/correlation": math.nan},  # all answers equal: a correlation has no value yet
        {"train/loss": 0.0, "train/accuracy": 1.0, "val/accuracy": 0.31},  # exactly 0 in float32; decay still moves it
        {"train/accuracy": 1.0, "val/accuracy": 0.31, "learning_rate": 1e-3},
    ],
)
def test_what_stands_still_or_has_no_value_for_another_reason_is_no_collapse(readings):
    still = [(100 * i, dict(readings)) for i in range(60)]
    moving = [(step, {**r, "train/loss": 2.0 - step / 1e5}) for step, r in still]
    assert why(Collapsed(), moving if readings.get("train/loss") else still) == (None, None)
    assert why(Collapsed(), [(step, {**r, "train/loss": math.nan}) for step, r in still])[0] == 200  # controls
    assert why(Collapsed(), [(step, {**r, "train/loss": 1.5, "val/correlation": 0.1}) for step, r in still])[0] == 2000
    assert why(Collapsed(), [(0, {"val/correlation": 0.5}), *moving[1:]])[0] == (
        300 if "val/correlation" in readings else None
    )


def test_a_bump_before_the_fit_that_is_lost_does_not_end_a_run_that_generalizes_late():
    """Accuracy 0.45 that falls to 0.17 while the training set is fitted; generalization at twelve times the fit."""
    import numpy as np

    draw = np.random.default_rng(0)
    steps = np.arange(0, 20_000, 50)
    val = np.where(steps < 500, 0.45 * steps / 500, np.where(steps < 1000, 0.45 - 0.28 * (steps - 500) / 500, 0.17))
    val = np.where(steps >= 12_000, 0.99, val) + draw.normal(0, 0.01, len(steps))
    records = [
        (int(s), {"train/accuracy": min(1.0, s / 1000), "val/accuracy": float(v)})
        for s, v in zip(steps, val, strict=True)
    ]
    assert why(OnDegradation(), [r for r in records if r[0] < 10_000]) == (None, None)
    gone = [(s, {**r, "val/accuracy": 0.17}) for s, r in records]
    late = [(s, {**r, "val/accuracy": 0.9 if 2000 <= s < 2500 else 0.17}) for s, r in gone]
    assert why(OnDegradation(), late)[0] < 10_000  # control: a best after the fit that is lost


def test_ordinary_early_stopping_ends_the_same_late_bloomers_before_they_generalize():
    """Control: these curves can be stopped too early, and are, by what training libraries call patience."""
    for shape in ("classic", "double descent"):
        run = made(shape, 150, 0)
        generalized = run.steps[(run.val >= 0.95).argmax()]
        for curve in (as_accuracy, as_loss):
            assert stopped_at(EarlyStopping(10), curve(run, 0.02, 0)) < generalized


@pytest.mark.parametrize(
    "name", ["group_complexity__capA_A5_adamw_d256_s1", "mech__adamw_sc3.0_wd0.01_s0", "mech__adamw_sc1.0_wd1.0_s0"]
)
def test_recorded_runs_that_may_still_follow_are_only_ended_by_a_patience_that_is_over(name, log):
    records = log(name)
    assert stopped_at(AnyOf(rules=(OnDegradation(), Collapsed())), records) is None
    ended = stopped_at(Patient(), records)
    assert ended is None or ended >= 100 * 75  # the earliest of them is fitted at 75


@pytest.mark.parametrize(
    ("shape", "curve"),
    [("rose then fell", as_accuracy), ("early best", as_accuracy), ("rose then fell", as_correlation)],
)
def test_what_is_lost_for_good_ends_a_run_and_the_reason_names_the_best(shape, curve):
    run = made(shape, 300, 0)
    step, reason = why(OnDegradation(), curve(run, 0.01, 0))
    best = int(run.steps[run.val.argmax()])
    assert best < step < run.steps[-1] and reason.startswith("val/") and "worse than its best" in reason
    assert step >= 1.9 * best  # in noise the best may be seen a little earlier


def test_memorizing_is_no_degradation_however_high_the_validation_loss_climbs():
    assert why(OnDegradation(), as_loss(made("memorized only", 150, 0)._replace(overconfidence=20.0)))[0] is None


def memorized(fit, steps):
    return [(s, {"train/accuracy": float(s >= fit), "val/accuracy": 0.01}) for s in steps]


@pytest.mark.parametrize("times", [3, 10, 50])
def test_patience_is_a_multiple_of_the_time_that_fitting_took(times):
    step, reason = why(Patient(times=times), memorized(200, range(0, 20_001, 100)))
    assert step == times * 200
    assert reason.startswith(f"right-censored at step {step:,}") and "not known" in reason


def test_before_the_training_set_is_fitted_patience_has_no_end():
    assert why(Patient(times=2), memorized(math.inf, range(0, 20_001, 100)))[0] is None


def test_a_sign_of_validation_starts_the_wait_again():
    silent = memorized(200, range(0, 20_001, 100))
    stirring = [(s, {**r, "val/accuracy": 0.01 + 0.15 * (s >= 1500)}) for s, r in silent]
    assert why(Patient(times=10), silent)[0] == 2000
    assert 15_000 <= why(Patient(times=10), stirring)[0] <= 17_000  # the level is a median of 3


def test_what_has_generalized_is_not_a_question_of_patience():
    both = [(s, {"train/accuracy": float(s >= 200), "val/accuracy": float(s >= 900)}) for s in range(0, 20_001, 100)]
    assert why(Patient(times=10), both)[0] is None


def losses(values):
    return [(10 * i, {"train/loss": value, "val/loss": 4.6, "train/accuracy": 0.01}) for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "step", "words"),
    [
        ([1.0, 0.9, math.nan, 0.8, math.nan, math.nan, math.nan], 60, "train/loss is no number in 3 evaluations"),
        ([1.0, *[11.0] * 30], 50, "above 10 times its first value for 5 evaluations"),
        ([1.0, 0.5, *[0.25] * 30], 70, "no reading has changed in its last bit for 5 evaluations"),
    ],
)
def test_nothing_can_come_from_no_numbers_a_diverged_loss_or_weights_that_rest(values, step, words):
    found, reason = why(Collapsed(for_evaluations=5), losses(values))
    assert found == step and words in reason


def test_accuracies_that_stand_still_are_no_collapse():
    """A fitted training set and a validation at chance: every classic run before it groks."""
    assert why(Collapsed(), memorized(0, range(0, 20_001, 10)))[0] is None


def decayed(left, train=4.79, val=4.79, moves=0.0):
    """Weights that shrink by 5% an evaluation to a share of what they were; the losses, and how train moves since."""
    norms = [max(50 * 0.95**i, 50 * left) for i in range(200)]
    return [
        (
            10 * i,
            {
                "train/loss": train * (1 - moves) ** i + 1e-6 * (i % 3),  # or nothing would move to the last bit
                "val/loss": val * (1 - moves) ** i,
                "weight_norm/l2": norm,
            },
        )
        for i, norm in enumerate(norms)
    ]


def test_weights_that_have_decayed_to_nothing_end_a_run_and_the_reason_says_what_is_left():
    step, reason = why(Collapsed(for_evaluations=5), decayed(0.004))
    assert step == 10 * (math.ceil(math.log(0.01, 0.95)) + 4)  # the first evaluation below a hundredth, and 4 more
    assert "of its largest" in reason and "4.79" in reason and "less decay or penalty" in reason.lower()


@pytest.mark.parametrize(
    "records",
    [
        decayed(0.02),  # shrunk, as weight decay does it, and not gone
        decayed(0.004, val=5.1),  # small weights that tell training examples from others
        decayed(0.004, moves=0.002),  # small weights that learn
        [(s, {**r, "weight_norm/l2": 0.2}) for s, r in decayed(0.004)],  # small from the start
        [(s, {n: v for n, v in r.items() if n != "val/loss"}) for s, r in decayed(0.004, moves=1e-9)],
    ],
    ids=["shrunk", "two losses", "learning", "small start", "one loss only"],
)
def test_weights_that_are_only_small_are_no_collapse(records):
    assert why(Collapsed(for_evaluations=5), records)[0] is None


def test_a_recorded_run_whose_weights_a_penalty_took_ends_20_evaluations_after_they_were_gone(log):
    records = log("s5__l1_per_norm_s1")
    gone = next(step for step, readings in records if readings["weight_norm/l2"] < 0.01 * 56.73306)  # its first norm
    step, reason = why(Collapsed(), records)
    assert step == gone + 19 * 100 < records[-1][0] and "4.787" in reason  # ln 120, the loss of knowing nothing
    assert math.isclose(records[-1][1]["val/loss"], math.log(120), rel_tol=1e-5)  # and so it stayed


def test_a_spike_that_comes_back_is_no_collapse():
    assert why(Collapsed(for_evaluations=5), losses([1.0, 0.1, 50.0, 40.0, 12.0, 0.1 - 1e-9] * 10))[0] is None


def test_several_rules_are_the_earliest_of_them():
    records = memorized(200, range(0, 20_001, 100))
    rules = (Patient(times=30), Patient(times=7), Collapsed())
    assert why(AnyOf(rules=rules), records)[0] == min(why(rule, records)[0] for rule in rules[:2]) == 1400


def test_a_recipe_names_every_rule_by_kind():
    given = {"kind": "any_of", "rules": [{"kind": "patient", "times": 50}, {"kind": "after_generalization"}]}
    assert from_dict(StoppingRule, given) == AnyOf(rules=(Patient(times=50), AfterGeneralization()))
    with pytest.raises(SpecError, match="rules"):
        from_dict(StoppingRule, {"kind": "any_of", "rules": []}, "stopping")
    with pytest.raises(SpecError):
        from_dict(StoppingRule, {"kind": "any_of", "rules": [{"kind": "never"}]}, "stopping")


def test_three_lines_are_enough_in_any_loop():
    rule = Patient(times=10)
    state, reason = rule.init(), None
    for epoch in range(1, 1000):
        state, reason = rule.update(state, epoch, {"train/accuracy": float(epoch > 5), "val/accuracy": 0.1})
        if reason:
            break
    assert epoch == 60
