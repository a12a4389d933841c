"""Every label of every operation against its definition, for all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from latebloom.algebra.modular import MAX_MODULUS, OPERATIONS, equations, is_prime, nearest_primes
from latebloom.base.errors import DataError, SpecError

PRIMES = [2, 3, 5, 97, 113]

# The definitions once more, in Python's unbounded integers: `holds(a, b, c)` says whether a ∘ b = c modulo p.
DEFINITIONS = {
    "add": lambda a, b, c, p: (a + b - c) % p == 0,
    "subtract": lambda a, b, c, p: (c + b - a) % p == 0,
    "multiply": lambda a, b, c, p: (a * b - c) % p == 0,
    "divide": lambda a, b, c, p: b != 0 and (c * b - a) % p == 0,
    "divide_or_subtract": lambda a, b, c, p: (c * b - a) % p == 0 if b in range(1, p, 2) else (c + b - a) % p == 0,
    "square_sum": lambda a, b, c, p: (a * a + b * b - c) % p == 0,
    "quadratic": lambda a, b, c, p: (a * a + a * b + b * b - c) % p == 0,
    "quadratic_plus_a": lambda a, b, c, p: (a * a + a * b + b * b + a - c) % p == 0,
    "cubic_product": lambda a, b, c, p: (a * a * a + a * b - c) % p == 0,
    "cubic_mixed": lambda a, b, c, p: (a * a * a + a * b * b + b - c) % p == 0,
    "cube_plus_b": lambda a, b, c, p: (a * a * a + b - c) % p == 0,
}
DIVIDING = ["divide", "divide_or_subtract"]


def count_wrong(operation, modulus, a_N, b_N, c_N):
    holds = DEFINITIONS[operation]
    return sum(not holds(a, b, c, modulus) for a, b, c in zip(a_N.tolist(), b_N.tolist(), c_N.tolist(), strict=True))


def test_every_operation_has_a_definition_here():
    assert DEFINITIONS.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("modulus", PRIMES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_equation_satisfies_its_definition(operation, modulus):
    a_N, b_N, c_N = equations(operation, modulus)
    assert count_wrong(operation, modulus, a_N, b_N, c_N) == 0
    assert c_N.min() >= 0 and c_N.max() < modulus


@pytest.mark.parametrize("modulus", [4, 6, 96])
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in DIVIDING])
def test_what_does_not_divide_allows_a_composite_modulus(operation, modulus):
    assert count_wrong(operation, modulus, *equations(operation, modulus)) == 0


@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_wrong_label_is_noticed(operation):
    a_N, b_N, c_N = equations(operation, 97)
    c_N[1234] = (c_N[1234] + 1) % 97
    assert count_wrong(operation, 97, a_N, b_N, c_N) == 1


@pytest.mark.parametrize("modulus", PRIMES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_pair_comes_once_by_ascending_a_and_then_b(operation, modulus):
    a_N, b_N, _ = equations(operation, modulus)
    first_b = 1 if operation == "divide" else 0
    pairs = [(a, b) for a in range(modulus) for b in range(first_b, modulus)]
    assert list(zip(a_N.tolist(), b_N.tolist(), strict=True)) == pairs


def test_division_modulo_97_has_the_published_9312_examples():
    assert len(equations("divide", 97)[0]) == 97 * 96 == 9312


@pytest.mark.parametrize("modulus", PRIMES)
def test_quotients_are_those_of_pythons_own_modular_inverse(modulus):
    a_N, b_N, c_N = equations("divide", modulus)
    assert c_N.tolist() == [a * pow(b, -1, modulus) % modulus for a, b in zip(a_N.tolist(), b_N.tolist(), strict=True)]


def test_the_largest_modulus_does_not_overflow():
    p = MAX_MODULUS
    for operation in ["cube_plus_b", "cubic_mixed"]:
        a_N, b_N, c_N = equations(operation, p)
        tail = slice(-2 * p, None)  # the largest a, and every b
        assert count_wrong(operation, p, a_N[tail], b_N[tail], c_N[tail]) == 0


@pytest.mark.parametrize("operation", DIVIDING)
def test_a_composite_modulus_is_refused_with_the_nearest_primes(operation):
    with pytest.raises(SpecError) as refused:
        equations(operation, 96)
    assert str(refused.value) == (
        "modulus = 96 is not prime; division needs a prime modulus. The nearest are 89 and 97."
    )


def test_at_96_the_customary_inverse_gives_8561_labels_that_are_no_quotient():
    # Control: what a public configuration trained on, b ** (p - 2) taken for 1 / b although 96 is not prime.
    def wrong(p):
        return sum(a * pow(b, p - 2, p) % p * b % p != a for a in range(p) for b in range(1, p))

    assert (wrong(96), 96 * 95) == (8561, 9120)
    assert wrong(97) == 0


@pytest.mark.parametrize("modulus", [-5, 0, 1, MAX_MODULUS + 1])
def test_a_modulus_out_of_range_is_refused(modulus):
    with pytest.raises(SpecError, match=rf"modulus = {modulus}; expected 2 to 2003\."):
        equations("add", modulus)


def test_an_unknown_operation_is_refused_with_a_near_miss():
    with pytest.raises(SpecError, match=r"operation = 'divid' is unknown. Did you mean 'divide'\? Known: add, "):
        equations("divid", 97)


def test_primes_are_what_the_sieve_of_eratosthenes_leaves():
    sieve = np.ones(3000, dtype=bool)
    sieve[:2] = False
    for n in range(2, 55):
        sieve[2 * n :: n] = False
    assert [is_prime(n) for n in range(3000)] == sieve.tolist()
    primes = np.flatnonzero(sieve)
    for n in range(3, 2990):
        assert nearest_primes(n) == (primes[primes < n].max(), primes[primes > n].min())


def test_below_two_there_is_no_prime_to_name():
    with pytest.raises(DataError, match="n = 2 has no prime below it"):
        nearest_primes(2)


def test_the_bound_is_a_prime_so_that_every_hint_can_be_followed():
    assert is_prime(MAX_MODULUS)
    assert nearest_primes(MAX_MODULUS - 1)[1] == MAX_MODULUS


def test_every_operation_has_its_own_token():
    assert len({operation.token for operation in OPERATIONS.values()}) == len(OPERATIONS)
