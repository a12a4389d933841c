"""The exact split of a batch, against the laws of apportionment."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latebloom.base.errors import SpecError
from latebloom.tasks import share_counts, share_notice

share = st.one_of(st.integers(1, 100).map(float), st.floats(1e-6, 1e6), st.sampled_from([0.1, 0.2, 0.33, 0.5]))
shares_of_parts = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), share, min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(shares_of_parts, st.integers(0, 2000))
def test_a_batch_is_split_exactly_and_each_part_gets_its_share_rounded(shares, extra):
    batch_size = len(shares) + extra
    counts = share_counts(batch_size, shares)
    assert list(counts) == list(shares)
    assert sum(counts.values()) == batch_size
    assert min(counts.values()) >= 1
    exact = {name: batch_size * share / sum(shares.values()) for name, share in shares.items()}
    if min(exact.values()) >= 1:  # else a part was raised to 1 at the cost of the others
        assert all(abs(counts[name] - exact[name]) < 1 + 1e-9 for name in shares)  # 1e-9: exact is a float here


@settings(max_examples=200, deadline=None)
@given(shares_of_parts, st.integers(0, 2000), st.randoms())
def test_the_order_of_the_parts_changes_nothing(shares, extra, random):
    shuffled = dict(random.sample(sorted(shares.items()), len(shares)))
    batch_size = len(shares) + extra
    assert share_counts(batch_size, shares) == share_counts(batch_size, shuffled)


@settings(max_examples=200, deadline=None)
@given(shares_of_parts, st.integers(0, 2000), st.randoms())
def test_renaming_the_parts_only_renames_the_counts_up_to_ties(shares, extra, random):
    names = random.sample(sorted(shares), len(shares))
    renamed = dict(zip(names, shares.values(), strict=True))
    batch_size = len(shares) + extra
    counts, again = share_counts(batch_size, shares), share_counts(batch_size, renamed)
    apart = [abs(counts[old] - again[new]) for old, new in zip(shares, names, strict=True)]
    assert max(apart) <= 1
    exact = [batch_size * share / sum(shares.values()) for share in shares.values()]
    remainders = sorted(quota % 1 for quota in exact)
    if min(exact) >= 1 and all(two - one > 1e-6 for one, two in itertools.pairwise(remainders)):  # no tie
        assert max(apart) == 0


@settings(max_examples=200, deadline=None)
@given(shares_of_parts, st.integers(0, 2000))
def test_a_larger_share_never_gets_fewer_examples(shares, extra):
    counts = share_counts(len(shares) + extra, shares)
    by_share = sorted(shares, key=shares.__getitem__)
    for smaller, larger in itertools.pairwise(by_share):
        if shares[smaller] < shares[larger]:
            assert counts[smaller] <= counts[larger]


@pytest.mark.parametrize(
    ("batch_size", "shares", "counts"),
    [
        (512, (0.5, 0.5), [256, 256]),
        (512, (0.7, 0.3), [358, 154]),  # 358.4, 153.6
        (512, (0.33, 0.33, 0.34), [169, 169, 174]),  # 168.96, 168.96, 174.08
        (100, (0.29, 0.71), [29, 71]),  # 100 * 0.29 is 28.999999999999996 in floats
        (3, (0.98, 0.01, 0.01), [1, 1, 1]),
        (10, (0.98, 0.01, 0.01), [8, 1, 1]),
        (5, (1, 1), [3, 2]),  # a tie: the first by name
        (7, (1, 1, 1), [3, 2, 2]),
    ],
)
def test_known_batches(batch_size, shares, counts):
    named = dict(zip("abc", shares, strict=False))
    assert list(share_counts(batch_size, named).values()) == counts


def test_a_tie_goes_to_the_first_by_name_whatever_the_order_and_the_last_bits():
    assert share_counts(5, {"b": 1, "a": 1}) == {"b": 2, "a": 3}
    assert 0.1 * 3 > 0.3
    assert share_counts(5, {"a": 0.7, "b": 0.1 * 3}) == {"a": 4, "b": 1}  # 3.5 and 1.5


def test_a_batch_smaller_than_the_number_of_parts_is_refused():
    with pytest.raises(SpecError, match=r"batch_size = 2 is smaller than the 3 parts of the mixture; .* Use 3 or more"):
        share_counts(2, {"a": 1, "b": 1, "c": 1})


@pytest.mark.parametrize("wrong", [0, -0.5, float("nan"), float("inf")])
def test_a_share_that_is_no_positive_number_is_refused(wrong):
    with pytest.raises(SpecError, match=r"share of b = .*; expected a number > 0"):
        share_counts(10, {"a": 1, "b": wrong})


def test_rounded_shares_are_put_into_words():
    assert share_notice(512, {"divide": 0.33, "add": 0.33, "subtract": 0.34}) == (
        "divide/add/subtract at 0.33/0.33/0.34 of 512 are 169/169/174 examples (0.3301/0.3301/0.3398)"
    )


def test_exact_shares_need_no_words_even_if_their_floats_do_not_sum_to_one():
    assert share_notice(512, {"divide": 0.5, "add": 0.5}) is None
    assert sum([0.7, 0.2, 0.1]) != 1
    assert share_notice(10, {"a": 0.7, "b": 0.2, "c": 0.1}) is None
