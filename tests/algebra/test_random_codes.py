"""Random codes: the same whatever else is drawn, labelled as they are kept, and distributed as published."""

from __future__ import annotations

import numpy as np
import pytest

from latebloom.algebra.analog_codes import heights
from latebloom.algebra.analog_codes.random_codes import BLOCK, DISTRIBUTIONS, GROUPS, draw, groups_named
from latebloom.base.errors import DataError, SpecError

# Mean and variance of log2 h_m of the public project's groups: reals uniform on [-100, 100], 40,000 matrices each.
PUBLISHED = {
    **{(9, 4, 2): (7.18, 0.196), (9, 4, 3): (8.09, 0.251), (9, 4, 4): (9.91, 0.908), (9, 4, 5): (14.53, 3.398)},
    **{(9, 5, 2): (8.27, 0.231), (9, 5, 3): (10.10, 0.863), (9, 5, 4): (14.92, 3.417)},
    **{(9, 6, 2): (9.50, 0.637), (9, 6, 3): (14.20, 3.362)},
    **{(10, 4, 2): (5.88, 0.855), (10, 4, 3): (7.47, 0.108), (10, 4, 4): (8.41, 0.290), (10, 4, 5): (10.42, 0.937)},
    **{(10, 4, 6): (15.30, 3.410), (10, 5, 2): (7.81, 0.125), (10, 5, 3): (8.82, 0.330), (10, 5, 4): (10.91, 0.953)},
    **{(10, 5, 5): (16.13, 3.500), (10, 6, 2): (8.72, 0.242), (10, 6, 3): (10.74, 0.884), (10, 6, 4): (16.03, 3.493)},
}


def logs(count):
    """log2 h_m of each group."""
    codes = {(n, k): draw(2, "train", n, k, count).heights_Nm for n, k, _ in GROUPS}
    return {(n, k, m): np.log2(codes[n, k][:, m]) for n, k, m in GROUPS}


def within_four_standard_errors(found):
    """Two samples' errors, and that the published means have two decimals."""
    off = {}
    for group, logs_N in found.items():
        mean, variance = PUBLISHED[group]
        allowed = 4 * (variance / len(logs_N) + variance / 40_000) ** 0.5 + 0.005
        if abs(logs_N.mean() - mean) > allowed:
            off[group] = (logs_N.mean(), mean, allowed)
    return off


def test_there_are_the_21_published_groups():
    assert set(GROUPS) == set(PUBLISHED) and len(GROUPS) == 21


def test_group_means_are_the_published_ones():
    found = logs(1000)
    assert within_four_standard_errors(found) == {}
    # Control: whole numbers would be told apart, and so would half the range.
    halved = {(9, 6, 2): np.log2(draw(2, "train", 9, 6, 1000, bound=50).heights_Nm[:, 2])}
    assert within_four_standard_errors(halved)


@pytest.mark.slow
def test_means_and_variances_of_20000_a_group_are_the_published_ones():
    found = logs(20_000)
    assert within_four_standard_errors(found) == {}
    assert 10.9 < np.concatenate(list(found.values())).var() < 11.4  # of the best constant; theirs 11.11
    assert 1.32 < np.mean([one.var() for one in found.values()]) < 1.39  # of the 21 means; theirs 1.340


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("m", [None, 2])
def test_a_matrix_depends_on_its_number_alone(distribution, m):
    few, many = (draw(5, "test", 4, 2, c, m=m, distribution=distribution) for c in (7, BLOCK + 9))
    assert (few.matrices_Nkr == many.matrices_Nkr[:7]).all() and (few.heights_Nm == many.heights_Nm[:7]).all()
    for other in (
        draw(6, "test", 4, 2, 7, m=m, distribution=distribution),
        draw(5, "train", 4, 2, 7, m=m, distribution=distribution),
        draw(5, "test", 4, 2, 7, m=1, distribution=distribution),
    ):
        assert (few.matrices_Nkr != other.matrices_Nkr).any()
    assert (many.matrices_Nkr[: BLOCK // 2] != many.matrices_Nkr[BLOCK // 2 : BLOCK]).any()


@pytest.mark.parametrize(("distribution", "kind"), [("uniform", np.float32), ("integer", np.int8)])
def test_labels_are_those_of_the_matrices_as_kept(distribution, kind):
    codes = draw(0, "train", 6, 3, 50, distribution=distribution)
    assert codes.matrices_Nkr.dtype == kind and np.abs(codes.matrices_Nkr).max() <= 100
    assert (heights(codes.matrices_Nkr.astype(float))[:, :4] == codes.heights_Nm).all()


def test_infinite_heights_are_replaced_in_place_or_kept():
    kept = draw(0, "train", 5, 2, 500, distribution="integer", bound=4, infinite="keep")
    infinite_N = np.isinf(kept.heights_Nm[:, 3])
    assert 100 < infinite_N.sum() < 450 and kept.rejected == 0
    drawn = draw(0, "train", 5, 2, 500, distribution="integer", bound=4)
    assert np.isfinite(drawn.heights_Nm).all() and drawn.rejected >= infinite_N.sum()
    assert (drawn.matrices_Nkr[~infinite_N] == kept.matrices_Nkr[~infinite_N]).all()
    # For one m alone only that one has to be finite.
    for_one = draw(0, "train", 5, 2, 500, m=1, distribution="integer", bound=4)
    assert np.isfinite(for_one.heights_Nm[:, 1]).all() and np.isinf(for_one.heights_Nm[:, 3]).any()


def test_entries_are_distributed_as_named():
    spread = {name: draw(0, "train", 4, 2, 5000, distribution=name).matrices_Nkr for name in DISTRIBUTIONS}
    for name in ("uniform", "integer", "gaussian"):
        assert spread[name].astype(float).std() == pytest.approx(100 / 3**0.5, rel=0.03)
    assert np.abs(spread["gaussian"]).max() > 150
    largest_N = np.abs(spread["scaled"]).max(axis=(1, 2))
    assert largest_N.min() < 3 and largest_N.max() > 80
    assert draw(0, "train", 4, 2, 0).matrices_Nkr.shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n": 4, "k": 4}, "k = 4 of n = 4; expected 1 to 3"),
        ({"m": 3}, r"m = 3 of \[4, 2\]; expected 1 to 2"),
        ({"distribution": "unifrom"}, "Did you mean 'uniform'"),
        ({"distribution": "integer", "bound": 128}, "a whole number from 1 to 127"),
        ({"distribution": "integer", "bound": 1.5}, "a whole number"),
        ({"bound": 0}, "a number above 0"),
        ({"infinite": "drop"}, "expected reject or keep"),
        ({"n": 5, "distribution": "integer", "bound": 1}, "still have an infinite h_3 after 200"),
    ],
)
def test_what_cannot_be_drawn_is_refused(given, said):
    with pytest.raises(SpecError, match=said):
        draw(**{"seed": 0, "split": "train", "n": 4, "k": 2, "count": 5, **given})


def test_a_code_too_large_is_refused_before_anything_is_drawn():
    with pytest.raises(DataError, match="take about"):
        draw(0, "train", 40, 20, 1)


def test_groups_are_named_as_triples_or_as_codes():
    assert groups_named("all") == GROUPS
    assert groups_named("10,4,3 9,6 9,6,2") == ((10, 4, 3), (9, 6, 2), (9, 6, 3))
    for wrong in ("", "9", "9,4,x", "9,4,6", "9,9", "4,5,1", "9,4,2,1"):
        with pytest.raises(SpecError, match="expected"):
            groups_named(wrong)
