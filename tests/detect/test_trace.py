import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.shapes import stationary
from latebloom.detect.course import Course
from latebloom.detect.gauge import gauge
from latebloom.detect.sustained import crossed
from latebloom.detect.trace import begun, copied, course, take

ACCURACY = gauge("val/accuracy", floor=0.0)
levels = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def trace(values, one=ACCURACY, every=10):
    seen = None
    for i, value in enumerate(values):
        seen = followed(seen, i * every, one.scale.level(float(value)), one)
    return seen


def followed(seen, step, x, one):
    if seen is None:
        return begun(step, x, one.scale)
    seen = copied(seen)
    take(seen, step, x, one.scale)
    return seen


@given(levels)
def test_best_and_top_are_those_of_the_definition(values):
    seen = trace(values)
    windows = [sorted(values[max(0, i - 4) : i + 1]) for i in range(2, len(values))]
    assert seen["best"] == max((window[(len(window) - 1) // 2] for window in windows), default=None)
    assert (seen["top"], seen["low"]) == (max(values), min(values))
    assert seen["top_step"] == 10 * values.index(max(values))


@given(levels)
def test_the_level_is_the_median_of_the_last_three(values):
    if len(values) >= 3:
        assert trace(values)["level"] == statistics.median(values[-3:])


@given(levels, st.integers(0, 60))
def test_saving_a_trace_as_json_changes_nothing_and_following_a_copy_leaves_it_as_it_was(values, at):
    seen = None
    for i, value in enumerate(values):
        if i == at:
            seen = json.loads(json.dumps(seen, allow_nan=False))
        before = json.dumps(seen)
        new = followed(seen, 10 * i, value, ACCURACY)
        assert json.dumps(seen) == before
        seen = new
    assert seen == trace(values)


@pytest.mark.parametrize("sigma", [0.01, 0.1, 1.0])
def test_the_noise_is_the_standard_deviation_whatever_the_trend(sigma):
    one = gauge("score")
    noise = sigma * stationary("normal", 4000, 0)
    for slope in (0.0, 0.05 * sigma):
        seen = trace(10 + slope * np.arange(4000) + noise, one)
        assert seen["jitter"] == pytest.approx(sigma, rel=0.3)
        assert seen["noise"] == pytest.approx(sigma, rel=0.4)  # the largest of three estimates


def test_slow_wandering_counts_as_noise_though_neighbours_hardly_differ():
    seen = trace(0.1 * stationary("autocorrelated 0.9", 4000, 1), gauge("score"))
    assert seen["noise"] > 0.07
    assert seen["jitter"] < 0.05


def test_outliers_are_hardly_noise():
    heavy = stationary("heavy-tailed", 4000, 2)
    assert np.std(heavy) > 2
    assert trace(heavy, gauge("score"))["noise"] < 2


def test_a_standard_error_that_is_known_is_the_least_noise():
    assert trace([0.5] * 50)["noise"] < 0.01
    assert trace([0.5] * 50, gauge("val/accuracy", standard_error=0.03))["noise"] == 0.03
    # of a loss: 0.1 / 2 = 0.05 in its logarithm
    assert trace([2.0] * 50, gauge("val/loss", standard_error=0.1))["noise"] == pytest.approx(0.05)


def test_the_course_remembers_every_reading_once_in_bounded_memory():
    seen = trace(np.linspace(0, 1, 30_000))
    stretches = course(seen)
    assert sum(count for _, _, count in stretches) == 30_000
    assert len(stretches) < 400
    assert len(json.dumps(seen)) < 30_000
    assert Course.of(seen).mean(0) == pytest.approx(0.5, abs=1e-3)
    assert Course.of(seen).mean(15_000) == pytest.approx(0.75, abs=0.02)
    assert Course.of(seen).first(0.5) == pytest.approx(150_000, rel=2 / 32)  # two stretches


def test_the_best_of_a_course_is_the_best_mean_of_so_many_readings():
    values = [0.0] * 10 + [1.0] * 4 + [0.6] * 10 + [0.0] * 8  # short: each reading is a stretch of its own
    best = Course.of(trace(values)).best(5)
    smooth = [statistics.median(values[max(0, i - 2) : i + 1]) for i in range(len(values))]
    assert best == pytest.approx(max(np.mean(smooth[i : i + 5]) for i in range(len(values) - 4)))


def test_a_crossing_needs_four_of_five_and_is_dated_by_the_first():
    assert crossed(trace([0, 0, 1, 1, 0, 1]), 0.9) is None
    found = crossed(trace([0, 0, 1, 1, 0, 1, 1]), 0.9)
    assert (found["step"], found["previous_step"], found["known_at"], found["reading"]) == (20, 10, 60, 2)


def test_a_trend_is_no_turn_and_a_swing_is():
    assert trace(np.linspace(0, 1, 100))["turns"] == 0
    waves = 0.5 + 0.4 * np.sin(np.arange(100) / 5)
    extremes = sum(math.pi / 2 + k * math.pi < 99 / 5 - 0.8 for k in range(7))  # and on by more than the swing
    assert trace(waves)["turns"] == extremes
