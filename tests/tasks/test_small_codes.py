"""All small codes: heights by their definition, orbits by brute force, and a cut that keeps them whole."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from latebloom.base.errors import SpecError
from latebloom.tasks import SmallCodes
from latebloom.tasks.small_codes import family, orbits


def by_definition(P, m):
    """h_m from the vertices: of all codewords with a basis of coordinates at +-1, the largest height; in fractions."""
    k, r = P.shape
    G = [[Fraction(int(i == j)) for j in range(k)] + [Fraction(int(v)) for v in P[i]] for i in range(k)]
    assert k == 2
    found = Fraction(0)
    for s, t in itertools.combinations(range(k + r), 2):
        determinant = G[0][s] * G[1][t] - G[0][t] * G[1][s]
        if determinant == 0:
            continue
        for sign in (1, -1):
            u = (G[1][t] - sign * G[1][s], sign * G[0][s] - G[0][t])
            word = sorted((abs(u[0] * G[0][j] + u[1] * G[1][j]) for j in range(k + r)), reverse=True)
            if word[m] == 0:
                return None
            found = max(found, word[0] / word[m])
    # the supremum is at a vertex if it is finite; a codeword with n - m zeros makes it infinite
    for j in range(k + r):
        u = (-G[1][j], G[0][j])
        word = sorted((abs(u[0] * G[0][i] + u[1] * G[1][i]) for i in range(k + r)), reverse=True)
        if word[0] and word[m] == 0:
            return None
    return found


@pytest.mark.parametrize("height", [1, 2])
def test_every_label_is_the_height_by_its_definition(height):
    split = SmallCodes(largest=2, height=height).split(seed=0)
    for entries, label in zip(family(2, 2, 2), split.labels_N, strict=True):
        expected = by_definition(entries.reshape(2, 2), height)
        assert split.label_names[label] == ("∞" if expected is None else str(expected)), entries


@pytest.mark.parametrize(("largest", "count"), [(3, 103), (5, 526), (8, 2773)])
def test_there_are_as_many_orbits_as_an_independent_count_found(largest, count):
    assert len(np.unique(orbits(2, 2, largest))) == count


def test_orbits_are_the_connected_sets_of_single_moves():
    """By single swaps and sign changes, one after the other, from each matrix."""
    entries = [tuple(row) for row in family(2, 2, 2).tolist()]
    place = {row: i for i, row in enumerate(entries)}
    moves = [
        lambda a, b, c, d: (c, d, a, b),
        lambda a, b, c, d: (b, a, d, c),
        lambda a, b, c, d: (-a, -b, c, d),
        lambda a, b, c, d: (-a, b, -c, d),
    ]
    named = orbits(2, 2, 2)
    for start in entries:
        reached, frontier = {start}, [start]
        while frontier:
            one = frontier.pop()
            new = {move(*one) for move in moves} - reached
            reached |= new
            frontier += new
        assert {named[place[row]] for row in reached} == {min(place[row] for row in reached)}


def test_the_height_is_the_same_all_over_an_orbit():
    split, named = SmallCodes(largest=4, height=2).split(seed=0), orbits(2, 2, 4)
    for orbit in np.unique(named):
        assert len(set(split.labels_N[named == orbit])) == 1


def test_a_cut_by_orbit_keeps_every_orbit_whole_and_a_cut_by_element_does_not():
    named = orbits(2, 2, 3)
    for cut_by, whole in (("orbit", True), ("element", False)):
        split = SmallCodes(largest=3, cut_by=cut_by).split(seed=1)
        assert set(split.train_M) | set(split.val_M) == set(range(2401)) and not set(split.train_M) & set(split.val_M)
        assert (not set(named[split.train_M]) & set(named[split.val_M])) is whole


def test_an_example_is_its_entries_and_its_height_and_chance_is_the_commonest():
    split = SmallCodes(largest=1, height=1).split(seed=0)
    place = int(np.flatnonzero((family(2, 2, 1) == [0, 1, 1, 1]).all(1))[0])
    assert split.example(place) == "0 1 1 1 = 2"
    shares = np.bincount(split.labels_N) / 81
    assert split.chance == shares.max() > 1 / len(split.label_names)


def test_the_seed_of_the_cut_is_the_runs_unless_it_is_given():
    assert not np.array_equal(SmallCodes().split(0).train_M, SmallCodes().split(1).train_M)
    assert np.array_equal(SmallCodes(split_seed=5).split(0).train_M, SmallCodes(split_seed=5).split(1).train_M)


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"height": 3}, "always infinite"), ({"largest": 20}, "2,825,761 matrices, more than 300,000")],
)
def test_what_asks_nothing_or_too_much_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        SmallCodes(**changes)


def test_orbits_that_leave_nothing_to_validate_are_refused():
    with pytest.raises(SpecError, match="leaves"):
        SmallCodes(largest=1, train_fraction=0.01, cut_by="orbit").split(0)
