"""Heights on tensors are those on arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latebloom.algebra.analog_codes import heights as of_arrays
from latebloom.base.errors import DataError
from latebloom.tasks.analog_codes import heights


@pytest.mark.parametrize(
    ("n", "k"), [(3, 3), (3, 1), (4, 2), (6, 4), (9, 4), (9, 5), (9, 6), (10, 4), (10, 5), (10, 6)]
)
def test_tensors_and_arrays_have_equal_heights(n, k):
    chance = np.random.default_rng(n * k)
    real = chance.uniform(-100, 100, (40, k, n - k))
    whole = chance.integers(-3, 4, (40, k, n - k))
    np.testing.assert_allclose(heights(torch.as_tensor(real)).numpy(), of_arrays(real), rtol=1e-12)
    assert (heights(torch.as_tensor(whole)).numpy() == of_arrays(whole)).all()
    mixed = np.concatenate([real, whole])
    assert (heights(torch.as_tensor(mixed), at_once=7).numpy() == heights(torch.as_tensor(mixed)).numpy()).all()
    assert not np.array_equal(of_arrays(real), of_arrays(2 * real)) or n == k  # control


def test_minors_of_rounding_alone_are_zero_here_too():
    P = np.array([[[0.1, 0.3], [0.3, 0.9]]])
    assert np.isinf(heights(torch.as_tensor(P)).numpy()[0, 2]) and np.isinf(of_arrays(P)[0, 2])


@pytest.mark.parametrize(
    ("P", "said"),
    [
        (torch.ones(2, 3), "expected real matrices"),
        (torch.ones(1, 2, 3, dtype=torch.complex64), "expected real matrices"),
        (torch.full((1, 2, 3), torch.nan), "not finite"),
        (torch.full((1, 2, 3), 2**40), "more than float64 arithmetic"),
        (torch.full((1, 2, 3), 1e-200, dtype=torch.float64), "more than float64 arithmetic"),
    ],
)
def test_what_a_tensor_cannot_be_is_refused(P, said):
    with pytest.raises(DataError, match=said):
        heights(P)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_has_the_same_heights():
    P = np.random.default_rng(0).uniform(-100, 100, (500, 4, 6))
    np.testing.assert_allclose(heights(torch.as_tensor(P).cuda()).cpu().numpy(), of_arrays(P), rtol=1e-9)
