"""Images of matrices: what they must keep, and that nothing they may do is left out."""

import itertools
from collections import Counter

import numpy as np
import pytest

from latebloom.algebra.analog_codes import heights
from latebloom.algebra.analog_codes.symmetry import image
from latebloom.tasks import LinearCodes, SmallCodes


@pytest.mark.parametrize("shape", [(4, 5), (6, 3), (2, 2)])
def test_every_height_of_an_image_is_that_of_the_matrix(shape):
    draws = np.random.default_rng(0)
    P = draws.integers(-20, 21, (50, *shape))
    moved = image(P, draws)
    assert (moved != P).any(axis=(1, 2)).mean() > 0.9
    assert np.array_equal(heights(moved), heights(P))  # exact: minors of whole numbers


def test_heights_of_a_scaled_matrix_are_others():
    """Control: not everything keeps them."""
    P = np.random.default_rng(0).integers(1, 21, (50, 2, 2))
    assert not np.array_equal(heights(2 * P), heights(P))


def test_all_images_come_equally_often():
    """By brute force: the distinct matrices among 2! 2! 2^4 images of one with four different magnitudes."""
    P = np.array([[1, 2], [3, 4]])
    orbit = set()
    for rows, columns in itertools.product(itertools.permutations(range(2)), repeat=2):
        for signs in itertools.product((1, -1), repeat=4):
            orbit.add(tuple((P[list(rows)][:, list(columns)] * np.outer(signs[:2], signs[2:])).flatten()))
    count = 32_000
    seen = Counter(map(tuple, image(np.repeat(P[None], count, 0), np.random.default_rng(1)).reshape(count, 4)))
    assert set(seen) == orbit and len(orbit) == 32
    assert max(abs(n - count / 32) for n in seen.values()) < 5 * (count / 32) ** 0.5  # five standard deviations


def test_an_image_of_an_example_is_an_example_with_its_label():
    task = SmallCodes(largest=2, rows=2, columns=2)
    split = task.split(0)
    moved = split.image_of(split.inputs_NT, np.random.default_rng(0))
    label = dict(zip(map(tuple, split.inputs_NT), split.labels_N, strict=True))
    assert [label[tuple(row)] for row in moved] == split.labels_N.tolist()
    assert len(np.unique(moved, axis=0)) > 100


def test_an_image_of_a_picture_moves_p_alone():
    task = LinearCodes(groups="9,4,2 10,6,3", train_per_group=20, val_per_group=5)
    split = task.split(0)
    moved = split.image_of(split.inputs_NT, np.random.default_rng(0))
    assert moved.dtype == split.inputs_NT.dtype and np.array_equal(moved[:, 36:], split.inputs_NT[:, 36:])
    for (n, k, m), rows in (((9, 4, 2), slice(0, 25)), ((10, 6, 3), slice(25, 50))):
        P, before = (x[rows, :36].reshape(-1, 6, 6) for x in (moved, split.inputs_NT))
        assert (P[:, k:] == 0).all() and (P[:, :, n - k :] == 0).all() and not np.array_equal(P, before)
        # pictures are float32 shares of the bound: heights differ in their last digits
        labels = np.log2(heights(P[:, :k, : n - k].astype(np.float64) * task.bound)[:, m])
        np.testing.assert_allclose(labels, split.labels_N[rows], atol=1e-2)
