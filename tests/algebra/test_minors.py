"""Maximal minors against determinants, one by one."""

import itertools

import numpy as np
import pytest

from latebloom.algebra.analog_codes.minors import minors


@pytest.mark.parametrize(("k", "r"), [(1, 3), (2, 2), (3, 1), (4, 5), (5, 4), (6, 4)])
def test_every_minor_is_the_determinant_of_its_columns(k, r):
    P = np.random.default_rng(k).normal(size=(3, k, r))
    G = np.concatenate([np.broadcast_to(np.eye(k), (3, k, k)), P], axis=2)
    expected = [abs(np.linalg.det(G[:, :, list(s)])) for s in itertools.combinations(range(k + r), k)]
    np.testing.assert_allclose(minors(P), np.stack(expected, axis=1), rtol=1e-9, atol=1e-12)


def test_one_matrix_gives_one_row_and_chunks_change_nothing():
    P = np.random.default_rng(0).normal(size=(600, 2, 3))
    np.testing.assert_array_equal(minors(P)[599], minors(P[599]))
    assert minors(P[0]).shape == (10,)
