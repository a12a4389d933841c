"""Codes as examples: labels from the entries themselves, cuts by matrix, features that keep what they promise."""

import itertools

import numpy as np
import pytest

from latebloom.algebra.analog_codes.programs import reduced_height
from latebloom.base.errors import SpecError
from latebloom.tasks import LinearCodes

SMALL = {"groups": "9,6 10,4,3", "train_per_group": 40, "val_per_group": 30}


def test_a_label_is_the_logarithm_of_the_height_that_a_linear_program_finds():
    split = LinearCodes(**SMALL).split(seed=1)
    for name, (k, r) in (("9-6-3", (6, 3)), ("10-4-3", (4, 6))):
        for place in split.parts[name].val_M[:3]:
            P = split.inputs_NT[place, :36].reshape(6, 6)[:k, :r].astype(np.float64) * 100
            n, _, m = split.inputs_NT[place, 36:].astype(int)
            assert (n, m) == (k + r, int(name[-1]))
            expected = np.log2(reduced_height(np.concatenate([np.eye(k), P], axis=1), m))
            assert split.labels_N[place] == pytest.approx(expected, abs=1e-3)  # features are float32, shares of 100


def test_the_cut_is_by_matrix_and_every_height_of_a_matrix_is_on_one_side():
    split = LinearCodes(**SMALL).split(seed=1)
    assert list(split.parts) == ["9-6-2", "9-6-3", "10-4-3"]
    for part in split.parts.values():
        assert (len(part.train_M), len(part.val_M), part.share) == (40, 30, pytest.approx(1 / 3))
    two, three = (split.parts[name] for name in ("9-6-2", "9-6-3"))
    np.testing.assert_array_equal(split.inputs_NT[two.train_M, :36], split.inputs_NT[three.train_M, :36])
    trained = {row.tobytes() for row in split.inputs_NT[split.train_M, :36]}
    assert not trained & {row.tobytes() for row in split.inputs_NT[split.val_M, :36]}


@pytest.mark.parametrize("sees", ["entries", "sorted_entries", "minors", "sorted_minors"])
def test_whoever_sees_sorted_numbers_cannot_tell_the_images_of_a_code_apart(sees):
    """Signs and orders of rows and columns change no height; the sorted inputs must not change either."""
    P = np.random.default_rng(0).uniform(-100, 100, (20, 4, 3))
    images = [P[:, [2, 0, 3, 1]][:, :, [1, 2, 0]], P * np.array([1, -1, 1, -1])[:, None] * np.array([-1, 1, 1])]
    task = LinearCodes(**{**SMALL, "train_per_group": 20, "sees": sees})
    same = [np.allclose(task._seen(P), task._seen(image), atol=1e-9) for image in images]
    # magnitudes survive signs also in their places; everything else survives only if it is sorted
    assert same == {"entries": [False, False], "minors": [False, True]}.get(sees, [True, True])


def test_minors_are_centred_on_the_training_matrices_alone():
    split = LinearCodes(**{**SMALL, "sees": "sorted_minors"}).split(seed=1)
    part = split.parts["10-4-3"]
    trained, validated = (split.inputs_NT[at, :209] for at in (part.train_M, part.val_M))
    np.testing.assert_allclose(trained.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(trained.std(0), 1, atol=1e-5)
    assert np.abs(validated.mean(0)).max() > 0.01


def test_the_ladder_is_what_makes_the_height_learnable():
    """By ridge regression, as the study of this subject measured it: entries explain nothing, sorted minors a lot."""
    explained = {}
    for sees in ("entries", "sorted_minors"):
        split = LinearCodes(groups="9,5,3", train_per_group=2000, val_per_group=500, sees=sees).split(seed=1)
        [part] = split.parts.values()
        (x, y), (vx, vy) = (
            (split.inputs_NT[at].astype(float), split.labels_N[at]) for at in (part.train_M, part.val_M)
        )
        centre = x.mean(0)
        gram = (x - centre).T @ (x - centre)
        weights = np.linalg.solve(gram + 10 * np.eye(len(gram)), (x - centre).T @ (y - y.mean()))
        errors = (vx - centre) @ weights + y.mean() - vy
        explained[sees] = 1 - (errors**2).mean() / vy.var()
    assert explained["entries"] < 0.05 and explained["sorted_minors"] > 0.3


def test_a_group_does_not_depend_on_which_others_are_asked_for():
    alone = LinearCodes(**{**SMALL, "groups": "10,4,3"}).split(seed=1)
    beside = LinearCodes(**SMALL).split(seed=1)
    part = beside.parts["10-4-3"]
    both = itertools.chain(zip(alone.train_M, part.train_M, strict=True), zip(alone.val_M, part.val_M, strict=True))
    for mine, theirs in both:
        np.testing.assert_array_equal(alone.inputs_NT[mine], beside.inputs_NT[theirs])
        assert alone.labels_N[mine] == beside.labels_N[theirs]


@pytest.mark.parametrize(
    ("groups", "says"), [("9,4,6", "expected n,k,m"), ("20,10,3", "larger than 6 x 6"), ("", "no group is named")]
)
def test_groups_that_cannot_be_are_refused(groups, says):
    with pytest.raises((SpecError, ValueError), match=says):
        LinearCodes(groups=groups)


def test_codewords_bound_every_label_from_below_and_more_of_them_bound_it_closer():
    few, many = (LinearCodes(**SMALL, codewords=count).split(seed=1) for count in (2, 200))
    assert (few.floors_N <= few.labels_N).all() and (many.floors_N <= many.labels_N).all()
    assert (
        few.floors_N.min() > 0 and (many.labels_N - many.floors_N).mean() < (few.labels_N - few.floors_N).mean() - 0.3
    )
    assert LinearCodes(**SMALL).split(seed=1).floors_N is None
    np.testing.assert_array_equal(few.inputs_NT, LinearCodes(**SMALL).split(seed=1).inputs_NT)
