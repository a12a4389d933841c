"""Every rule against torch's optimizer of the same name, over 200 random steps with a changing learning rate."""

import pytest
import torch

from latebloom.optimizers import Adam, AdamW, Muon, Sgd
from latebloom.optimizers.muon import orthogonal
from latebloom.optimizers.schedules import Constant, Cosine, Steps, Warmup

SHAPES = {"embed.token.weight": (7, 6), "blocks.0.up": (6, 9), "blocks.0.down": (9, 6), "norm.weight": (6,)}
PAIRS = {
    "adamw": (
        AdamW(learning_rate=3e-3, weight_decay=0.7, beta2=0.95),
        lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0.7, betas=(0.9, 0.95), fused=True),
    ),
    "adam": (
        Adam(learning_rate=3e-3, weight_decay=0.7),
        lambda p: torch.optim.Adam(p, lr=3e-3, weight_decay=0.7, betas=(0.9, 0.98), fused=True),
    ),
    "sgd": (
        Sgd(learning_rate=0.1, weight_decay=0.01, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01, momentum=0.9, nesterov=True),
    ),
    "plain sgd": (Sgd(learning_rate=0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
}


def start():
    g = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=g) for name, shape in SHAPES.items()}


def walk(rule, reference, params, theirs, steps=200):
    """Feed both the same gradients and learning rates."""
    g = torch.Generator().manual_seed(1)
    state = rule.init(params)
    for step in range(1, steps + 1):
        grads = {name: torch.randn(p.shape, generator=g) for name, p in params.items()}
        rate = rule.learning_rate * (1 + step % 7) / 7
        rule.update(params, grads, state, rate, step)
        for name, p in theirs.items():
            p.grad = grads[name].clone()
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
    return state


@pytest.mark.parametrize("name", PAIRS)
def test_it_moves_as_torch_moves(name):
    rule, make = PAIRS[name]
    params, theirs = start(), start()
    walk(rule, make(list(theirs.values())), params, theirs)
    for key in SHAPES:
        torch.testing.assert_close(params[key], theirs[key], atol=1e-6, rtol=1e-6)


def test_a_slightly_different_setting_is_noticed():
    """Control for the test above."""
    rule, make = PAIRS["adamw"]
    params, theirs = start(), start()
    walk(rule.but(beta2=0.951), make(list(theirs.values())), params, theirs)
    assert not torch.allclose(params["blocks.0.up"], theirs["blocks.0.up"], atol=1e-6, rtol=1e-6)


def test_muon_moves_hidden_matrices_as_torchs_muon_does_and_the_rest_as_adamw():
    rule = Muon(learning_rate=0.02, weight_decay=0.1, adamw_learning_rate=0.01)
    params, theirs = start(), start()
    hidden = [theirs[name] for name in SHAPES if name.startswith("blocks")]
    muon = torch.optim.Muon(hidden, lr=0.02, weight_decay=0.1, momentum=0.95, nesterov=True)
    walk(rule, muon, params, theirs, steps=50)
    for name in ("blocks.0.up", "blocks.0.down"):
        # torch iterates in bfloat16, we in float32: the directions agree to bfloat16's 3 digits
        moved, expected = params[name] - start()[name], theirs[name] - start()[name]
        assert torch.nn.functional.cosine_similarity(moved.flatten(), expected.flatten(), dim=0) > 0.999
        assert moved.norm() / expected.norm() == pytest.approx(1, abs=0.02)
    others = {name: p for name, p in start().items() if not name.startswith("blocks")}
    alone = AdamW(learning_rate=0.01, weight_decay=0.1)
    g, state = torch.Generator().manual_seed(1), alone.init(others)
    for step in range(1, 51):
        grads = {name: torch.randn(shape, generator=g) for name, shape in SHAPES.items()}
        alone.update(others, grads, state, 0.01 * (1 + step % 7) / 7, step)
    for name, p in others.items():
        torch.testing.assert_close(params[name], p)


@pytest.mark.parametrize("shape", [(8, 8), (5, 20), (20, 5)])
def test_orthogonal_brings_all_singular_values_near_one_and_keeps_the_vectors(shape):
    g = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, s, v = torch.linalg.svd(g, full_matrices=False)
    got = torch.linalg.svdvals(orthogonal(g))
    assert s.max() / s.min() > 2  # otherwise there would be nothing to do
    assert got.min() > 0.65
    assert got.max() < 1.25  # the published iteration's own range
    inside = u.T @ orthogonal(g) @ v.T
    assert (inside - torch.diag(inside.diagonal())).abs().max() < 1e-9


def test_only_matrices_decay_when_asked():
    rule = Sgd(learning_rate=0.5, weight_decay=0.2, decays="matrices")
    params = start()
    rule.update(params, {name: torch.zeros(shape) for name, shape in SHAPES.items()}, rule.init(params), 0.5, 1)
    before = start()
    torch.testing.assert_close(params["blocks.0.up"], before["blocks.0.up"] * 0.9)
    assert torch.equal(params["norm.weight"], before["norm.weight"])


def test_schedules_are_their_closed_forms():
    assert [Constant().factor(s) for s in (1, 10**6)] == [1, 1]
    assert [Warmup(steps=4).factor(s) for s in (1, 2, 4, 9)] == [0.25, 0.5, 1, 1]
    cosine = Cosine(until=110, warmup_steps=10, final=0.1)
    assert [cosine.factor(s) for s in (5, 10, 60, 110, 500)] == pytest.approx([0.5, 1, 0.55, 0.1, 0.1])
    assert [Steps(every=3, factor_each=0.5).factor(s) for s in (1, 3, 4, 6, 7)] == [1, 1, 0.5, 0.5, 0.25]
