"""Fourier measures against logits whose waves are known, the definition in sums, and symmetries of the group."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.tiny import ADD, MIXTURE, begin, tiny
from latebloom.algebra.modular import equations
from latebloom.base.errors import SpecError
from latebloom.engine.loop import Look
from latebloom.measures import Fourier
from latebloom.measures.fourier import gini, places, wave_norms, waves

CASES = [("add", 23), ("add", 24), ("subtract", 23), ("multiply", 23), ("divide", 23)]
KEYS = {2: 8.0, 5: 6.0, 9: 7.0}


def pairs(operation, modulus):
    """Labels, their places, and half of the pairs to train on."""
    labels = torch.from_numpy(equations(operation, modulus)[2])
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)))
    return labels, places(operation, modulus), order[: len(order) // 2]


def exact(operation, modulus, amplitudes=KEYS):
    """Logits sum_k A_k cos(2 pi k (s - c) / n), written out."""
    labels, place, train = pairs(operation, modulus)
    n, s, c = int((place >= 0).sum()), place[labels.numpy()][:, None], place[None]
    logits = sum(a * np.cos(2 * np.pi * k * (s - c) / n) for k, a in amplitudes.items())
    logits[:, place < 0] = -30.0  # nothing is said about an answer outside the group
    return torch.from_numpy(logits), labels, train, place


@pytest.mark.parametrize(("operation", "modulus"), CASES)
def test_pure_waves_are_found_exactly(operation, modulus):
    logits, labels, train, place = exact(operation, modulus)
    found = waves(logits, labels, train, place)
    inside = place[labels.numpy()] >= 0
    assert found.keys == tuple(KEYS)
    total = sum(a**2 for a in KEYS.values())
    expected = [KEYS.get(k, 0.0) ** 2 / total for k in range(1, len(found.power_K) + 1)]
    np.testing.assert_allclose(found.power_K, expected, atol=1e-12)
    assert found.variance_explained == pytest.approx(1, abs=1e-12)
    assert found.restricted_loss == pytest.approx(float(F.cross_entropy(logits[inside], labels[inside])), rel=1e-9)
    assert found.excluded_loss == pytest.approx(math.log((place >= 0).sum()), rel=1e-9)  # nothing else is left


@pytest.mark.parametrize(("operation", "modulus"), CASES)
def test_shares_and_losses_are_the_sums_of_the_definition(operation, modulus):
    """Project on each wave over all pairs, one at a time; no transform."""
    labels, place, train = pairs(operation, modulus)
    logits = torch.from_numpy(np.random.default_rng(1).normal(size=(len(labels), modulus)))
    found = waves(logits, labels, train, place, frequencies=[3, 7])
    inside = torch.from_numpy(place[labels.numpy()] >= 0)
    n, s = int((place >= 0).sum()), torch.from_numpy(place)[labels[inside]].double()
    inner, targets = logits[inside], labels[inside]
    centred = inner - inner.mean(0)
    parts, powers = torch.zeros_like(inner), {}
    for k in range(1, n // 2 + 1):
        both = [torch.cos(2 * math.pi * k * s / n), torch.sin(2 * math.pi * k * s / n)]
        both = [wave / wave.norm() for wave in both if wave.norm() > 1e-6]
        along = sum(torch.outer(wave, wave @ inner) for wave in both)
        powers[k] = float(along.square().sum() / centred.square().sum())
        parts += along if k in (3, 7) else 0
    np.testing.assert_allclose(found.power_K, list(powers.values()), rtol=1e-9)
    assert found.restricted_loss == pytest.approx(float(F.cross_entropy(parts + inner.mean(0), targets)), rel=1e-9)
    trained = torch.zeros(len(labels), dtype=torch.bool)
    trained[train] = True
    rest = (inner - parts)[trained[inside]]
    assert found.excluded_loss == pytest.approx(float(F.cross_entropy(rest, targets[trained[inside]])), rel=1e-9)
    cube = [torch.cos(2 * math.pi * k * (s[:, None] - torch.from_numpy(place[place >= 0])) / n) for k in (3, 7)]
    outputs = centred[:, place >= 0]
    aligned = sum(float((outputs * one).sum() / one.norm()) ** 2 for one in cube) / float(outputs.square().sum())
    assert found.variance_explained == pytest.approx(aligned, rel=1e-9)


@pytest.mark.parametrize("published", [(14, 35, 41, 42, 52), (6, 23, 37, 39, 41), (36, 52)])
def test_the_published_key_frequencies_are_told_from_all_others_at_the_published_size(published):
    """Those of Nanda et al.'s main run and of two runs saved with their code, modulus 113; ln 113 = 4.727 is left."""
    logits, labels, train, place = exact("add", 113, dict.fromkeys(published, 20.0))
    noise = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = waves(logits + 0.1 * noise, labels, train, place)
    assert found.keys == published
    assert found.restricted_loss == pytest.approx(float(F.cross_entropy(logits, labels)), abs=1e-3)
    assert found.excluded_loss == pytest.approx(math.log(113), abs=0.02)
    assert found.variance_explained > 0.99


