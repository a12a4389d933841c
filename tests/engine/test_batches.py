"""Which examples a step sees, checked by counting them."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from latebloom.base.errors import SpecError
from latebloom.engine.batches import BatchStream
from latebloom.spec import Batches
from latebloom.tasks import Part, Split


def split_of(**parts: tuple[int, float]) -> Split:
    """Examples 0, 1, 2, ...; each part has `count` of them for training, then as many for validation."""
    start, cut = 0, {}
    for name, (count, share) in parts.items():
        cut[name] = Part(np.arange(start, start + count), np.arange(start + count, start + 2 * count), share)
        start += 2 * count
    return Split(np.zeros((start, 4), np.int64), np.zeros(start, np.int64), ("x",), ("y", "z"), cut)


def batches(stream: BatchStream, steps: int) -> list[list[int]]:
    return [stream.at(step).tolist() for step in range(1, steps + 1)]


@pytest.mark.parametrize("size", [1, 7, 10, 24, 25])
def test_every_epoch_shows_every_example_exactly_once(size: int) -> None:
    split = split_of(only=(25, 1.0))
    seen = [i for batch in batches(BatchStream(Batches(size=size), split, seed=3), steps=75) for i in batch]
    epochs = [seen[start : start + 25] for start in range(0, len(seen) - 24, 25)]
    assert len(epochs) == 75 * size // 25
    assert all(sorted(epoch) == split.train_M.tolist() for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == len(epochs)  # each in an order of its own


@pytest.mark.parametrize("sampling", ["epoch", "replacement"])
def test_batches_are_always_full_and_never_hold_a_validation_example(sampling: str) -> None:
    split = split_of(a=(25, 0.7), b=(11, 0.3))
    for batch in batches(BatchStream(Batches(size=12, sampling=sampling), split, seed=3), steps=100):
        assert len(batch) == 12
        assert not set(batch) & set(split.val_M.tolist())


@pytest.mark.parametrize("sampling", ["epoch", "replacement"])
def test_a_batch_is_a_function_of_seed_and_step_alone(sampling: str) -> None:
    split, spec = split_of(a=(25, 0.7), b=(11, 0.3)), Batches(size=12, sampling=sampling)
    in_order = batches(BatchStream(spec, split, seed=3), steps=40)
    stream = BatchStream(spec, split, seed=3)
    for step in (40, 1, 17, 17, 39, 2):  # backwards, twice, from the middle
        assert stream.at(step).tolist() == in_order[step - 1]
    for step in (1, 20, 40):
        assert BatchStream(spec, split, seed=3).at(step).tolist() == in_order[step - 1]
    assert batches(BatchStream(spec, split, seed=4), steps=40) != in_order


def test_an_operation_is_drawn_alike_whatever_it_is_mixed_with() -> None:
    """So that a mixture and its control see the same division examples."""
    alone = BatchStream(Batches(size=8), split_of(divide=(25, 1.0)), seed=3)
    mixed = BatchStream(Batches(size=16), split_of(divide=(25, 0.5), add=(25, 0.5)), seed=3)
    for step in range(1, 20):
        assert [i for i in mixed.at(step).tolist() if i < 25] == alone.at(step).tolist()


@pytest.mark.parametrize(
    ("shares", "counts"),
    [
        ({"a": 0.5, "b": 0.5}, {"a": 256, "b": 256}),
        ({"a": 0.33, "b": 0.33, "c": 0.34}, {"a": 169, "b": 169, "c": 174}),
    ],
)
@pytest.mark.parametrize("sampling", ["epoch", "replacement"])
def test_every_batch_is_exactly_balanced(shares: dict[str, float], counts: dict[str, int], sampling: str) -> None:
    split = split_of(**{name: (600, share) for name, share in shares.items()})
    stream = BatchStream(Batches(size=512, sampling=sampling), split, seed=0)
    part_of = {i: name for name, part in split.parts.items() for i in part.train_M.tolist()}
    for step in range(1, 60):
        assert Counter(part_of[i] for i in stream.at(step).tolist()) == counts


def test_draws_with_replacement_are_uniform_and_repeat_examples() -> None:
    stream = BatchStream(Batches(size=20, sampling="replacement"), split_of(only=(25, 1.0)), seed=5)
    drawn = batches(stream, steps=1000)
    counts = np.bincount(np.ravel(drawn), minlength=25)
    assert chisquare(counts).pvalue > 0.001  # 20,000 draws of 25: of fair streams one in a thousand would fail
    assert all(len(set(batch)) < 20 for batch in drawn[:50])  # 20 distinct of 25 has probability 1.4e-5 per batch
    by_epoch = np.bincount(np.ravel(batches(BatchStream(Batches(size=20), split_of(only=(25, 1.0)), 5), 1000)))
    assert chisquare(by_epoch).statistic == 0  # control: epochs are not independent draws, but exactly even


def test_draws_of_neighbouring_steps_are_independent() -> None:
    stream = BatchStream(Batches(size=1, sampling="replacement"), split_of(only=(5, 1.0)), seed=5)
    drawn = np.array([stream.at(step).item() for step in range(1, 2001)])
    pairs = np.bincount(5 * drawn[:-1] + drawn[1:], minlength=25)
    assert chisquare(pairs).pvalue > 0.001


def test_a_batch_larger_than_a_part_is_refused_naming_every_such_part() -> None:
    with pytest.raises(SpecError) as refused:
        BatchStream(Batches(size=60), split_of(a=(25, 0.5), b=(11, 0.5), c=(300, 1e-6)), seed=0)
    assert len(refused.value.problems) == 2
    assert "asks for 29 different examples of b in every batch, but it has 11" in str(refused.value)
    BatchStream(Batches(size=26 + 12), split_of(a=(26, 26 / 38), b=(12, 12 / 38)), seed=0)  # just fits


def test_the_full_batch_is_every_training_example_at_every_step() -> None:
    split = split_of(a=(25, 0.7), b=(11, 0.3))
    stream = BatchStream(Batches(size=None), split, seed=3)
    assert stream.full and not BatchStream(Batches(size=5), split, seed=3).full
    for step in (1, 2, 70_000):
        assert stream.at(step).tolist() == [*range(25), *range(50, 61)]
