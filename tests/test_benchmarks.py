"""The benchmarks compare like with like."""

import pytest
import torch

from benchmarks.sides import compare, interleaved
from benchmarks.user import UserResNet, UserTransformer, user_batches
from latebloom.models import ResNet, Shape, Transformer


def same_weights(theirs, ours, *, norm):
    """Copy our weights into the user's transformer without biases."""
    theirs.token.weight.copy_(ours.embed.token.weight)
    theirs.position.weight.copy_(ours.embed.position.weight)
    theirs.unembed.weight.copy_(ours.unembed.weight)
    for layer, block in zip(theirs.encoder.layers, ours.blocks, strict=True):
        layer.self_attn.in_proj_weight.copy_(torch.cat([block.attention[n].weight for n in ("query", "key", "value")]))
        layer.self_attn.out_proj.weight.copy_(block.attention["out"].weight)
        layer.linear1.weight.copy_(block.mlp["in"].weight)
        layer.linear2.weight.copy_(block.mlp["out"].weight)


@pytest.mark.parametrize(("layers", "norm", "kind"), [(2, True, "pre"), (1, False, "none")])
def test_the_transformer_a_user_writes_is_the_same_function(layers, norm, kind):
    ours = Transformer(layers=layers, norm=kind).build(Shape(99, 4, 97), seed=0)
    theirs = UserTransformer(99, 4, 97, layers=layers, width=128, norm=norm, bias=False)
    tokens = torch.randint(99, (30, 4), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.allclose(theirs(tokens), ours(tokens), atol=1e-4)
        same_weights(theirs, ours, norm=norm)
        torch.testing.assert_close(theirs(tokens), ours(tokens), atol=2e-5, rtol=1e-4)


def test_the_residual_network_a_user_writes_is_the_same_function():
    ours = ResNet(channels=4, blocks=2, hidden=8).build(Shape(0, 39, 1), seed=0)
    theirs = UserResNet(4, 2, 8)
    features = torch.randn(30, 39, generator=torch.Generator().manual_seed(0))
    parts = features[:, :36].reshape(-1, 1, 6, 6), features[:, 36:]
    with torch.no_grad():
        assert not torch.allclose(theirs(*parts), ours(features)[:, 0], atol=1e-3)
        for parameter, same in zip(theirs.parameters(), ours.parameters(), strict=True):
            parameter.copy_(same)
        torch.testing.assert_close(theirs(*parts), ours(features)[:, 0], atol=2e-6, rtol=1e-5)


def test_a_user_sees_every_example_once_in_a_pass_and_then_in_another_order():
    batch_at = user_batches(torch.utils.data.TensorDataset(torch.arange(30)), 5)
    first, second = ([int(i) for k in range(6) for i in batch_at(k)[0]] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(30)) and first != second


def test_a_ratio_is_the_median_over_rounds_of_their_time_by_ours():
    table = compare({"ours": [1.0, 2.0, 4.0], "theirs": [3.0, 8.0, 8.0]}, "ours")
    assert table["theirs"] == {"median_ms": 8000.0, "times_ours": 3.0}


def test_sides_take_turns_and_warm_up_rounds_are_not_counted():
    calls = []
    sides = {"a": lambda k: calls.append(("a", k)), "b": lambda k: calls.append(("b", k))}
    times = interleaved(sides, 40, warm_up=1)
    rounds = [calls[i : i + 2] for i in range(0, len(calls), 2)]
    assert [sorted(both) for both in rounds] == [[("a", k), ("b", k)] for k in range(41)]
    assert {both[0][0] for both in rounds} == {"a", "b"}  # neither is always the one that follows
    assert [len(t) for t in times.values()] == [40, 40]
