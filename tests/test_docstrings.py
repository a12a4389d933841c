"""Every example in a docstring is true."""

import doctest
import importlib
import importlib.util
import pkgutil

import pytest

import latebloom
from latebloom.integrations import ADAPTERS

NEEDS_AN_EXTRA = {} if importlib.util.find_spec("ray") else {"latebloom.lab.engines.ray_driver": "ray"}
NEEDS_AN_EXTRA |= {f"latebloom.integrations.{name}": name for name in ADAPTERS}  # and takes seconds to import
MODULES = [
    m.name
    for m in pkgutil.walk_packages(latebloom.__path__, "latebloom.")
    if not m.name.endswith("__main__") and m.name not in NEEDS_AN_EXTRA
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_its_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    """Control: the test above would pass on modules without any."""
    found = [example for name in MODULES for example in doctest.DocTestFinder().find(importlib.import_module(name))]
    assert sum(bool(one.examples) for one in found) > 10


def test_a_false_example_is_noticed():
    """Control."""
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    runner.run(parser.get_doctest(">>> 1 + 1\n3", {}, "false", None, 0), out=lambda text: None)
    assert runner.failures == 1
