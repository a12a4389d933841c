"""The mixture against the plain sum over all experts, example by example."""

import pytest
import torch
import torch.nn.functional as F

from latebloom.base.errors import SpecError
from latebloom.models import MixtureOfExperts, Mlp, Shape
from latebloom.models.mixture_of_experts import HardGate, SoftGate

CODES = Shape(vocabulary=0, length=39, labels=1)
EXPERT = Mlp(width=6, depth=1)
SIZES = torch.tensor([[9.0, 4.0], [9.0, 5.0], [9.0, 6.0], [10.0, 4.0], [10.0, 5.0], [10.0, 6.0]])


def codes(count=48, of=range(6)):
    given = torch.randn(count, 39, generator=torch.Generator().manual_seed(0))
    given[:, 36:38] = SIZES[torch.tensor(list(of)).repeat(count)[:count]]
    return given


def test_a_hard_gate_asks_the_expert_of_the_case():
    module = MixtureOfExperts(expert=EXPERT, gate=HardGate()).build(CODES, seed=0)
    given = codes()
    one_by_one = [module.experts[i % 6](given[i : i + 1]) for i in range(len(given))]
    torch.testing.assert_close(module(given), torch.cat(one_by_one))


def test_a_soft_gate_takes_the_softmax_over_the_heaviest_and_asks_nobody_else():
    spec = MixtureOfExperts(expert=EXPERT, gate=SoftGate(active=2))
    module = spec.build(CODES, seed=0)
    given, expected = codes(), []
    for row in given:
        read = (row[[-3, -2]] - torch.tensor([9.5, 5.0])) / torch.tensor([0.5, 0.8])
        logits = module.gate[2](F.relu(module.gate[0](read)))
        chosen = logits.argsort(descending=True)[:2]
        shares = F.softmax(logits[chosen], 0)
        expected.append(sum(s * module.experts[i](row[None]) for s, i in zip(shares, chosen.tolist(), strict=True)))
    torch.testing.assert_close(module(given), torch.cat(expected))
    weights = module.weights(given)
    assert torch.equal((weights > 0).sum(1), torch.full((48,), 2)) and torch.allclose(weights.sum(1), torch.ones(48))


def test_with_all_experts_active_it_is_the_dense_mixture():
    module = MixtureOfExperts(expert=EXPERT, gate=SoftGate(active=6)).build(CODES, seed=0)
    given = codes()
    answers = torch.stack([expert(given) for expert in module.experts], 1)
    torch.testing.assert_close(module(given), (answers * module.weights(given)[:, :, None]).sum(1))


def test_an_expert_nobody_asks_has_gradient_zero_and_stays():
    module = MixtureOfExperts(expert=EXPERT, gate=HardGate()).build(CODES, seed=0)
    named = dict(module.named_parameters())
    loss = module(codes(of=[0, 1])).square().mean()
    gradients = dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))
    asked = {name.split(".")[1] for name, g in gradients.items() if g.abs().sum() > 0}
    assert asked == {"0", "1"}


def test_experts_start_apart_and_by_the_seed():
    first, again = (MixtureOfExperts(expert=EXPERT).build(CODES, seed=0) for _ in range(2))
    assert not torch.equal(first.experts[0].unembed.weight, first.experts[1].unembed.weight)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_a_code_without_a_case_is_refused_by_name():
    module = MixtureOfExperts(expert=EXPERT, gate=HardGate()).build(CODES, seed=0)
    strange = codes(2)
    strange[1, 36] = 11.0
    with pytest.raises(SpecError, match=r"features \[11.0, 5.0\]"):
        module(strange)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"experts": 5, "gate": {"kind": "hard"}}, "6 cases for 5 experts"),
        ({"gate": {"kind": "soft", "active": 7}}, "more than the 6 experts"),
        ({"reads": (0,)}, "reads 1 features"),
    ],
)
def test_a_gate_that_does_not_fit_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        MixtureOfExperts(**changes)
