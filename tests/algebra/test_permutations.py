"""The symmetric groups against permutation matrices and the axioms of a group."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latebloom.algebra.permutations import OPERATIONS, compose, inverse, operation_table, permutations
from latebloom.base.errors import SpecError

DEGREES = [1, 2, 3, 4, 5]


def matrices(rows_Gn):
    """P_x with P_x e_i = e_x(i), so that P_x P_y = P_(x ∘ y): the representation, not our definition."""
    group, degree = rows_Gn.shape
    P_Gnn = np.zeros((group, degree, degree), dtype=np.int64)
    for P, row in zip(P_Gnn, rows_Gn, strict=True):
        P[row, np.arange(degree)] = 1
    return P_Gnn


def differing(rows_Gn, table_GG, product_of):
    """How many entries of a table disagree with the product of the matrices."""
    P_Gnn = matrices(rows_Gn)
    product = product_of(P_Gnn[:, None], P_Gnn[None, :])
    return int((product != P_Gnn[table_GG]).any(axis=(-1, -2)).sum())


# An inverse permutation is a transposed matrix.
PRODUCTS = {
    "compose": lambda A, B: A @ B,
    "conjugate": lambda A, B: A @ B @ A.swapaxes(-1, -2),
    "sandwich": lambda A, B: A @ B @ A,
}


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_entry_is_the_product_of_the_permutation_matrices(operation, degree):
    assert differing(permutations(degree), operation_table(operation, degree), PRODUCTS[operation]) == 0


def test_composing_in_the_wrong_order_is_noticed():
    assert differing(permutations(4), operation_table("compose", 4).T, PRODUCTS["compose"]) > 0


def test_composition_applies_the_right_one_first():
    rng = np.random.default_rng(0)
    for _ in range(100):
        a, b = rng.permutation(6), rng.permutation(6)
        assert compose(a, b).tolist() == [a[b[i]] for i in range(6)]


@pytest.mark.parametrize("degree", [*DEGREES, 6])
def test_all_permutations_come_once_in_lexicographic_order(degree):
    rows = [tuple(row) for row in permutations(degree).tolist()]
    assert len(set(rows)) == len(rows) == math.factorial(degree)
    assert rows == sorted(rows)
    assert all(sorted(row) == list(range(degree)) for row in rows)
    assert rows[0] == tuple(range(degree))


@pytest.mark.parametrize("degree", DEGREES)
def test_an_inverse_undoes_on_both_sides(degree):
    rows = permutations(degree)
    identity = np.broadcast_to(np.arange(degree), rows.shape)
    assert (compose(rows, inverse(rows)) == identity).all()
    assert (compose(inverse(rows), rows) == identity).all()


@pytest.mark.parametrize("degree", [*DEGREES, 6])
def test_the_table_is_a_group(degree):
    product = operation_table("compose", degree)
    group = len(product)
    assert (product[0] == np.arange(group)).all() and (product[:, 0] == np.arange(group)).all()  # identity
    x, y, z = np.random.default_rng(1).integers(group, size=(3, 5000))
    assert (product[product[x, y], z] == product[x, product[y, z]]).all()  # associativity
    each_once = np.arange(group)
    assert (np.sort(product, axis=0) == each_once[:, None]).all()  # every column is a permutation
    assert (np.sort(product, axis=1) == each_once).all()  # every row


def test_conjugation_keeps_the_cycle_type():
    rows = permutations(5)
    fixed_points_G = (rows == np.arange(5)).sum(axis=1)
    twice_G = (compose(rows, rows) == np.arange(5)).sum(axis=1)
    table = operation_table("conjugate", 5)
    assert (fixed_points_G[table] == fixed_points_G).all() and (twice_G[table] == twice_G).all()
    # Control: composition does not.
    assert (fixed_points_G[operation_table("compose", 5)] != fixed_points_G).any()


def test_a_conjugate_row_only_renames_and_a_sandwich_column_need_not():
    # b -> a b a⁻¹ and b -> a b a are bijections for each a. a -> a b a is none: for b = 1 every swap gives 1.
    for operation in ["conjugate", "sandwich"]:
        assert (np.sort(operation_table(operation, 4), axis=1) == np.arange(24)).all()
    assert len(set(operation_table("sandwich", 4)[:, 0].tolist())) < 24


def test_s5_has_the_published_14400_pairs_and_s6_518400():
    assert operation_table("compose", 5).size == 14_400
    assert operation_table("sandwich", 6).size == 518_400


@pytest.mark.parametrize("degree", [0, 7])
def test_a_degree_out_of_range_is_refused(degree):
    with pytest.raises(SpecError, match=rf"degree = {degree}; expected 1 to 6\."):
        permutations(degree)


def test_an_unknown_operation_is_refused_with_a_near_miss():
    with pytest.raises(SpecError, match=r"operation = 'conjugat' is unknown. Did you mean 'conjugate'\?"):
        operation_table("conjugat", 3)
