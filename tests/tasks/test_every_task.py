"""What holds for every task in the table: the cut, the seeds, the ids."""

from __future__ import annotations

import typing

import numpy as np
import pytest

from latebloom.algebra import modular, permutations
from latebloom.base.component import from_dict
from latebloom.base.errors import SpecError
from latebloom.tasks import TASKS, Mixture, Modular, Parity, Permutation, SmallCodes, Task

EXAMPLES = [
    *[Modular(operation=operation, modulus=7) for operation in modular.OPERATIONS],
    *[Permutation(operation=operation, degree=3) for operation in permutations.OPERATIONS],
    Parity(bits=6, subset_size=2),
    SmallCodes(largest=2, height=1),
    SmallCodes(largest=1, height=2, cut_by="orbit"),
    Mixture(
        parts={
            "four": {"share": 1, "task": {"kind": "parity", "bits": 4, "train_fraction": 0.75}},
            "divide": {"share": 2, "task": {"kind": "modular", "operation": "divide", "modulus": 5}},
            "swap": {"share": 1, "task": {"kind": "permutation", "degree": 3, "train_fraction": 0.2}},
        }
    ),
]
every_task = pytest.mark.parametrize("task", EXAMPLES, ids=lambda task: f"{task.kind}-{getattr(task, 'operation', '')}")


def train_of(task, seed):
    return task.split(seed).train_M.tolist()


def test_every_task_of_the_table_is_tried_here():
    assert {task.kind for task in EXAMPLES} == TASKS.keys() - {"images", "linear_codes"}  # these count nothing up
    assert set(TASKS.values()) == set(typing.get_args(typing.get_args(Task)[0]))


@every_task
def test_train_and_validation_are_disjoint_ascending_and_cover_every_example(task):
    split = task.split(3)
    for part in split.parts.values():
        assert (np.diff(part.train_M) > 0).all() and (np.diff(part.val_M) > 0).all()
        assert len(part.train_M) >= 1 and len(part.val_M) >= 1
    everything = np.concatenate([split.train_M, split.val_M])
    assert sorted(everything.tolist()) == list(range(len(split.labels_N)))


@every_task
def test_every_id_has_a_name_and_no_example_comes_twice(task):
    split = task.split(3)
    assert split.inputs_NT.dtype == split.labels_N.dtype == np.int64
    assert split.inputs_NT.shape == (len(split.labels_N), split.inputs_NT.shape[1])
    assert sorted(set(split.inputs_NT.ravel().tolist())) == list(range(len(split.vocabulary)))  # every token is used
    assert split.labels_N.min() >= 0 and split.labels_N.max() < len(split.label_names)
    assert len(set(split.vocabulary)) == len(split.vocabulary)
    assert len(set(split.label_names)) == len(split.label_names)
    assert len(np.unique(split.inputs_NT, axis=0)) == len(split.labels_N)


@every_task
def test_the_shares_sum_to_one(task):
    assert sum(part.share for part in task.split(0).parts.values()) == pytest.approx(1, abs=1e-15)


@every_task
def test_the_same_seed_gives_the_same_cut_and_another_seed_another(task):
    assert train_of(task, 5) == train_of(task, 5)
    assert train_of(task, 5) != train_of(task, 6)


@pytest.mark.parametrize("task", [task for task in EXAMPLES if task.kind != "mixture"])
def test_a_split_seed_overrides_the_seed_of_the_run(task):
    fixed = task.but(split_seed=6)
    assert train_of(fixed, 5) == train_of(fixed, 99) == train_of(task, 6)
    assert (fixed.split(5).labels_N == task.split(6).labels_N).all()


@every_task
def test_a_task_survives_the_way_through_plain_data(task):
    assert from_dict(Task, task.model_dump(mode="json")) == task


@every_task
def test_a_task_says_how_long_its_examples_are_and_which_token_asks(task):
    split = task.split(0)
    if task.kind not in ("mixture", "small_codes"):  # of these two no mixture is made
        assert task.length == split.inputs_NT.shape[1]
        assert task.operator is None or split.vocabulary[split.inputs_NT[0, 1]] == task.operator


