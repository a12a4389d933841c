"""Jumps of a curve: found where they were put, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from latebloom.analysis.jump import find_jumps
from latebloom.base.record import Curve


def falling(seed: int, noise: float, count: int = 300) -> np.ndarray:
    return np.exp(-np.arange(count) / 60 + noise * np.random.default_rng(seed).standard_normal(count))


@pytest.mark.parametrize("factor", [2.0, 1e6])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_a_spike_is_found_where_it_is_in_any_unit(factor: float, scale: float) -> None:
    values = falling(0, 0.01) * scale
    values[200:204] *= [factor, factor * 1.5, factor, 1.1]
    (jump,) = find_jumps(Curve(np.arange(300) * 10, values))
    assert (jump.previous_step, jump.first_step, jump.step) == (1990, 2000, 2010)
    assert jump.value == values[201] and jump.before == pytest.approx(values[199], rel=0.05)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1, 0.5])
def test_noise_alone_jumps_in_less_than_one_of_a_thousand_readings(noise: float) -> None:
    found = sum(len(find_jumps(Curve(np.arange(300), falling(seed, noise)))) for seed in range(20))
    assert found <= 6


def test_two_jumps_are_two_and_a_level_that_stays_is_one() -> None:
    values = falling(1, 0.01)
    values[100:103] *= 5
    values[200:] *= 5
    assert [jump.first_step for jump in find_jumps(Curve(np.arange(300), values))] == [100, 200]


def test_readings_that_are_no_numbers_are_left_out() -> None:
    values = falling(2, 0.01)
    values[50:60] = np.nan
    values[150] *= 10
    assert [jump.step for jump in find_jumps(Curve(np.arange(300), values))] == [150]


def test_a_curve_of_three_readings_has_none() -> None:
    assert find_jumps(Curve(np.arange(3), np.array([1.0, 0.1, 5.0]))) == []
