"""The examples of single tasks, read back through their own vocabulary, against the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from latebloom.tasks import Modular, Parity, Permutation


def words(split):
    """Every example as (tokens, label), by name."""
    for tokens, label in zip(split.inputs_NT.tolist(), split.labels_N.tolist(), strict=True):
        yield [split.vocabulary[token] for token in tokens], split.label_names[label]


def test_division_reads_as_true_equations():
    split = Modular(operation="divide", modulus=97).split(0)
    for (a, operator, b, equals), c in words(split):
        assert (operator, equals) == ("/", "=")
        assert int(c) * int(b) % 97 == int(a)


def test_the_elements_come_first_in_the_vocabulary_then_the_operator_then_the_equals_sign():
    assert Modular(operation="add", modulus=3).split(0).vocabulary == ("0", "1", "2", "+", "=")
    assert Permutation(degree=2).split(0).vocabulary == ("[01]", "[10]", "∘", "=")


@pytest.mark.parametrize(
    ("operation", "token", "at"),
    [
        ("compose", "∘", lambda a, b, i: a[b[i]]),
        ("conjugate", "aba⁻¹", lambda a, b, i: a[b[a.index(i)]]),
        ("sandwich", "aba", lambda a, b, i: a[b[a[i]]]),
    ],
)
def test_permutations_read_as_true_equations(operation, token, at):
    split = Permutation(operation=operation, degree=4).split(0)
    pairs = set()
    for (a, operator, b, equals), c in words(split):
        a, b, c = ([int(digit) for digit in name.strip("[]")] for name in (a, b, c))
        assert (operator, equals) == (token, "=")
        assert c == [at(a, b, i) for i in range(4)]
        pairs.add((tuple(a), tuple(b)))
    assert pairs == set(itertools.product(itertools.permutations(range(4)), repeat=2))


def test_the_operation_of_a_row_is_its_part():
    assert list(Modular(operation="cube_plus_b").split(0).parts) == ["cube_plus_b"]
    assert list(Permutation(operation="sandwich").split(0).parts) == ["sandwich"]
    assert list(Parity().split(0).parts) == ["parity"]


@pytest.mark.parametrize("positions", [(0, 3, 5), (6,), (5, 1), tuple(range(7))])
def test_parity_is_the_sign_of_a_product(positions):
    split = Parity(bits=7, subset_size=len(positions), positions=positions).split(0)
    signs_NT = 1 - 2 * split.inputs_NT  # bit 0 is +1, bit 1 is -1: Barak et al.'s own coding
    product_N = signs_NT[:, positions].prod(axis=1)
    assert (product_N == 1 - 2 * split.labels_N).all()
    names = {"even": 1, "odd": -1}
    assert [names[label] for _, label in words(split)] == product_N.tolist()
    # Control: the product over any other set of bits is uncorrelated with the labels.
    for other in itertools.combinations(range(7), 2):
        if set(other) != set(positions):
            assert (signs_NT[:, other].prod(axis=1) * product_N).sum() == 0


def test_parity_has_every_string_of_bits_once_and_both_labels_equally_often():
    split = Parity(bits=8, subset_size=3).split(1)
    assert [tokens for tokens, _ in words(split)] == [list(bits) for bits in itertools.product("01", repeat=8)]
    assert np.bincount(split.labels_N).tolist() == [128, 128]


def test_the_drawn_positions_are_the_ones_that_decide():
    task = Parity(bits=9, subset_size=4)
    drawn = {seed: task.draw_positions(seed) for seed in range(20)}
    assert len(set(drawn.values())) > 10
    for seed, positions in drawn.items():
        assert len(set(positions)) == 4 and all(0 <= at < 9 for at in positions)
        split = task.split(seed)
        flipped = {at: split.labels_N[np.arange(512) ^ (1 << (8 - at))] for at in range(9)}
        assert positions == tuple(at for at in range(9) if (flipped[at] != split.labels_N).all())


def test_every_position_can_be_drawn():
    task = Parity(bits=6, subset_size=2)
    assert {at for seed in range(100) for at in task.draw_positions(seed)} == set(range(6))
