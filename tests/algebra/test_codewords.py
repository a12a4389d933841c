"""Heights of drawn codewords against the heights of codes, which they may reach and never pass."""

import numpy as np
import pytest

from latebloom.algebra.analog_codes import heights
from latebloom.algebra.analog_codes.codewords import heights_of_codewords
from latebloom.base.seeds import stream


def generators(P):
    P = np.asarray(P, dtype=float)
    return np.concatenate([np.broadcast_to(np.eye(P.shape[1]), (len(P), P.shape[1], P.shape[1])), P], axis=2)


@pytest.mark.parametrize(("k", "r"), [(1, 3), (2, 2), (4, 5), (5, 5)])
def test_no_codeword_is_higher_than_its_code(k, r):
    chance = np.random.default_rng(0)
    for P in (chance.uniform(-100, 100, (50, k, r)), chance.integers(-2, 3, (50, k, r))):
        found = heights_of_codewords(generators(P), 30, stream(0, "codewords"))
        assert (found <= heights(P)).all() and (found >= 1).all() and (np.diff(found, axis=1) >= 0).all()


def test_enough_vertex_codewords_reach_every_finite_height():
    """Those with +-1 on k independent columns contain the highest one (Roth et al. 2026); [5, 2] has 20 of them."""
    P = np.random.default_rng(1).uniform(-1, 1, (20, 2, 3))
    found = heights_of_codewords(generators(P), 400, stream(0, "codewords"))
    np.testing.assert_allclose(found[:, :4], heights(P)[:, :4], rtol=1e-9)


def test_the_first_matrices_do_not_depend_on_how_many_follow():
    P = generators(np.random.default_rng(2).uniform(-1, 1, (1500, 3, 3)))
    some, all_ = (heights_of_codewords(P[:count], 20, stream(5, "x")) for count in (700, 1500))
    np.testing.assert_array_equal(some, all_[:700])


def test_singular_columns_take_the_signs_for_a_message():
    """Every square of two equal rows is singular; the codewords are then 0 or +-(2, 2, 2)."""
    assert heights_of_codewords(np.ones((1, 2, 3)), 8, stream(0, "x")).tolist() == [[1.0, 1.0, 1.0]]
