"""Grokfast and OrthoGrad against other people's packages, where these are installed:

pip install --no-deps pytorch_optimizer==4.1.0 grokfast-pytorch==0.0.11
"""

import pytest
import torch
from torch import nn

from latebloom.interventions import Attached, GrokfastEma, GrokfastMa, OrthoGrad

STEPS = 200


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4)).double()


def random_gradients(net, step):
    g = torch.Generator().manual_seed(step)
    for p in net.parameters():
        p.grad = torch.randn(p.shape, generator=g, dtype=p.dtype)


def assert_same(ours, theirs, what):
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        # float64, and numbers near 1 that are rounded a few times in each of the steps
        torch.testing.assert_close(getattr(a, what), getattr(b, what), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "name", "settings"),
    [
        (GrokfastEma(ema_decay=0.95, amplify=3), "gradfilter_ema", {"alpha": 0.95, "lamb": 3.0}),
        (GrokfastMa(window_steps=30, amplify=3), "gradfilter_ma", {"window_size": 30, "lamb": 3.0}),
    ],
    ids=["ema", "ma"],
)
def test_the_gradients_are_those_of_pytorch_optimizer(rule, name, settings):
    library = pytest.importorskip("pytorch_optimizer.optimizer.grokfast")
    filtered, memory = getattr(library, name), None
    ours, theirs = model(), model()
    attached = Attached(rule, ours)
    for step in range(STEPS):
        random_gradients(ours, step)
        random_gradients(theirs, step)
        attached.step()
        memory = filtered(theirs, memory, **settings)
        assert_same(ours, theirs, "grad")


def test_adam_behind_it_ends_where_the_optimizer_of_grokfast_pytorch_ends():
    library = pytest.importorskip("grokfast_pytorch")
    ours, theirs = model(), model()
    # an eps this small, because that package takes the larger of root and eps where torch takes the sum
    common = {"lr": 1e-2, "betas": (0.9, 0.99), "eps": 1e-30}
    attached, adam = (
        Attached(GrokfastEma(ema_decay=0.95, amplify=3), ours),
        torch.optim.Adam(ours.parameters(), **common),
    )
    both = library.GrokFastAdamW(
        theirs.parameters(), **common, grokfast_alpha=0.95, grokfast_lamb=3.0, normalize_lr=False
    )
    for step in range(STEPS):
        random_gradients(ours, step)
        random_gradients(theirs, step)
        attached.step()
        adam.step()
        both.step()
    assert_same(ours, theirs, "data")


def test_sgd_behind_it_ends_where_the_orthograd_of_pytorch_optimizer_ends():
    library = pytest.importorskip("pytorch_optimizer")
    ours, theirs = model(), model()
    attached, sgd = Attached(OrthoGrad(), ours), torch.optim.SGD(ours.parameters(), lr=1e-2)
    both = library.OrthoGrad(torch.optim.SGD(theirs.parameters(), lr=1e-2))
    for step in range(STEPS):
        random_gradients(ours, step)
        random_gradients(theirs, step)
        attached.step()
        sgd.step()
        both.step()
    assert_same(ours, theirs, "data")


def test_another_setting_is_noticed():
    """Control for all of the above."""
    library = pytest.importorskip("pytorch_optimizer.optimizer.grokfast")
    ours, theirs = model(), model()
    random_gradients(ours, 0)
    random_gradients(theirs, 0)
    Attached(GrokfastEma(amplify=3.001), ours).step()
    library.gradfilter_ema(theirs, None, lamb=3.0)
    with pytest.raises(AssertionError, match="not close"):
        assert_same(ours, theirs, "grad")
