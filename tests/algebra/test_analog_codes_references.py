"""The fast heights against the other ways to them: linear programs, vertex codewords, another package."""

from __future__ import annotations

import math

import numpy as np
import pytest

from algebra.codes import generator, whole
from latebloom.algebra.analog_codes import heights
from latebloom.algebra.analog_codes.programs import (
    classic_count,
    classic_height,
    classic_programs,
    reduced_count,
    reduced_height,
    reduced_programs,
)
from latebloom.algebra.analog_codes.vertices import heights_by_vertices
from latebloom.base.errors import DataError


def matrices(n, k, count, seed):
    """Small and large whole numbers, which have infinite heights, and two kinds of reals."""
    chance = np.random.default_rng(seed)
    kinds = [
        lambda: whole(chance, n, k, 3).astype(float),
        lambda: whole(chance, n, k, 100).astype(float),
        lambda: chance.uniform(-100, 100, (k, n - k)),
        lambda: chance.normal(size=(k, n - k)),
    ]
    return [kinds[i % len(kinds)]() for i in range(count)]


def agree(P, way, ms):
    found = heights(P)
    for m in ms:
        assert way(generator(P), m) == pytest.approx(found[m], rel=1e-6), (P, m)
    return np.isinf(found[list(ms)]).sum()


@pytest.mark.parametrize(("n", "k", "count"), [(3, 1, 8), (4, 2, 8), (5, 3, 4), (3, 3, 1)])
def test_the_reduced_programs_agree(n, k, count):
    ms = range(1, min(n - k + 2, n))
    infinite = sum(agree(P, reduced_height, ms) for P in matrices(n, k, count, 0))
    assert infinite >= count * (n - k + 1 in ms)  # which always is


@pytest.mark.parametrize(("n", "k", "count"), [(2, 1, 4), (3, 1, 4), (4, 2, 2)])
def test_the_classic_programs_agree(n, k, count):
    for P in matrices(n, k, count, 1):
        agree(P, classic_height, range(1, n - k + 1))


def test_the_classic_way_knows_a_code_whose_codewords_all_have_zeros():
    assert classic_height([[1.0, 0.0, 0.0]], 1) == math.inf


@pytest.mark.slow
@pytest.mark.parametrize(("n", "k"), [(4, 2), (5, 2), (5, 3), (6, 3), (6, 4), (7, 4)])
def test_fifty_matrices_of_a_size_agree_with_the_reduced_programs(n, k):
    for P in matrices(n, k, 50, n):
        agree(P, reduced_height, range(1, n - k + 1))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "k", "count"), [(4, 2, 20), (5, 3, 20), (5, 2, 10)])
def test_many_matrices_agree_with_the_classic_programs(n, k, count):
    for P in matrices(n, k, count, n):
        agree(P, classic_height, range(1, n - k + 1))


@pytest.mark.parametrize(("n", "k"), [(4, 2), (5, 2), (6, 3), (6, 4), (7, 4), (9, 6)])
def test_the_vertex_codewords_agree(n, k):
    for P in matrices(n, k, 8, n):
        np.testing.assert_allclose(heights_by_vertices(generator(P)), heights(P), rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "k"), [(9, 4), (9, 5), (9, 6), (10, 4), (10, 5), (10, 6)])
def test_the_vertex_codewords_agree_for_the_codes_of_the_course(n, k):
    for P in matrices(n, k, 12, n):
        np.testing.assert_allclose(heights_by_vertices(generator(P)), heights(P), rtol=1e-6)


def test_there_are_as_many_programs_as_counted_and_m_has_a_range():
    G = generator(whole(np.random.default_rng(0), 5, 2, 9))
    for m in range(1, 5):
        assert sum(1 for _ in classic_programs(G, m)) == classic_count(5, m)
        assert sum(1 for _ in reduced_programs(G, m)) == reduced_count(5, m)
    for programs in (classic_programs, reduced_programs):
        with pytest.raises(DataError, match="m = 5; expected 1 to 4"):
            next(programs(G, 5))


def test_another_package_agrees():
    """The code of the formula's authors; not a dependency: pip install analog-ecc-heights."""
    package = pytest.importorskip("analog_ecc_heights")
    ways = (package.h_m_roth_primal_combinatorial, package.h_m_roth_dual_combinatorial_generator)
    for n, k in [(5, 2), (6, 3)]:
        for P in matrices(n, k, 8, n):
            for m in range(1, n - k + 1):
                for way in ways:
                    assert way(generator(P), m) == pytest.approx(heights(P)[m], rel=1e-8)