def test_noise_spreads_over_all_frequencies_and_is_not_explained():
    """Control: the same numbers of a network that computes nothing."""
    labels, place, train = pairs("add", 59)
    found = waves(torch.randn(59 * 59, 59, generator=torch.Generator().manual_seed(0)), labels, train, place)
    assert len(found.keys) > 20 and found.variance_explained < 0.01 and gini(found.power_K) < 0.2
    assert found.power_K.sum() == pytest.approx(58 / (59**2 - 1), rel=0.05)  # of 3,480 directions 58 depend on a + b


def test_the_logarithms_of_addition_are_no_waves_of_multiplication():
    """Control: logits that are pure waves on one group are noise on the other."""
    logits, labels, train, place = exact("multiply", 23)
    assert waves(logits, labels, train, place).variance_explained > 0.99
    assert waves(logits, labels, train, np.arange(23)).variance_explained < 0.5


@pytest.mark.parametrize("shift", [1, 5])
def test_neither_shift_nor_unit_of_the_logits_changes_the_shares(shift):
    logits, labels, train, place = exact("add", 23)
    noisy = logits + torch.randn(logits.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before, after = waves(noisy, labels, train, place), waves(3 * noisy + shift, labels, train, place)
    np.testing.assert_allclose(before.power_K, after.power_K, rtol=1e-9)
    assert before.keys == after.keys and before.variance_explained == pytest.approx(after.variance_explained)


@pytest.mark.parametrize("modulus", [3, 5, 7, 23, 97, 113])
def test_products_are_sums_of_places(modulus):
    place = places("multiply", modulus)
    a, b = np.meshgrid(np.arange(1, modulus), np.arange(1, modulus))
    assert (place[a * b % modulus] == (place[a] + place[b]) % (modulus - 1)).all()
    assert sorted(place[1:]) == list(range(modulus - 1)) and place[0] == -1


def test_gini_is_half_the_mean_difference_by_the_mean():
    values = np.random.default_rng(0).exponential(size=40)
    expected = np.abs(values[:, None] - values).mean() / 2 / values.mean()
    assert gini(values) == pytest.approx(expected) and gini(1e6 * values) == pytest.approx(expected)


@pytest.mark.parametrize("n", [22, 23])
def test_the_waves_of_an_embedding_hold_all_of_it_and_one_wave_is_one_number(n):
    rows = np.random.default_rng(0).normal(size=(n, 5))
    assert len(wave_norms(rows)) == n and (wave_norms(rows) ** 2).sum() == pytest.approx((rows**2).sum())
    one = np.outer(np.cos(2 * np.pi * 4 * np.arange(n) / n), [3.0, 4.0])
    assert gini(wave_norms(one)) == pytest.approx((n - 1) / n)


def look(**changes):
    spec = tiny(**changes)
    split, state = spec.task.split(spec.seed), begin(spec)
    return Look(spec, split, state).view


@pytest.mark.parametrize("operation", ["add", "subtract", "multiply", "divide"])
@pytest.mark.parametrize("model", [{"kind": "mlp", "width": 8}, {"kind": "transformer", "width": 8, "heads": 2}])
def test_a_run_reads_them_with_its_own_logits(operation, model):
    view = look(task={**ADD, "operation": operation}, model=model)
    readings = Fourier().read(view)
    logits = view.logits_of(torch.arange(len(view.labels_N))).detach()
    found = waves(logits, view.labels_N, view.cuts["train"][operation], places(operation, 7))
    assert readings["fourier/restricted_loss"] == pytest.approx(found.restricted_loss, rel=1e-5)
    assert readings["fourier/excluded_loss"] == pytest.approx(found.excluded_loss, rel=1e-5)
    assert ("fourier/embedding_gini" in readings) == (model["kind"] == "transformer")


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ({**ADD, "operation": "square_sum"}, "cannot read the task square_sum. Fourier measures need one operation"),
        ({"kind": "permutation", "degree": 3}, "cannot read the task"),
        ({"kind": "parity", "bits": 5}, "cannot read the task parity"),
        (MIXTURE, "cannot read the task add, divide"),
        ({**ADD, "operation": "multiply", "modulus": 8}, "needs a prime modulus for multiply, not 8"),
    ],
)
def test_other_tasks_are_refused_by_name(task, why):
    with pytest.raises(SpecError, match=why):
        Fourier().read(look(task=task, batch={"size": 9}))


def test_a_frequency_that_does_not_exist_is_refused():
    with pytest.raises(SpecError, match=r"fourier.frequencies = \[4\]; expected 1 to 3, the frequencies of 7 places"):
        Fourier(frequencies=(1, 4)).read(look())
