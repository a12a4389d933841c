"""A mixture is its parts side by side, united by name."""

from __future__ import annotations

import pydantic
import pytest

from latebloom.base.component import from_dict
from latebloom.base.errors import SpecError
from latebloom.tasks import Mixture, Modular, Parity, Permutation, Task


def mix(**tasks):
    return Mixture(parts={name: {"share": 1, "task": task.model_dump()} for name, task in tasks.items()})


def read(split, part):
    """The training and the validation examples of a part, in words."""
    return [split.example(n) for n in part.train_M], [split.example(n) for n in part.val_M]


LEAVES = {
    "divide": Modular(operation="divide", modulus=97),
    "add": Modular(operation="add", modulus=97, train_fraction=0.3),
    "cubic": Modular(operation="cubic_mixed", modulus=113, train_fraction=0.9),
    "s4": Permutation(operation="conjugate", degree=4, split_seed=8),
    "bits": Parity(bits=4, subset_size=2),
}


@pytest.mark.parametrize("names", [("divide", "add"), ("divide", "s4", "bits"), ("add", "cubic"), tuple(LEAVES)])
def test_every_part_reads_and_is_cut_as_the_same_task_alone(names):
    split = mix(**{name: LEAVES[name] for name in names}).split(11)
    assert set(split.parts) == set(names)
    for name in names:
        alone = LEAVES[name].split(11)
        [only] = alone.parts.values()
        assert read(split, split.parts[name]) == read(alone, only)


def test_a_mixture_unites_numbers_that_are_numbered_differently():
    # Control for the test above: without going by name, token 97 would be an operator here and a residue there.
    split = mix(**{name: LEAVES[name] for name in ["add", "cubic"]}).split(0)
    assert split.vocabulary[:99] == (*map(str, range(97)), "+", "=")
    assert split.vocabulary[99:] == (*map(str, range(97, 113)), "a³+ab²+b")
    assert split.label_names == tuple(map(str, range(113)))


def test_division_and_addition_together_need_one_token_more_than_division_alone():
    split = mix(divide=Modular(), add=Modular(operation="add")).split(0)
    assert len(split.vocabulary) == 97 + 2 + 1
    assert len(split.label_names) == 97
    assert len(split.labels_N) == 97 * 96 + 97 * 97


def test_a_permutation_is_no_residue_although_both_are_digits():
    split = mix(add=Modular(operation="add", modulus=13), s2=Permutation(degree=2)).split(0)
    assert "10" in split.vocabulary and "[10]" in split.vocabulary


def test_two_parts_with_one_sign_each_get_their_own_operator():
    small, large = Modular(operation="add", modulus=5), Modular(operation="add", modulus=7)
    split = mix(small=small, large=large).split(0)
    assert {"+ small", "+ large"} < set(split.vocabulary) and "+" not in split.vocabulary
    for name, task in {"small": small, "large": large}.items():
        train, val = read(split, split.parts[name])
        alone = [task.split(0).example(n).replace("+", f"+ {name}") for n in range(task.modulus**2)]
        assert sorted(train + val) == sorted(alone)


def test_shares_are_normalised_to_sum_to_one():
    parts = {"a": {"share": 3, "task": Modular().model_dump()}, "b": {"share": 1, "task": LEAVES["add"].model_dump()}}
    shares = {name: part.share for name, part in Mixture(parts=parts).split(0).parts.items()}
    assert shares == {"a": 0.75, "b": 0.25}


def test_the_order_in_which_parts_are_written_has_no_meaning():
    forth, back = mix(**LEAVES), mix(**dict(reversed(LEAVES.items())))
    assert forth == back  # as components, so they must also be the same data
    one, two = forth.split(1), back.split(1)
    assert one.vocabulary == two.vocabulary and one.label_names == two.label_names
    assert (one.inputs_NT == two.inputs_NT).all() and (one.labels_N == two.labels_N).all()
    assert one.train_M.tolist() == two.train_M.tolist()


def problems(parts):
    with pytest.raises(SpecError) as refused:
        from_dict(Task, {"kind": "mixture", "parts": parts}, "task")
    return refused.value.problems


def given(share=1.0, **task):
    return {"share": share, "task": task}


def test_unequal_lengths_are_refused_by_name():
    [problem] = problems({"divide": given(kind="modular"), "bits": given(kind="parity", bits=10)})
    assert problem == (
        "task.parts: all parts need equally many tokens per example, but divide has 4, bits has 10. "
        "An equation has 4, as has parity with bits = 4."
    )


def test_two_parities_are_refused_because_nothing_tells_them_apart():
    [problem] = problems({"one": given(kind="parity"), "two": given(kind="parity")})
    assert problem.startswith("task.parts: one and two are parity")


@pytest.mark.parametrize("name", ["a/b", "a.b", "", "a b"])
def test_a_name_that_cannot_be_part_of_a_readings_name_is_refused(name):
    [problem] = problems({name: given(kind="modular")})
    assert problem.startswith(f"task.parts: a part is named {name!r}; expected letters, digits")


def test_all_problems_of_all_parts_are_told_at_once_with_their_places():
    told = problems(
        {
            "divide": given(kind="modular", modulus=96),
            "add": given(share=0, kind="modular", operation="ad"),
            "s5": given(kind="permutation", degree=9),
        }
    )
    assert sorted(line.split()[0].rstrip(":") for line in told) == [
        "task.parts.add.share",
        "task.parts.add.task.operation",
        "task.parts.divide.task.modulus",
        "task.parts.s5.task.degree",
    ]


@pytest.mark.parametrize("share", [0, -1, float("nan"), float("inf")])
def test_a_share_must_be_a_positive_number(share):
    [problem] = problems({"divide": given(share=share, kind="modular")})
    assert problem.startswith("task.parts.divide.share = ")


def test_a_mixture_needs_a_part():
    [problem] = problems({})
    assert problem.startswith("task.parts = {}")


def test_a_mixture_of_mixtures_is_refused():
    with pytest.raises(pydantic.ValidationError, match="'mixture' found using 'kind' does not match"):
        mix(inner=mix(divide=Modular()))
