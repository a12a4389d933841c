import json
import math

import pytest

from benchmarks.shapes import SHAPES, as_accuracy, as_correlation, as_loss, expected, made
from latebloom.detect import Watch, gauge, judge, replay

READINGS = {
    "accuracy": (Watch(), as_accuracy),
    "loss": (Watch(train=gauge("train/loss"), val=gauge("val/loss")), as_loss),
    "correlation": (Watch(train=gauge("train/loss"), val=gauge("val/correlation")), as_correlation),
}
RECORDED = {
    "mech__adamw_sc1.0_wd1.0_s0": ("grokking", "stable", 100, 375),
    "add_normctl__k1_s0": ("ordinary_learning", "stable", 50, 100),
    "group_complexity__capA_A5_adamw_d256_s1": ("memorization", None, 100, None),
    "s5_mech__adamw_sc1.0_wd0.01_s0": ("memorization", None, 100, None),
    "mech__adamw_sc3.0_wd0.01_s0": ("partial", None, 75, None),
}


def verdict(watch, records, declared=()):
    state = watch.init(declared)
    for step, readings in records:
        state, _ = watch.update(state, step, readings)
    return judge(watch, state)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_runs_are_judged_as_by_eye(log, name):
    family, after, fit, gen = RECORDED[name]
    judged = verdict(Watch(), log(name))
    told = (judged.evidence["memorized_at_step"], judged.evidence["generalized_at_step"])
    assert (judged.family, judged.after, told) == (family, after, (fit, gen))


def test_the_numbers_of_a_recorded_run_are_those_measured_elsewhere(log):
    judged = verdict(Watch(), log("mech__adamw_sc1.0_wd1.0_s0"))
    assert judged.ratio == pytest.approx(376 / 101)
    assert judged.delay_steps == 275
    assert judged.evidence["gained_by_fit"] == pytest.approx(0.388, abs=2e-3)  # label file


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("evaluations", [60, 300])
def test_made_curves_are_judged_as_made(reading, shape, evaluations):
    watch, curves = READINGS[reading]
    run = made(shape, evaluations, 0)
    families, after = expected(run, reading)
    judged = verdict(watch, curves(run), run.declared)
    assert judged.family in families
    assert after is None or judged.after == after
    json.dumps(judged._asdict(), allow_nan=False)
    assert judged.refuted_by.startswith(("Refuted", "Decided")) and judged.headline.endswith(".")
    assert judged.censored_at_step == (
        None if judged.evidence["generalized_at_step"] is not None else int(run.steps[-1])
    )


INVARIANT = [name for name in SHAPES if name not in ("three rows",)]


@pytest.mark.parametrize("shape", INVARIANT)
def test_neither_the_unit_of_the_steps_nor_holes_nor_per_cent_change_the_verdict(shape):
    run = made(shape, 300, 1)
    records = as_accuracy(run)
    plain = verdict(Watch(), records)
    changed = {
        "steps": [(1000 * step, r) for step, r in records],
        "holes": [
            (step, {name: math.nan if (i + k) % 9 == 4 else value for k, (name, value) in enumerate(r.items())})
            for i, (step, r) in enumerate(records)
        ],
        "thinned": records[::5],
        "per cent": [(step, {name: 100 * value for name, value in r.items()}) for step, r in records],
        "alternating": [
            (2 * step + k, {name: value}) for step, r in records for k, (name, value) in enumerate(r.items())
        ],
    }
    for change, rows in changed.items():
        judged = verdict(Watch(), rows)
        assert judged.family == plain.family, change
        if shape != "spikes":  # every fifth reading may miss what lasts for one
            assert judged.after == plain.after, change


@pytest.mark.parametrize("cap", [0.6, 0.9, 0.97])
def test_a_run_that_never_fitted_its_training_set_is_never_grokking(cap):
    rows = [
        (s, {**r, "train/accuracy": min(cap, r["train/accuracy"])}) for s, r in as_accuracy(made("classic", 300, 0))
    ]
    judged = verdict(Watch(), rows)
    assert judged.family == "ordinary_learning"
    assert "Nothing was memorized first" in judged.headline
    assert judged.ratio is None and judged.delay_steps is None


