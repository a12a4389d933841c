import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latebloom.analysis.resampling import (
    MOST_ARRANGEMENTS,
    holm,
    interval,
    permutation_test,
    relabellings,
    resamples,
    sign_flips,
)
from latebloom.analysis.survival import restricted_mean
from latebloom.base.seeds import stream


def difference(values_N):
    """Mean of the first arm less mean of the second, for every arrangement."""
    return lambda masks: (masks @ values_N) / masks.sum(1) - (~masks @ values_N) / (~masks).sum(1)


def relabelling_p(first, second, rng=None):
    values = np.concatenate([first, second])
    masks, is_exact = relabellings(len(first), len(values), rng or stream(0, "test"))
    return permutation_test(difference(values), np.mean(first) - np.mean(second), masks, is_exact=is_exact)


def flipping_p(first, second, rng=None):
    masks, is_exact = sign_flips(len(first), rng or stream(0, "test"))
    values = np.concatenate([first, second])
    return permutation_test(difference(values), np.mean(first) - np.mean(second), masks, is_exact=is_exact)


@pytest.mark.parametrize(("first", "runs"), [(1, 1), (1, 4), (3, 3), (2, 5), (4, 9)])
def test_every_way_to_choose_an_arm_comes_once(first, runs):
    masks, is_exact = relabellings(first, runs, stream(0, "test"))
    chosen = [tuple(np.flatnonzero(mask)) for mask in masks]
    assert is_exact and sorted(chosen) == list(itertools.combinations(range(runs), first))


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_every_way_to_swap_within_pairs_comes_once(pairs):
    masks, is_exact = sign_flips(pairs, stream(0, "test"))
    assert is_exact and (masks[:, :pairs] == ~masks[:, pairs:]).all()
    assert sorted(map(tuple, masks[:, :pairs])) == list(itertools.product([False, True], repeat=pairs))


def test_too_many_arrangements_are_drawn_and_each_is_one():
    for masks, is_exact, first in ((*relabellings(9, 20, stream(0, "test")), 9), (*sign_flips(15, stream(0, "t")), 15)):
        assert not is_exact and len(masks) == MOST_ARRANGEMENTS - 1 and (masks.sum(1) == first).all()
        assert abs(masks.mean(0) - first / masks.shape[1]).max() < 5 * 0.5 / math.sqrt(len(masks))


@pytest.mark.parametrize("seed", range(3))
def test_exact_p_of_two_equal_samples_is_that_of_scipy(seed):
    first, second = np.random.default_rng(seed).normal(size=(2, 6))
    for ours, kind in ((relabelling_p, "independent"), (flipping_p, "samples")):
        published = stats.permutation_test(
            (first, second), lambda a, b: a.mean() - b.mean(), permutation_type=kind, n_resamples=np.inf
        )
        assert ours(first, second).is_exact
        assert ours(first, second).p == pytest.approx(published.pvalue)


def test_exact_p_of_unequal_samples_with_ties_is_the_count_by_hand():
    """Of the 10 ways to choose 2 of {1, 2, 2, 3, 7}, those with |difference of means| >= 13/3 are {2,7}, {2,7}, {3,7}.

    Observed: first {2, 7}, mean 4.5; second {1, 2, 3}, mean 2; difference 2.5. Reached by sums of 9 and more, {2, 7}
    twice and {3, 7} once, and by {1, 2} twice: 1.5 - 4 = -2.5.
    """
    found = relabelling_p([2.0, 7.0], [1.0, 2.0, 3.0])
    assert (found.p, found.arrangements) == (0.5, 10)


def test_a_drawn_p_is_the_exact_one_within_its_error():
    first, second = np.random.default_rng(3).normal(loc=[[0.8], [0]], size=(2, 10))
    pool = np.concatenate([first, second])
    sums = np.array([sum(chosen) for chosen in itertools.combinations(pool, 10)])
    exact = np.mean(abs(2 * sums - pool.sum()) >= abs(first.sum() - second.sum()) - 1e-9)  # all 184,756
    found = relabelling_p(first, second)
    assert not found.is_exact and found.arrangements == MOST_ARRANGEMENTS
    assert abs(found.p - exact) < 4 * math.sqrt(exact * (1 - exact) / MOST_ARRANGEMENTS)


