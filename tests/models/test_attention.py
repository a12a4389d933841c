"""`attend` against torch's own attention, and its written gradient against finite differences."""

import pytest
import torch
import torch.nn.functional as F

from latebloom.models.attention import attend


def gathered(r, s, m, d, dtype=torch.float64):
    g = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(n, d, generator=g, dtype=dtype, requires_grad=True) for n in (r, m, m))
    return q, k, v, torch.randint(m, (r, s), generator=g)


@pytest.mark.parametrize("s", [1, 2, 5])
def test_it_is_scaled_dot_product_attention_over_the_named_rows(s):
    q, k, v, rows = gathered(7, s, 9, 12)
    heads = 3
    split = [t.view(7, -1, heads, 4).transpose(1, 2) for t in (q, k[rows], v[rows])]
    expected = F.scaled_dot_product_attention(*split).transpose(1, 2).reshape(7, 12)
    torch.testing.assert_close(attend(q, k, v, rows, heads), expected)


@pytest.mark.parametrize("s", [1, 3])
def test_its_gradient_agrees_with_finite_differences(s):
    q, k, v, rows = gathered(4, s, 5, 6)
    assert torch.autograd.gradcheck(lambda *a: attend(*a, rows, 2), (q, k, v))


def test_second_derivatives_are_refused_rather_than_wrong():
    q, k, v, rows = gathered(4, 3, 5, 6)
    grad = torch.autograd.grad(attend(q, k, v, rows, 2).square().sum(), q, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()
