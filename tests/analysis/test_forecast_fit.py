"""From runs to chances: what counts as an outcome, what is kept apart, and that a known truth is found again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from latebloom.analysis.forecast.additive import additive_score
from latebloom.analysis.forecast.assess import assess, outcomes
from latebloom.analysis.forecast.calibrate import at_risk, calibrate, folds
from latebloom.analysis.forecast.fit import fit, model_bytes
from latebloom.analysis.forecast.landmarks import Table, landmarks, table
from latebloom.base.seeds import stream
from latebloom.detect.chances import HORIZONS
from latebloom.detect.forecast import SIGNS

from .forecast_corpus import corpus, run

KIND = "accuracy and loss"


@pytest.fixture(scope="module")
def made():
    return corpus()


@pytest.fixture(scope="module")
def comparisons(made):
    return assess(made, KIND)


def test_landmarks_lie_between_fitting_and_generalizing_each_sqrt_two_times_as_late():
    found = landmarks(run(0, 0, 800), KIND)
    steps = [one.step for one in found]
    assert steps[0] >= 50 and steps[-1] < 800 and {one.generalized_at for one in found} == {found[0].generalized_at}
    assert 700 < found[0].generalized_at < 900
    assert all(1.4 < b / a < 1.8 for a, b in pairwise(steps))
    assert landmarks(run(0, 0, 51), KIND) == []  # as soon as it was fitted


def test_an_outcome_counts_if_the_budget_reached_the_horizon_whether_or_not_it_happened():
    # One run ended once it had generalized; the other was trained to its end and would have generalized long after.
    for one in (run(0, 0, 800, ends_at=1200), run(1, 0, 20_000)):
        found = landmarks(one, KIND)
        of = table(found, SIGNS[KIND])
        by_NK = np.array([row.step for row in found])[:, None] * np.array(HORIZONS)
        assert (of.known_NK == (by_NK <= 1495)).all() and not of.known_NK.all() and of.known_NK.any()
        assert (of.happened_NK == (by_NK >= (found[0].generalized_at or np.inf))).all()


def test_censored_rows_are_nobodys_negatives():
    rows = table([one for r in (run(0, 0, 800), run(1, 0, 20_000)) for one in landmarks(r, KIND)], SIGNS[KIND])
    for k, risk_N in enumerate(at_risk(rows)):
        assert rows.known_NK[risk_N, k].all()
        assert k == 0 or not rows.happened_NK[risk_N, k - 1].any()
    assert not at_risk(rows)[2].all()  # control: some rows are left out


def truth(n, seed, censored=True):
    """Rows of which the hazards are known: logit h_k = a_k + b_k x."""
    rng = stream(seed, "test/truth")
    x_N = rng.normal(size=n)
    hazard_NK = 1 / (1 + np.exp(-(np.array([-1.5, -1.0, -0.5]) + np.outer(x_N, [1.0, 0.7, -0.5]))))
    happened_NK = np.cumsum(rng.uniform(size=(n, 3)) < hazard_NK, axis=1) > 0
    reached_N = rng.integers(1, 4, size=n) if censored else np.full(n, 3)
    known_NK = np.arange(1, 4) <= reached_N[:, None]
    p_NK = 1 - np.cumprod(1 - hazard_NK, axis=1)
    return Table(x_N[:, None], happened_NK, known_NK, np.arange(n), np.zeros(n), ("age",)), p_NK


def test_known_chances_are_found_again_from_censored_rows():
    rows, p_NK = truth(6000, 0)
    found = calibrate(rows).probabilities(rows.signs_ND)
    assert np.abs(found - p_NK).mean() < 0.02
    as_negatives = rows._replace(happened_NK=rows.happened_NK & rows.known_NK, known_NK=np.ones_like(rows.known_NK))
    wrong = calibrate(as_negatives).probabilities(rows.signs_ND)
    assert (wrong - p_NK)[:, 2].mean() < -0.1  # control: censored rows counted as negatives


@pytest.mark.parametrize("seed", range(4))
def test_where_the_signs_say_nothing_the_rate_is_told(seed):
    rows, _ = truth(400, seed, censored=False)
    rows = rows._replace(signs_ND=stream(seed, "test/nothing").normal(size=(400, 1)))
    told = calibrate(rows).probabilities(rows.signs_ND)
    assert told.mean(axis=0) == pytest.approx(rows.happened_NK.mean(axis=0), abs=0.03)


def test_no_configuration_is_in_two_folds():
    configuration_N = np.repeat(np.arange(37), 5)
    fold_N = folds(configuration_N, 10, 0, "test")
    assert all(len(set(fold_N[configuration_N == one].tolist())) == 1 for one in range(37))
    sizes = np.bincount(fold_N)
    assert len(sizes) == 10 and sizes.max() - sizes.min() <= 5
    assert (fold_N != folds(configuration_N, 10, 1, "test")).any()


def test_what_the_curves_give_away_is_found_on_configurations_not_seen(comparisons):
    one = comparisons["unseen configurations"][0]
    assert one["auroc_95"][0] > 0.85 and one["skill_95"][0] > 0.3
    assert comparisons["time since fitting alone"][0]["auroc"] < one["auroc"] - 0.1
    assert comparisons["points by hand"][0]["skill"] < one["skill"]
    assert 0.9 < one["told"] <= 1


def test_from_shuffled_outcomes_nothing_is_learned(comparisons):
    for one, true in zip(comparisons["outcomes shuffled"], comparisons["unseen configurations"], strict=True):
        assert 0.3 < one["auroc"] < 0.7 and one["skill_95"][0] < 0.02
        assert true["auroc"] > one["auroc"] + 0.15  # control


def test_tasks_are_held_out_whole(comparisons):
    both = comparisons["unseen task: made"][0], comparisons["unseen task: made otherwise"][0]
    assert sum(one["rows"] for one in both) == comparisons["unseen tasks"][0]["rows"]
    assert "unseen studies" not in comparisons  # there is one


def test_the_same_corpus_and_seed_give_the_same_chances(made):
    rows = table([one for r in made.runs for one in landmarks(r, "accuracy")], SIGNS["accuracy"])
    one, other, third = (calibrate(rows, seed).plain() for seed in (0, 0, 1))
    assert one == other and one != third
    assert one["weights_KD"] == third["weights_KD"]  # the seed decides the folds of the correction, nothing else


@pytest.mark.slow
def test_a_corpus_gives_the_same_file_twice(made):
    assert model_bytes(fit(made)) == model_bytes(fit(made))


@pytest.mark.slow
def test_runs_from_elsewhere_are_judged_and_not_learned_from(made, comparisons):
    away = made._replace(runs=[run(900 + i, 7, 300 + 60 * i) for i in range(20)])
    told = assess(made, KIND, [away])
    assert told["elsewhere"][0]["groups"] == 20 and told["elsewhere: made"] == told["elsewhere"]
    assert told["unseen configurations"] == comparisons["unseen configurations"]


def test_a_corpus_of_a_few_configurations_is_refused(made):
    one = fit(made._replace(runs=made.runs[:20]))
    assert not one.chances and all("20 are needed" in why for why in one.refused.values())


@pytest.mark.slow
def test_jumps_that_nothing_announces_are_not_foretold(made):
    def flat(one):
        at = np.exp(stream(one.configuration, "test/coin").uniform(np.log(60), np.log(20_000)))
        val = [0.0 if step < 50 else 0.3 if step < at else 1.0 for step in one.steps]
        return one._replace(readings=one.readings | {"val/accuracy": val})

    told = assess(made._replace(runs=[flat(one) for one in made.runs]), "accuracy")
    assert told["unseen configurations"][0]["skill_95"][0] < 0.02


def test_what_became_of_the_runs_is_counted(made):
    of = outcomes(made)["made"]
    assert of["configurations"] == 60 and of["runs"] == 120
    assert 0 < of["generalized later"] < of["waiting"] <= of["runs"]


def test_points_by_hand_are_those_of_the_list():
    one = run(0, 0, None)  # the training loss is 2.5 / (50 + step), below 0.1 from the reading at step 5 on
    points = {step: additive_score(one, step) for step in (0, 10, 40, 85, 1495)}
    assert points == pytest.approx({0: 0.0, 10: 0.4, 40: 0.5, 85: 0.6, 1495: 0.7})