def test_training_readings_never_stand_in_for_validation():
    rows = [(s, {"train/accuracy": r["val/accuracy"]}) for s, r in as_accuracy(made("classic", 300, 0))]
    judged = verdict(Watch(), rows)
    assert judged.family == "insufficient_data" and "no validation reading" in judged.headline


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_training_reading_nothing_is_called_late_or_memorized(shape):
    only = [(s, {"val/accuracy": r["val/accuracy"]}) for s, r in as_accuracy(made(shape, 300, 0))]
    allowed = {"insufficient_data", "rose_then_fell", "unstable", "early_best_degradation"}
    assert verdict(Watch(train=None), only).family in allowed


def test_memorization_is_right_censored_and_never_called_final():
    judged = verdict(Watch(), as_accuracy(made("memorized only", 300, 0)))
    assert judged.censored_at_step == 20_000
    assert "right-censored at step 20,000" in judged.headline and "is not known" in judged.headline


@pytest.mark.parametrize("width", [600, 10])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_rise_cut_off_anywhere_is_never_called_a_fall(noise, width):
    """The mean of the last eighth of a steep rise is far below its best, though nothing ever got worse."""
    import numpy as np

    steps = np.arange(0, 20_000, 100)
    drawn = np.random.default_rng(0).normal(0, noise, len(steps))
    val = np.clip(0.01 + 0.98 / (1 + np.exp(np.clip((12_050 - steps) / width, -50, 50))) + drawn, 0, 1)
    records = [
        (int(s), {"train/accuracy": float(s >= 1000), "val/accuracy": float(v)})
        for s, v in zip(steps, val, strict=True)
    ]
    watch, state, families = Watch(), Watch().init(), []
    for step, readings in records:
        state, _ = watch.update(state, step, readings)
        families.append(judge(watch, state))
    told = list(dict.fromkeys(one.family for one in families[20:]))
    assert told[-1] == "grokking" and {*told} <= {"memorization", "in_progress", "partial", "grokking"}
    assert {one.after for one in families[20:]} == {None, "too_early", "stable"}
    down = [(20_000 + step, {**r, "val/accuracy": 0.1}) for step, r in records[:60]]  # control: this one has fallen
    lost = verdict(Watch(), [*records[:130], *down])
    assert (lost.family, lost.after) == (("rose_then_fell", None) if width == 600 else ("grokking", "anti_grokking"))


def test_why_it_is_not_called_delayed_is_the_condition_that_fails():
    """Ten times as late as the fit, but four fifths were there by then."""
    records = [(i, {"train/accuracy": float(i >= 5), "val/accuracy": min(0.98, 0.85 + i / 500)}) for i in range(120)]
    judged = verdict(Watch(), records)
    assert judged.family == "ordinary_learning" and judged.ratio > 5
    assert "of the gain was there when the training set was fitted" in judged.headline
    soon = [(i, {"train/accuracy": float(i >= 50), "val/accuracy": float(i >= 60)}) for i in range(120)]
    assert verdict(Watch(), soon).headline.endswith("That is not late enough to call it delayed.")


def test_what_is_lost_together_with_training_is_no_anti_grokking_also_where_training_was_never_fitted():
    records = [(i, {"train/accuracy": 0.97 if i else 0.1, "val/accuracy": 0.965 if i else 0.1}) for i in range(50)]
    both = [(i, {"train/accuracy": 0.1, "val/accuracy": 0.1}) for i in range(50, 100)]
    one = [(i, {"train/accuracy": 0.97, "val/accuracy": 0.1}) for i in range(50, 100)]
    assert verdict(Watch(), records + both).after == "training_collapse"
    assert verdict(Watch(), records + one).after != "training_collapse"  # control


def test_a_log_that_ends_at_the_crossing_is_provisional():
    records = as_accuracy(made("classic", 300, 0))
    first = next(i for i, (_, r) in enumerate(records) if r["val/accuracy"] >= 0.95)
    judged = verdict(Watch(), records[: first + 2])
    assert judged.family == "grokking" and judged.after == "too_early"
    assert judged.evidence["provisional"] == "yes" and "Provisional" in judged.headline
    assert verdict(Watch(), records[: first + 1]).family == "in_progress"
    assert verdict(Watch(), records).evidence["provisional"] == "no"


