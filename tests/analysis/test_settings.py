"""In which settings arms differ."""

import pytest

from analysis.test_compare import FAST, SLOW, arm
from latebloom.analysis.settings import differs


@pytest.mark.parametrize(("key", "is_told"), [("loss.violation", False), ("task.split_seed", True)])
def test_a_setting_that_an_earlier_version_lacks_is_as_good_as_off_but_no_seed_is_not_seed_0(key, is_told):
    earlier, later = {"task.modulus": 97}, {"task.modulus": 97, key: 0}
    arms = {"plain": arm("plain", SLOW, settings=earlier), "fast": arm("fast", FAST, settings=later)}
    assert differs(arms) == ({key: {"plain": None, "fast": 0}} if is_told else {})
    later[key] = 0.5
    assert differs(arms) == {key: {"plain": None, "fast": 0.5}}