@pytest.mark.parametrize(
    ("count_of", "fraction", "train_count"),
    [
        (Modular(modulus=97), 0.5, 4656),  # the published 4,656 / 4,656 of 9,312
        (Modular(modulus=97), 0.05, 466),  # 465.6
        (Modular(operation="add", modulus=3), 0.5, 4),  # 4.5: a half goes to the even number
        (Modular(operation="add", modulus=5), 0.5, 12),  # 12.5
        (Modular(operation="add", modulus=2), 0.2, 1),  # 0.8
        (Permutation(degree=5), 0.4, 5760),
        (Parity(bits=10), 0.3, 307),  # 307.2
    ],
)
def test_the_train_size_is_the_nearest_whole_number(count_of, fraction, train_count):
    assert len(train_of(count_of.but(train_fraction=fraction), 0)) == train_count


def test_division_modulo_97_is_cut_into_the_published_halves():
    split = Modular().split(42)
    assert (len(split.train_M), len(split.val_M)) == (4656, 4656)
    assert len(split.vocabulary) == 99 and len(split.label_names) == 97


def test_a_training_set_is_drawn_evenly():
    # Each of the 6 * 7 equations should be in half of 400 independent cuts: 200, standard deviation 10.
    task = Modular(modulus=7)
    times_N = np.zeros(42)
    for seed in range(400):
        times_N[task.split(seed).train_M] += 1
    assert np.abs(times_N - 200).max() < 50  # 5 standard deviations, for 42 draws of a fixed sequence


@pytest.mark.parametrize(("fraction", "left"), [(0.1, "0 for training and 4"), (0.9, "4 for training and 0")])
def test_a_cut_that_leaves_one_side_empty_is_refused(fraction, left):
    with pytest.raises(SpecError, match=rf"train_fraction = {fraction} of the 4 examples of add leaves {left}"):
        Modular(operation="add", modulus=2, train_fraction=fraction).split(0)


def problems(**given):
    with pytest.raises(SpecError) as refused:
        from_dict(Task, given, "task")
    return refused.value.problems


def test_a_composite_modulus_is_refused_at_its_place():
    for operation in ["divide", "divide_or_subtract"]:
        assert problems(kind="modular", operation=operation, modulus=96) == [
            "task.modulus = 96 is not prime; division needs a prime modulus. The nearest are 89 and 97."
        ]
    assert from_dict(Task, {"kind": "modular", "operation": "add", "modulus": 96}).modulus == 96


def test_changing_the_operation_checks_the_modulus_again():
    with pytest.raises(SpecError, match="division needs a prime modulus"):
        Modular(operation="add", modulus=96).but(operation="divide")


@pytest.mark.parametrize(
    ("given", "place", "says"),
    [
        (
            {"kind": "modulr"},
            "task.kind",
            "Did you mean 'modular'? Known: modular, permutation, parity, mixture, images,",
        ),
        ({"kind": "modular", "operation": "divid"}, "task.operation", "Did you mean 'divide'?"),
        ({"kind": "modular", "modulus": 1}, "task.modulus = 1", "expected a whole number in [2, 2003]"),
        ({"kind": "modular", "modulus": 9973}, "task.modulus = 9973", "expected a whole number in [2, 2003]"),
        ({"kind": "modular", "train_fraction": 1.0}, "task.train_fraction = 1.0", "expected a number in (0, 1)"),
        ({"kind": "modular", "train_frac": 0.5}, "task.train_frac", "Did you mean 'train_fraction'?"),
        ({"kind": "permutation", "degree": 7}, "task.degree = 7", "expected a whole number in [2, 6]"),
        ({"kind": "permutation", "operation": "compse"}, "task.operation", "Did you mean 'compose'?"),
        ({"kind": "parity", "bits": 21}, "task.bits = 21", "expected a whole number in [2, 20]"),
        ({"kind": "parity", "bits": 4, "subset_size": 5}, "task.subset_size", "5 of 4 bits; expected 1 to 4"),
        (
            {"kind": "parity", "bits": 4, "subset_size": 2, "positions": [1, 1]},
            "task.positions",
            "[1, 1]; expected 2 (subset_size) different positions in 0 .. 3.",
        ),
        ({"kind": "parity", "bits": 4, "subset_size": 2, "positions": [1]}, "task.positions", "expected 2"),
        ({"kind": "parity", "bits": 4, "subset_size": 2, "positions": [1, 4]}, "task.positions", "in 0 .. 3"),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_place(given, place, says):
    [problem] = problems(**given)
    assert problem.startswith(place) and says in problem
