from __future__ import annotations

import doctest

import pytest

from latebloom.tasks import mixture, modular, parity, permutation, split


@pytest.mark.parametrize("module", [split, modular, permutation, parity, mixture], ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings_are_true(module):
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0
