"""Scores of probabilities against their definitions, and the regression against the equations that it solves."""

from __future__ import annotations

import numpy as np
import pytest

from latebloom.analysis.forecast.logistic import fit_logistic
from latebloom.analysis.forecast.scores import auroc, brier, reliability, scores, skill
from latebloom.base.seeds import stream


def drawn(n=300, seed=0):
    rng = stream(seed, "test/scores")
    p_N = np.round(rng.uniform(size=n), 2)  # with ties
    return p_N, rng.uniform(size=n) < p_N


def test_auroc_is_the_share_of_pairs_in_the_right_order_ties_counting_half():
    p_N, y_N = drawn()
    pairs = p_N[y_N][:, None] - p_N[~y_N][None, :]
    assert auroc(p_N, y_N) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert auroc(-p_N, y_N) == pytest.approx(1 - auroc(p_N, y_N))
    assert np.isnan(auroc(p_N, np.ones(len(p_N), bool)))


def test_saying_the_rate_has_no_skill_and_saying_the_outcome_has_all():
    _, y_N = drawn()
    rate_N = np.full(len(y_N), y_N.mean())
    assert skill(rate_N, y_N) == pytest.approx(0, abs=1e-12)
    assert brier(rate_N, y_N) == pytest.approx(y_N.mean() * (1 - y_N.mean()))
    assert skill(y_N.astype(float), y_N) == 1 and brier(1.0 - y_N, y_N) == 1
    assert skill(1.0 - y_N, y_N) < 0


def test_reliability_puts_every_row_in_its_tenth():
    p_N, y_N = np.array([0.0, 0.05, 0.31, 0.39, 1.0]), np.array([False, True, False, True, True])
    assert [tuple(one) for one in reliability(p_N, y_N)] == [(0.025, 0.5, 2), (0.35, 0.5, 2), (1.0, 1.0, 1)]


def test_calibrated_probabilities_have_slope_one_and_surer_ones_less():
    p_N, y_N = drawn(4000)
    p_N = np.clip(p_N, 0.01, 0.99)
    told = scores(p_N, y_N, np.arange(len(p_N)), stream(0, "test"))
    logit_N = np.log(p_N / (1 - p_N))
    surer = scores(1 / (1 + np.exp(-2 * logit_N)), y_N, np.arange(len(p_N)), stream(0, "test"))
    assert told.slope == pytest.approx(1, abs=0.1) and surer.slope == pytest.approx(told.slope / 2, rel=1e-3)
    assert surer.auroc == told.auroc and surer.skill < told.skill


def test_copies_of_the_rows_of_a_group_make_nothing_surer():
    p_N, y_N = drawn(200)
    group_N = np.arange(200) // 4
    one = scores(p_N, y_N, group_N, stream(0, "test"))
    copied = scores(*(np.repeat(of, 5) for of in (p_N, y_N, group_N)), stream(0, "test"))
    assert copied.auroc_95 == pytest.approx(one.auroc_95) and copied.skill_95 == pytest.approx(one.skill_95)
    alone = scores(np.repeat(p_N, 5), np.repeat(y_N, 5), np.arange(1000), stream(0, "test"))
    assert np.ptp(alone.auroc_95) < 0.6 * np.ptp(one.auroc_95)  # control: rows taken for independent


def test_the_regression_solves_its_equations():
    rng = stream(0, "test/logistic")
    z_ND = rng.normal(size=(500, 3))
    y_N = rng.uniform(size=500) < 1 / (1 + np.exp(-(z_ND @ [2.0, -1.0, 0.0] - 1)))
    fit = fit_logistic(z_ND, y_N, ridge=2.0)
    p_N = 1 / (1 + np.exp(-fit.logit(z_ND)))
    assert p_N.sum() == pytest.approx(y_N.sum())
    assert z_ND.T @ (y_N - p_N) == pytest.approx(2.0 * fit.weights_D, abs=1e-5)
    assert fit.weights_D == pytest.approx([2, -1, 0], abs=0.4)


def test_rows_that_a_line_separates_have_a_finite_answer_under_a_ridge():
    z_ND = np.linspace(-1, 1, 20)[:, None]
    fit = fit_logistic(z_ND, z_ND[:, 0] > 0, ridge=1.0)
    assert 1 < fit.weights_D[0] < 10


def test_without_any_event_the_chance_is_small_and_the_signs_count_nothing():
    fit = fit_logistic(np.ones((8, 2)), np.zeros(8, bool))
    assert 1 / (1 + np.exp(-fit.intercept)) == pytest.approx(0.1) and not fit.weights_D.any()
