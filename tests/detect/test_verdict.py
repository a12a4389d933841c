import json
import random
import re

import pytest

from latebloom.detect import DelayDetector, between, percent, replay, verdict

RECORDED = {
    "mech__adamw_sc1.0_wd1.0_s0": ("grokking", 100, 375),
    "add_normctl__k1_s0": ("ordinary_learning", 50, 100),
    "group_complexity__capA_A5_adamw_d256_s1": ("memorization", 100, None),
    "s5_mech__adamw_sc1.0_wd0.01_s0": ("memorization", 100, None),
    "mech__adamw_sc3.0_wd0.01_s0": ("partial", 75, None),
}


def judge(records, **settings):
    detector = DelayDetector(**settings)
    return verdict(detector, replay(detector, records)[0], records[-1][0])


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_runs_are_judged_as_by_eye(log, name):
    family, fit, gen = RECORDED[name]
    judged = judge(log(name))
    assert (judged.family, judged.evidence["memorized_at_step"], judged.evidence["generalized_at_step"]) == (
        family,
        fit,
        gen,
    )


def test_the_numbers_of_a_recorded_run_are_those_measured_elsewhere(log):
    judged = judge(log("mech__adamw_sc1.0_wd1.0_s0"))
    assert judged.ratio == pytest.approx(376 / 101)  # (375 + 1) / (100 + 1)
    assert judged.delay_steps == 275
    assert judged.evidence["gained_by_fit"] == pytest.approx(0.388, abs=5e-4)  # label file, three digits


def test_made_curves_are_judged_as_made(curve):
    family, records = curve
    assert judge(records).family == family


def test_the_unit_of_the_step_axis_does_not_change_the_family(curve):
    family, records = curve
    assert judge([(1000 * step, readings) for step, readings in records]).family == family


@pytest.mark.parametrize("seed", range(5))
def test_noise_does_not_change_the_family(curve, seed):
    family, records = curve
    draw = random.Random(seed)
    noisy = [
        (step, {name: min(1.0, max(0.0, value + draw.gauss(0, 0.005))) for name, value in readings.items()})
        for step, readings in records
    ]
    # Noise makes a training accuracy of 1 cross 0.99 downwards now and then; a crossing forgives one in five.
    assert judge(noisy, memorized_at=0.97).family == family


def test_thinning_does_not_change_the_family(curve):
    family, records = curve
    assert judge(records[::5] if len(records) > 60 else records).family == family


def test_a_run_that_never_fitted_its_training_set_is_never_grokking(make):
    records = [(step, {**r, "train/accuracy": min(r["train/accuracy"], 0.97)}) for step, r in make(600, 7000)]
    judged = judge(records)
    assert judged.family == "ordinary_learning"
    assert "Nothing was memorized first" in judged.headline
    assert judged.ratio is None and judged.delay_steps is None


def test_training_that_rises_but_never_fits_is_underfit(make):
    records = [(step, {**r, "train/accuracy": min(r["train/accuracy"], 0.8)}) for step, r in make(600, None)]
    assert judge(records).family == "underfit"


def test_what_has_not_happened_is_censored_and_never_called_impossible(make):
    judged = judge(make(600, None))
    assert judged.censored_at_step == 20_000
    assert "right-censored at step 20,000" in judged.headline
    assert "Whether it would later is not known" in judged.headline
    assert judged.delay_steps is None


def test_a_crossing_too_young_to_be_sustained_is_in_progress(make):
    records = make(600, 7000)
    young = next(i for i, (_, r) in enumerate(records) if r["val/accuracy"] >= 0.95) + 2
    judged = judge(records[:young])
    assert judged.family == "in_progress" and judged.censored_at_step == records[young - 1][0]


def test_validation_that_rose_and_fell_is_told_apart_from_memorization(make):
    records = make(600, 3000, top=0.6) + [
        (20_000 + 100 * i, {"train/accuracy": 1.0, "val/accuracy": 0.1}) for i in range(1, 30)
    ]
    assert judge(records).family == "rose_then_fell"


def test_generalization_that_was_lost_again_is_said_in_the_headline(make):
    records = make(600, 7000) + [(20_000 + 100 * i, {"train/accuracy": 1.0, "val/accuracy": 0.2}) for i in range(1, 10)]
    judged = judge(records)
    assert judged.family == "grokking" and "lost again: validation accuracy was 20%" in judged.headline


def test_the_headline_says_between_which_evaluations_a_crossing_lies(make):
    judged = judge(make(600, 7000))
    step = judged.evidence["generalized_at_step"]
    assert judged.evidence["generalized_previous_evaluation"] == step - 100
    assert f"between {step - 100:,} and {step:,}" in judged.headline


def test_an_empty_run_has_a_verdict(make):
    judged = judge([(0, {})])
    assert judged.family == "insufficient_data"
    json.dumps(judged._asdict(), allow_nan=False)


def test_every_verdict_is_json_and_says_what_would_refute_it(curve):
    judged = judge(curve[1])
    json.dumps(judged._asdict(), allow_nan=False)
    json.dumps(judged.columns(), allow_nan=False)
    assert judged.refuted_by.startswith(("Refuted", "Decided")) and judged.headline.endswith(".")


def test_words_for_numbers():
    assert between(1000, 900) == "between 900 and 1,000"
    assert between(0, None) == "by step 0, the first evaluation"
    assert [percent(share) for share in (0.99, 0.995, 1.0, 0.0061)] == ["99%", "99.5%", "100%", "0.6%"]


def test_a_share_of_variance_is_not_called_accuracy_in_any_headline(curve):
    family, records = curve
    of_numbers = DelayDetector(train_reading="train/r2", val_reading="val/r2", chance=0.0)
    renamed = [(step, {n.replace("accuracy", "r2"): v for n, v in read.items()}) for step, read in records]
    told = verdict(of_numbers, replay(of_numbers, renamed)[0], renamed[-1][0])
    assert told.family == family and "accuracy" not in told.headline
    if family != "insufficient_data":
        assert re.search(r"explained (training|validation) variance", told.headline)
        assert "accuracy" in judge(records).headline  # control: of accuracies it is
