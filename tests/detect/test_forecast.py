"""Chances of generalizing: laws, a case worked by hand, and every reason to say nothing."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from latebloom import EpochMetrics, GrokDetector
from latebloom.base.errors import DataError
from latebloom.base.seeds import stream
from latebloom.detect import Watch, gauge
from latebloom.detect.chances import HORIZONS, NEVER, Chances
from latebloom.detect.forecast import SIGNS, Model, forecast, model_of, shipped

from .test_signs import WATCH, log, state_after

ROWS = log(range(0, 2001, 10))


def chances(names, **given):
    """A model in which every sign counts a little, and that holds everywhere unless told otherwise."""
    d = len(names)
    told = {
        "signs": tuple(names),
        "center_D": np.zeros(d),
        "scale_D": np.ones(d),
        "intercept_K": np.array([-1.0, -0.5, 0.0]),
        "weights_KD": np.full((3, d), 0.1),
        "bias_K": np.zeros(3),
        "gain_K": np.ones(3),
        "precision_DD": np.eye(d),
        "farthest": 1e6,
        "lowest_D": np.full(d, -1.0),
        "highest_D": np.full(d, 1.0),
        "oldest_K": np.array([9.0, 9.0, 9.0]),
    }
    return Chances(**{**told, **given})


def model(**given):
    return Model({kind: chances(names, **given) for kind, names in SIGNS.items()}, {}, {})


def test_one_sign_by_hand():
    one = chances(
        ["age"],
        center_D=np.array([1.0]),
        scale_D=np.array([2.0]),
        intercept_K=np.array([0.0, math.log(3), 0.0]),
        weights_KD=np.array([[0.0], [0.0], [math.log(9)]]),
        gain_K=np.array([1.0, 1.0, 0.5]),
    )
    # z = (3 - 1) / 2 = 1: hazards 1/2, 3/4 and, with half of ln 9, 3/4
    assert one.probabilities(np.array([[3.0]]))[0] == pytest.approx([0.5, 0.875, 1 - 0.5 * 0.25 * 0.25])


def test_a_longer_horizon_is_never_less_likely():
    rng = stream(0, "test/chances")
    for _ in range(50):
        drawn = chances(
            SIGNS["loss"],
            intercept_K=rng.normal(0, 5, 3),
            weights_KD=rng.normal(0, 3, (3, 3)),
            bias_K=rng.normal(0, 2, 3),
            gain_K=rng.exponential(1, 3),
        )
        p_NK = drawn.probabilities(rng.normal(0, 3, (40, 3)))
        assert (np.diff(p_NK, axis=1) >= 0).all() and p_NK.min() >= 0 and p_NK.max() <= 1


def test_a_model_comes_back_from_json_bit_for_bit():
    rng = stream(1, "test/chances")
    one = model(weights_KD=rng.normal(size=(3, 1)) * np.ones((3, 1)))
    back = model_of(json.loads(json.dumps(one.plain())), "here")
    for kind, before in one.chances.items():
        for a, b in zip(before, back.chances[kind], strict=True):
            assert np.array_equal(a, b)


def test_what_is_no_model_is_refused():
    with pytest.raises(DataError, match="latebloom forecast fit"):
        model_of({"kind": "latebloom study"}, "here")
    with pytest.raises(DataError, match="Upgrade"):
        model_of({**shipped().plain(), "schema": 99}, "here")


def test_a_fitted_run_is_told_a_chance_for_each_horizon():
    found = forecast(WATCH, state_after(ROWS), model())
    assert found.why_not is None and found.judged_by == "accuracy and loss" and found.step == 2000
    assert [one.factor for one in found.chances] == list(HORIZONS)
    assert [one.by_step for one in found.chances] == [4000, 8000, 20000]
    ps = [one.probability for one in found.chances]
    assert ps == sorted(ps) and found.at(4) == ps[1] and found.at(3) is None


def accuracies(rows):
    return [(step, {name: of[name] for name in ("train/accuracy", "val/accuracy")}) for step, of in rows]


def losses(rows):
    return [(step, {name: of[name] for name in ("train/loss", "val/loss")}) for step, of in rows]


LOSSES = Watch(train=gauge("train/loss"), val=gauge("val/loss"), norm=None)


def test_what_is_read_decides_which_signs_are_judged():
    assert forecast(Watch(), state_after(accuracies(ROWS), Watch()), model()).judged_by == "accuracy"
    assert forecast(LOSSES, state_after(losses(ROWS), LOSSES), model()).judged_by == "loss"


GENERALIZED = [(step, {**of, "val/accuracy": 0.1 if step < 1500 else 1.0}) for step, of in ROWS]
ONE_ABOVE = [*ROWS[:-1], (2000, {**ROWS[-1][1], "val/accuracy": 0.99})]
CORRELATION = Watch(train=gauge("train/accuracy"), val=gauge("val/correlation"), norm=None)
REASONS = {
    "no validation": (Watch(val=None), accuracies(ROWS), {}, "no validation reading"),
    "no training": (Watch(train=None), accuracies(ROWS), {}, "no training reading"),
    "not fitted": (WATCH, ROWS[:9], {}, "not fitted yet"),
    "generalized": (WATCH, GENERALIZED, {}, "generalized already, at 1,500"),
    "at the target": (WATCH, ONE_ABOVE, {}, "at its target"),
    "few readings": (WATCH, log([0, *range(100, 150, 10)]), {}, "10 readings are needed, and there are 6"),
    "sparse": (WATCH, log([*range(0, 200, 10), 2000], rises=0.2), {}, "too few readings since half"),
    "other thresholds": (WATCH.but(generalized_at=0.8), ROWS, {}, "usual thresholds"),
    "correlation": (
        CORRELATION,
        [(s, {"train/accuracy": of["train/accuracy"], "val/correlation": 0.1}) for s, of in ROWS],
        {},
        "calibrated on accuracies or losses",
    ),
    "not moved": (WATCH, log(range(0, 2001, 10), rises=0.01), {}, "less than a tenth of the way"),
    "unlike": (WATCH, ROWS, {"farthest": 0.5}, "unlike those .* most of all age: 2.99, there -1 to 1"),
}


@pytest.mark.parametrize("name", REASONS)
def test_where_nothing_can_be_said_the_reason_is(name):
    watch, rows, given, reason = REASONS[name]
    told = {"lowest_D": [-1.0] + [-99.0] * 4, "highest_D": [1.0] + [99.0] * 4} if name == "unlike" else {}
    one = Model({k: chances(n, **given) for k, n in SIGNS.items()}, {}, {})
    if told:
        told = {key: np.array(value) for key, value in told.items()}
        one = Model({"accuracy and loss": chances(SIGNS["accuracy and loss"], **given, **told)}, {}, {})
    found = forecast(watch, state_after(rows, watch), one)
    assert found.chances == ()
    assert found.why_not is not None
    assert re.search(reason, found.why_not), found.why_not


def test_a_kind_of_log_that_was_refused_is_told_why():
    one = Model({}, {"loss": "the corpus could not tell"}, {})
    assert forecast(LOSSES, state_after(losses(ROWS), LOSSES), one).why_not == "the corpus could not tell"


def test_a_horizon_that_the_corpus_did_not_observe_is_left_out_alone():
    found = forecast(WATCH, state_after(ROWS), model(oldest_K=np.array([9.0, 9.0, 1.0])))
    assert [one.probability is None for one in found.chances] == [False, False, True]
    assert "only up to 2.72 times" in found.chances[2].why_not
    never = forecast(WATCH, state_after(ROWS), model(oldest_K=np.array([9.0, NEVER, NEVER])))
    assert "no better than the rate" in never.chances[1].why_not


def test_the_detector_in_a_loop_tells_the_same_chance_or_none(monkeypatch):
    monkeypatch.setattr("latebloom.detect.forecast.shipped", model)
    detector, told = GrokDetector(), []
    for step, of in ROWS:
        metrics = EpochMetrics(step, of["train/loss"], of["val/loss"], of["train/accuracy"], of["val/accuracy"])
        told.append(detector.update(metrics).grokking_probability)
        if told[-1] != (told[-2] if len(told) > 1 else None):  # worked out anew, which is not every time
            p = detector.forecast().at(4)
            assert math.isnan(told[-1]) if p is None else told[-1] == p
    assert math.isnan(told[5]) and 0 < told[-1] < 1
    assert 50 < len(set(told[20:])) < 170


def test_before_the_first_epoch_a_detector_says_why_nothing_is_told():
    assert GrokDetector().forecast().why_not == "there is no validation reading"


@pytest.mark.parametrize("part", ["schema", "chances", "refused", "card"])
def test_a_damaged_model_is_refused_in_words(part):
    plain = shipped().plain()
    assert model_of(plain, "here").plain() == plain
    with pytest.raises(DataError, match=f"here is a damaged forecast model .*{part}"):
        model_of({key: value for key, value in plain.items() if key != part}, "here")
