"""m-heights against closed forms, published values, exact fractions and the laws that they obey."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from algebra.codes import CUBE, INF, PHI, PUBLISHED, by_fractions, dodecahedron, generator, icosahedron, polygon, whole
from latebloom.algebra.analog_codes import bounds, heights, heights_of_generator
from latebloom.algebra.analog_codes import heights as of_p
from latebloom.algebra.analog_codes.vertices import minimum_distance
from latebloom.base.errors import DataError

SIZES = [(4, 2), (5, 2), (5, 3), (6, 3), (7, 4), (9, 4), (9, 6), (10, 5)]
every_size = pytest.mark.parametrize(("n", "k"), SIZES)


@pytest.mark.parametrize(("P", "known"), PUBLISHED, ids=range(len(PUBLISHED)))
def test_whole_matrices_have_the_published_heights(P, known):
    found = heights(P)
    np.testing.assert_allclose(found[1 : len(known) + 1], known, rtol=1e-8)
    assert found[0] == 1 and (found[len(known) + 1 :] == INF).all()


@pytest.mark.parametrize(
    ("G", "known"),
    [
        (icosahedron(), [1, 5**0.5, 5**0.5, PHI**3, INF, INF]),
        (dodecahedron(), [1, 3 / 5**0.5, PHI, 1.763932, 3, PHI**3, PHI**3, 9.472136, INF, INF]),
        (CUBE, [1, 3, INF, INF]),
        ([[math.cos(math.pi * j / 5) for j in range(5)], [math.sin(math.pi * j / 5) for j in range(5)]],
         [1, 2 * (PHI - 1), PHI, 2 * PHI, INF]),
    ],
    ids=["icosahedron", "dodecahedron", "cube", "pentagon"],
)  # fmt: skip
def test_solids_and_polygons_have_the_heights_of_their_geometry(G, known):
    np.testing.assert_allclose(heights_of_generator(G), known, rtol=1e-6)


@pytest.mark.parametrize("n", range(4, 11))
def test_the_second_height_of_a_polygon_code_is_that_of_the_theorem(n):
    # arXiv:2606.03011: 2 (h_2 + 1) = 1 / sin(pi / 2n) ** 2
    found = heights_of_generator(polygon(n))[2]
    assert 2 * (found + 1) == pytest.approx(1 / math.sin(math.pi / (2 * n)) ** 2, rel=1e-9)


@pytest.mark.parametrize("n", range(2, 9))
def test_repetition_has_height_one_and_a_parity_check_as_many_as_it_adds(n):
    assert heights(np.ones((1, n - 1), int)).tolist() == [1] * n
    assert heights(np.ones((n - 1, 1), int)).tolist() == [1, n - 1] + [INF] * (n - 2)


@pytest.mark.parametrize(("n", "k", "bound"), [(4, 2, 2), (5, 2, 3), (5, 3, 2), (6, 3, 1), (6, 3, 100), (6, 4, 2)])
def test_whole_matrices_have_the_nearest_numbers_to_the_exact_fractions(n, k, bound):
    stack = whole(np.random.default_rng(0), n, k, bound, 12)
    expected = [[float(h) for h in by_fractions(generator(P).tolist())] for P in stack]
    assert heights(stack).tolist() == expected
    assert heights(stack.astype(float)).tolist() == expected
    assert heights_of_generator(generator(stack)).tolist() == expected


@pytest.mark.parametrize("size", [2**40, 2**62])
def test_whole_numbers_beyond_float64_are_exact_too(size):
    # 2 ** 40 squared is beyond 2 ** 53: in float64 the minor of rows (s, s + 1), (s - 1, s) would be 0, and it is 1.
    P = np.array([[size, size + 1], [size - 1, size]])
    found = heights(P)
    assert found.tolist() == [float(h) for h in by_fractions(generator(P).tolist())] and np.isfinite(found[2])
    singular = np.array([[size, size], [size, size]])
    assert heights(singular)[2] == INF


def test_floats_are_exact_fractions_on_demand():
    P = np.random.default_rng(1).normal(size=(6, 2, 3))
    for one, found in zip(P.tolist(), heights(P, exact=True), strict=True):
        assert found.tolist() == [float(h) for h in by_fractions(generator(np.array(one, dtype=object)).tolist())]


@pytest.mark.parametrize("scale", [2.0**-600, 2.0**-60, 1.0, 2.0**60, 2.0**600])
def test_a_minor_that_only_rounding_made_nonzero_is_zero_whatever_the_units(scale):
    P = np.array([[0.1, 0.3, 0.7], [0.3, 0.9, 2.1], [0.2, -0.5, 0.4]])
    assert 0.1 * 0.9 != 0.3 * 0.3  # in float64
    P = P * np.array([[scale], [1], [3]])
    G = np.concatenate([np.diag([scale, 1, 3]), P], axis=1)
    whole_P = [[1, 3, 7], [3, 9, 21], [2, -5, 4]]
    expected = heights_of_generator(np.concatenate([10 * np.eye(3, dtype=int), whole_P], axis=1))
    np.testing.assert_allclose(heights_of_generator(G), expected, rtol=1e-9)
    # Control: taken literally, no minor is zero.
    assert np.isinf(expected[2]) and np.isfinite(heights_of_generator(G, exact=True)[2])


@every_size
def test_signs_and_orders_of_rows_and_columns_change_no_bit(n, k):
    chance = np.random.default_rng(n * k)
    P = whole(chance, n, k, 9, 20)
    image = P[:, chance.permutation(k)][:, :, chance.permutation(n - k)]
    image = image * chance.choice([-1, 1], (k, 1)) * chance.choice([-1, 1], (1, n - k))
    assert (heights(image) == heights(P)).all()
    G = generator(P)[:, :, chance.permutation(n)] * chance.choice([-1, 1], n)
    assert (heights_of_generator(G) == heights(P)).all()
    assert (heights(2 * P) != heights(P)).any()  # control: scaling P is no symmetry


@every_size
def test_another_basis_of_the_same_code_changes_no_bit(n, k):
    chance = np.random.default_rng(n + k)
    P = whole(chance, n, k, 5, 10)
    basis = np.tril(chance.integers(-3, 4, (k, k)), -1) + np.diag(chance.choice([-2, -1, 1, 3], k))
    assert (heights_of_generator(basis @ generator(P)) == heights(P)).all()


@every_size
def test_heights_grow_with_m_and_are_finite_below_the_minimum_distance_alone(n, k):
    stack = whole(np.random.default_rng(k), n, k, 1, 30)
    found = heights(stack)
    with np.errstate(invalid="ignore"):
        assert not (np.diff(found, axis=1) < 0).any()
    distances = [minimum_distance(generator(P)) for P in stack]
    assert [int(np.isfinite(row).sum()) for row in found] == distances
    assert len(set(distances)) > 1


@every_size
def test_no_codeword_is_higher_and_the_first_height_keeps_its_bound(n, k):
    chance = np.random.default_rng(k)
    P = chance.uniform(-1, 1, (10, k, n - k))
    found = heights(P)
    codewords = -np.sort(-np.abs(chance.normal(size=(10, 3000, k)) @ generator(P)), axis=2)
    ratios = (codewords[:, :, :1] / codewords).max(axis=1)
    assert (ratios <= found * (1 + 1e-9)).all()
    assert (ratios[:, 1] > 0.5 * found[:, 1]).any()  # control: codewords do come near
    assert (found[:, 1] >= math.ceil(n / (n - k)) - 1 - 1e-9).all()


def test_a_matrix_has_the_same_heights_alone_and_in_any_company():
    chance = np.random.default_rng(3)
    real = chance.uniform(-1, 1, (700, 4, 5))
    real[::3] = chance.integers(-9, 10, real[::3].shape)
    real[::50] *= 1e90
    together = heights(real)
    assert (together[[0, 1, 2, 3, 50, 699]] == [heights(real[i]) for i in (0, 1, 2, 3, 50, 699)]).all()
    assert (together[::-1] == heights(real[::-1])).all()


def test_the_memory_beside_the_matrices_does_not_grow_with_their_number():
    P = np.random.default_rng(0).uniform(-1, 1, (6000, 4, 6))
    heights(P[:300])  # builds the tables
    peaks = []
    for count in (2000, 6000):
        tracemalloc.start()
        found = heights(P[:count])
        peaks.append(tracemalloc.get_traced_memory()[1] - found.nbytes - 3 * P[:count].nbytes)
        tracemalloc.stop()
    assert peaks[0] < 20e6 and peaks[1] < peaks[0] + 1e6


def test_bounds_enclose_and_are_within_a_factor_of_the_height():
    chance = np.random.default_rng(0)
    for n, k in [(5, 2), (9, 6), (10, 5)]:
        P = chance.uniform(-1, 1, (k, n - k))
        for m, height in enumerate(heights(P)[1 : n - k + 1], 1):
            low, high = bounds(generator(P), m, codewords=2000)
            assert low <= height <= high and (m > 2 or high < 2 * low)
    assert bounds(CUBE, 2) == (INF, INF)
    assert bounds(generator(np.zeros((2, 3))), 1).upper == INF
    low, high = bounds(generator(chance.normal(size=(20, 40))), 2, codewords=640)
    assert 1 < low < high < 20
    assert bounds(generator(chance.normal(size=(3, 60))), 8, codewords=64).upper < INF  # 2.6e9 sets: by discs


def test_degenerate_codes_are_infinite_and_never_a_large_number():
    assert heights(np.zeros((2, 3), int)).tolist() == [1, INF, INF, INF, INF]
    assert heights(np.zeros((2, 3))).tolist() == [1, INF, INF, INF, INF]
    # (1, 1, 3) is the highest codeword; an entry that is always zero only adds an infinity
    assert heights([[1], [2]]).tolist() == [1, 3, INF] and heights([[1, 0], [2, 0]]).tolist() == [1, 3, INF, INF]
    assert heights(np.empty((3, 0))).tolist() == [1, INF, INF]  # the whole space
    assert heights(np.empty((0, 2, 3))).shape == (0, 5)
    assert heights_of_generator(np.eye(3)).tolist() == [1, INF, INF]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[1, 2], [3]], "different lengths"),
        ([[1.0, math.nan]], r"1 entries are not finite, the first at \(0, 1\)"),
        ([[[1.0, math.inf]]], r"not finite, the first at \(0, 0, 1\)"),
        ([["a"]], "expected integers or real numbers"),
        ([[1j]], "complex128"),
        ([1, 2], r"the shape is \(2,\)"),
        (np.empty((0, 2)), "the shape is"),
        (np.ones((15, 15)), r"\[30, 15\] code take about 1e\+11 operations and 56 GB .* bounds\(G, m\)"),
        ([[1e300, 1.0], [1e-300, 1.0]], "above 1e308"),
    ],
)
def test_what_has_no_heights_is_refused(given, said):
    with pytest.raises(DataError, match=said):
        of_p(given)


def test_dependent_rows_are_refused_by_the_number_of_their_matrix():
    good, bad = [[1, 0, 1], [0, 1, 1]], [[1, 2, 3], [2, 4, 6]]
    with pytest.raises(DataError, match="the 2 rows of G of matrix 1 depend"):
        heights_of_generator([good, bad])
    with pytest.raises(DataError, match="the 2 rows of G depend"):
        heights_of_generator(np.array(bad) / 10)
    with pytest.raises(DataError, match="G is 3 x 2"):
        heights_of_generator(np.ones((3, 2)))
    for G, m, said in [(bad, 1, "depend"), (good, 3, "m = 3; expected 1 to 2"), ([good], 1, "one matrix")]:
        with pytest.raises(DataError, match=said):
            bounds(G, m)


def test_float32_is_converted_as_it_stands_and_says_so():
    P = np.random.default_rng(0).uniform(-1, 1, (3, 2, 3)).astype(np.float32)
    with pytest.warns(UserWarning, match="float32 is converted to float64"):
        found = heights(P)
    assert (found == heights(P.astype(np.float64))).all()


def test_integers_beyond_64_bits_are_taken_exactly():
    large = 2**70 + 2**17
    assert heights([[3 * large, large], [3, 1]]).tolist()[2:] == [math.inf, math.inf], "its rows are proportional"
    assert heights([[large, 0], [0, 1]])[1] == large, "[I | P] has the codeword (1, 0, large, 0)"
    with pytest.raises(DataError, match="scale the columns"):
        heights([[10**400, 1]])
    with pytest.raises(DataError, match="object"):
        heights(np.array([[None, 1]], dtype=object))


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="no type is wider than float64 here")
def test_wider_floats_are_said_to_be_rounded():
    with pytest.warns(UserWarning, match="float64 and rounded"):
        assert heights(np.ones((1, 1), np.longdouble)).tolist() == [1, 1]