def test_a_drawn_p_is_never_zero():
    assert relabelling_p(np.arange(20.0), np.arange(20.0) + 1e6).p == 1 / MOST_ARRANGEMENTS


def test_the_same_seed_draws_the_same():
    for draw in (
        lambda rng: relabellings(10, 20, rng)[0],
        lambda rng: sign_flips(20, rng)[0],
        lambda r: resamples(9, r),
    ):
        assert (draw(stream(1, "a")) == draw(stream(1, "a"))).all()
        assert (draw(stream(1, "a")) != draw(stream(2, "a"))).any()


def false_positives(p_of, experiments=400, runs=6):
    draw = np.random.default_rng(11)
    return sum(p_of(*draw.lognormal(9, 1, size=(2, runs))) <= 0.05 for _ in range(experiments)) / experiments


def censored_p(first, second):
    """The test of a comparison: both arms are watched to the same horizon."""
    times, horizon = np.concatenate([first, second]), math.exp(9.5)
    values, happened = np.log(np.minimum(times, horizon)), times <= horizon
    masks, is_exact = relabellings(len(first), len(times), stream(0, "test"))

    def ratio(masks):
        means = (restricted_mean(values, happened, math.log(horizon), side) for side in (masks, ~masks))
        return np.subtract(*means)

    return permutation_test(ratio, ratio(np.arange(len(times))[None] < len(first))[0], masks, is_exact=is_exact).p


def dropping_p(first, second):
    """Arms with different budgets, of which the runs that did not get there are left out."""
    first, second = first[first < math.exp(9)], second[second < math.exp(11)]
    return relabelling_p(np.log(first), np.log(second)).p if len(first) > 1 and len(second) > 1 else 1.0


@pytest.mark.parametrize("p_of", [censored_p, lambda a, b: flipping_p(a, b).p], ids=["censored", "pairs"])
def test_arms_that_do_not_differ_are_called_different_at_most_one_time_in_twenty(p_of):
    """Six runs an arm can be arranged in 924 ways, six pairs in 64, so the exact levels are 0.0498 and 0.03125."""
    rate = false_positives(p_of)
    assert 0.01 < rate < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)  # three standard deviations of the binomial law


def test_to_drop_censored_runs_calls_equal_arms_different():
    """Control: the same times, one arm with the smaller budget."""
    assert false_positives(dropping_p, experiments=200) > 0.1


def test_intervals_of_few_runs_hold_the_truth_as_often_as_they_say_and_plain_quantiles_do_not():
    """Simulated means of 5 normal values around 0. The plain quantiles are the control: why the interval is wider."""
    draw, held, plainly = np.random.default_rng(2), 0, 0
    for _ in range(120):
        drawn = resamples(5, draw) @ draw.normal(size=5) / 5
        low, high = interval(drawn, 5)
        held += low <= 0 <= high
        low, high = np.quantile(drawn, [0.025, 0.975])
        plainly += low <= 0 <= high
    assert 0.90 < held / 120 < 0.99
    assert plainly / 120 < 0.95 - 3 * math.sqrt(0.95 * 0.05 / 120)


def test_the_corrected_ps_of_a_published_example():
    """R 4, help page of p.adjust: method holm for 0.01 to 0.05."""
    assert holm([0.03, 0.01, 0.05, 0.02, 0.04]) == pytest.approx([0.09, 0.05, 0.09, 0.08, 0.09])
    assert holm([]) == [] and holm([0.5, 0.6]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0.001, 0.999))
def test_a_corrected_p_is_below_a_level_exactly_where_the_step_down_procedure_rejects(ps, level):
    """The procedure as Holm wrote it: go up from the smallest, stop at the first that is not below level / (m - k)."""
    rejected = set()
    for k, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        if (len(ps) - k) * ps[place] > level:
            break
        rejected.add(place)
    assert {place for place, p in enumerate(holm(ps)) if p <= level} == rejected
