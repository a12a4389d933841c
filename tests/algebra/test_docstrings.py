from __future__ import annotations

import doctest

import pytest

from latebloom.algebra import modular, permutations


@pytest.mark.parametrize("module", [modular, permutations], ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings_are_true(module):
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0