def test_a_lucky_crossing_in_noise_is_no_generalization():
    import numpy as np

    draw = np.random.default_rng(3)
    noisy = np.clip(0.6 + 0.3 * draw.normal(size=3000), 0, 1)
    rows = [(i, {"train/accuracy": min(1.0, i / 5), "val/accuracy": float(v)}) for i, v in enumerate(noisy)]
    _, events = replay(Watch(), rows)
    assert "generalized" in {event.kind for event in events}  # four of five were above
    assert verdict(Watch(), rows).family not in ("grokking", "ordinary_learning")


def test_how_long_the_rise_took_tells_sharp_from_gradual():
    assert verdict(Watch(), as_accuracy(made("classic", 1500, 0))).shape != "gradual"
    assert verdict(Watch(), as_accuracy(made("gradual", 1500, 0))).shape == "gradual"
    step = [(s, {"train/accuracy": 1.0 if s else 0.0, "val/accuracy": float(s > 5000)}) for s in range(0, 10_000, 20)]
    assert verdict(Watch(), step).shape == "sharp"


def test_a_partial_generalization_long_after_the_fit_is_told_from_one_with_it():
    late = verdict(Watch(), as_accuracy(made("partial", 300, 0)))
    assert late.shape == "late" and "Partial grokking" in late.headline
    together = [(s, {**r, "val/accuracy": 0.6 * r["train/accuracy"]}) for s, r in as_accuracy(made("partial", 300, 0))]
    judged = verdict(Watch(), together)
    assert judged.family == "partial" and judged.shape is None and "Partial generalization" in judged.headline


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("grokking, then anti-grokking", "lost again while the training set stayed fitted (anti-grokking)"),
        ("grokking, then training collapse", "lost again together with the training set (training collapse)"),
        ("oscillating", "lost and found again several times (unstable)"),
    ],
)
def test_what_became_of_it_stands_in_the_headline(shape, words):
    judged = verdict(Watch(), as_accuracy(made(shape, 300, 0)))
    assert judged.headline.startswith("Grokking") and words in judged.headline


def test_a_training_set_that_is_lost_without_generalization_is_a_collapse():
    rows = as_accuracy(made("memorized only", 300, 0))
    lost = [(s, {**r, "train/accuracy": r["train/accuracy"] * (0.3 if s > 12_000 else 1)}) for s, r in rows]
    judged = verdict(Watch(), lost)
    assert (judged.family, judged.after) == ("memorization", "training_collapse")
    assert "The training set was lost again" in judged.headline
    assert verdict(Watch(), rows).after is None  # control


def test_a_run_that_ends_in_no_number_has_collapsed():
    rows = as_accuracy(made("classic", 300, 0))
    broken = rows[:280] + [(s, dict.fromkeys(r, math.nan)) for s, r in rows[280:]]
    judged = verdict(Watch(), broken)
    assert (judged.family, judged.after) == ("grokking", "training_collapse")
    assert "At the end train/accuracy and val/accuracy was no number" in judged.headline
    mended = broken[:295] + rows[295:]
    assert verdict(Watch(), mended).after == "stable"  # control


def test_a_known_floor_and_ceiling_decide_what_counts():
    """A correlation that cannot exceed 0.75 has generalized at 0.72; one that could reach 1 has not."""
    records = as_correlation(made("classic", 300, 0))
    known = Watch(train=gauge("train/loss"), val=gauge("val/correlation", ceiling=0.75))
    higher = Watch(train=gauge("train/loss"), val=gauge("val/correlation", ceiling=1.0))
    assert verdict(known, records).family == "grokking"
    assert verdict(known, records).evidence["val_target"] == pytest.approx(0.95 * 0.75)
    assert verdict(higher, records).family == "partial"


def test_a_scale_that_nobody_knows_is_judged_by_itself():
    """Negative log-likelihoods of densities go below 0; only their own way from first to best can be judged."""
    rows = [
        (s, {"train/accuracy": r["train/accuracy"], "val/score": -50 + 30 * r["val/accuracy"]})
        for s, r in as_accuracy(made("classic", 300, 0))
    ]
    watch = Watch(val=gauge("val/score", better="higher"))
    assert verdict(watch, rows).family == "grokking"
    flipped = [(s, {**r, "val/score": -r["val/score"]}) for s, r in rows]
    assert verdict(Watch(val=gauge("val/score", better="lower")), flipped).family == "grokking"
