"""Sharing prefixes changes nothing but the time: loss and gradients against the plain model and against torch.nn."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from latebloom.models import Shape, Transformer
from latebloom.models.prefix import Trie
from latebloom.tasks import Mixture, Modular, Parity, Permutation

DIVISION = Modular(operation="divide", modulus=11)
TASKS = {
    "division": DIVISION,
    "permutations": Permutation(degree=3),
    "parity": Parity(bits=6, subset_size=2),
    "mixture": Mixture(
        parts={
            "divide": {"share": 1, "task": {"kind": "modular", "operation": "divide", "modulus": 7}},
            "add": {"share": 2, "task": {"kind": "modular", "operation": "add", "modulus": 7}},
        }
    ),
}
MODELS = [
    {"layers": layers, "norm": norm, "activation": activation, "bias": bias}
    for layers, norm, activation, bias in itertools.product(
        (1, 2, 3), ("pre", "post", "none"), ("relu", "gelu"), (False, True)
    )
]


def loss_and_gradients(module, logits, labels):
    loss = F.cross_entropy(logits, labels)
    return loss.item(), torch.autograd.grad(loss, list(module.parameters()))


def both(task, model, batch, dtype, fixed_shapes=False):
    """Loss and gradients of the plain model and of shared prefixes, for the same weights and examples."""
    split = task.split(seed=0)
    inputs, labels = torch.from_numpy(split.inputs_NT), torch.from_numpy(split.labels_N)
    shape = Shape(len(split.vocabulary), inputs.shape[1], len(split.label_names))
    module = Transformer(width=16, heads=4, **model).build(shape, seed=0).to(dtype)
    batch = torch.as_tensor(batch) % len(inputs)
    plain = loss_and_gradients(module, module(inputs[batch]), labels[batch])
    shared = loss_and_gradients(
        module, module.answer(Trie(inputs).rows(batch, fixed_shapes=fixed_shapes)), labels[batch]
    )
    return plain, shared


@settings(max_examples=60, deadline=None)
@given(
    task=st.sampled_from(sorted(TASKS)),
    model=st.sampled_from(MODELS),
    batch=st.lists(st.integers(0, 10**6), min_size=1, max_size=80),
    fixed_shapes=st.booleans(),
)
def test_shared_prefixes_give_the_plain_models_loss_and_gradients(task, model, batch, fixed_shapes):
    (loss, grads), (shared_loss, shared_grads) = both(TASKS[task], model, batch, torch.float64, fixed_shapes)
    # float64 rounds at 1e-16; a wrong row anywhere shows at 1e-3
    assert shared_loss == pytest.approx(loss, abs=1e-12)
    for ours, theirs in zip(shared_grads, grads, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-9)


def test_in_float32_they_differ_by_rounding_only():
    (loss, grads), (shared_loss, shared_grads) = both(DIVISION, {}, range(64), torch.float32)
    assert shared_loss == pytest.approx(loss, abs=2e-6)  # a few units in the last place of a loss near 2.4
    for ours, theirs in zip(shared_grads, grads, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=1e-4)


@pytest.mark.parametrize("position", range(4))
def test_one_wrong_ancestor_is_noticed(position):
    """Control: the comparison above sees a single row that attends to the wrong prefix."""
    split = DIVISION.split(seed=0)
    inputs = torch.from_numpy(split.inputs_NT)
    module = Transformer(width=16, heads=4).build(Shape(len(split.vocabulary), 4, 11), seed=0).double()
    batch = torch.arange(40)
    rows = Trie(inputs).rows(batch)
    rows.attends_to_rows[3][0, position] = rows.attends_to_rows[3][1 if position == 3 else -1, position]
    assert not torch.allclose(module.answer(rows), module(inputs[batch]), atol=1e-9)


def test_the_transformer_is_torchs_own_encoder_with_a_causal_mask():
    """`forward` against torch.nn.TransformerEncoder with the same weights."""
    shape, d = Shape(13, 4, 11), 16
    for norm, activation in itertools.product(("pre", "post"), ("relu", "gelu")):
        spec = Transformer(width=d, heads=4, norm=norm, activation=activation, bias=True)
        ours = spec.build(shape, seed=3)
        layer = nn.TransformerEncoderLayer(d, 4, 4 * d, 0.0, activation, batch_first=True, norm_first=norm == "pre")
        theirs = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        for mine, other in zip(ours.blocks, theirs.layers, strict=True):
            attention = mine.attention
            with torch.no_grad():
                for name in ("weight", "bias"):
                    parts = [getattr(attention[part], name) for part in ("query", "key", "value")]
                    getattr(other.self_attn, f"in_proj_{name}").copy_(torch.cat(parts))
                    getattr(other.self_attn.out_proj, name).copy_(getattr(attention["out"], name))
                    getattr(other.linear1, name).copy_(getattr(mine.mlp["in"], name))
                    getattr(other.linear2, name).copy_(getattr(mine.mlp["out"], name))
        tokens = torch.from_numpy(np.random.default_rng(0).integers(13, size=(50, 4)))
        x = ours.embed.token(tokens) + ours.embed.position.weight
        mask = nn.Transformer.generate_square_subsequent_mask(4)
        expected = ours.unembed(ours.norm(theirs(x, mask=mask, is_causal=True)[:, -1]))
        torch.testing.assert_close(ours(tokens), expected, atol=2e-6, rtol=1e-5)


@given(task=st.sampled_from(sorted(TASKS)), batch=st.lists(st.integers(0, 10**6), min_size=1, max_size=80))
def test_every_different_prefix_of_a_batch_is_computed_once_and_no_other(task, batch):
    """Counted by the definition, on the sequences themselves."""
    inputs = torch.from_numpy(TASKS[task].split(seed=0).inputs_NT)
    batch_B = torch.as_tensor(batch) % len(inputs)
    rows = Trie(inputs).rows(batch_B)
    sequences = [tuple(sequence) for sequence in inputs[batch_B].tolist()]
    lengths = range(1, inputs.shape[1] + 1)
    assert [len(r) for r in rows.attends_to_rows] == [len({s[:t] for s in sequences}) for t in lengths]
    assert [sorted(t.tolist()) for t in rows.tokens] == [sorted({s[t - 1] for s in sequences}) for t in lengths]


@given(batches=st.lists(st.lists(st.integers(0, 109), min_size=40, max_size=40), min_size=2, max_size=3))
def test_fixed_shapes_are_the_same_for_every_batch_of_one_size(batches):
    trie = Trie(torch.from_numpy(DIVISION.split(seed=0).inputs_NT))
    shapes = [
        [[tuple(t.shape) for t in part] if isinstance(part, list) else tuple(part.shape) for part in rows]
        for rows in (trie.rows(torch.as_tensor(batch), fixed_shapes=True) for batch in batches)
    ]
    assert all(one == shapes[0] for one in shapes)


def test_the_demos_batch_needs_1218_of_2048_rows_and_512_in_the_last_block():
    split = Modular(operation="divide", modulus=97).split(seed=0)
    k = torch.arange(512)
    rows = Trie(torch.from_numpy(split.inputs_NT)).rows(k % 97 * 96 + k % 96)  # every a and every b occur
    assert [len(r) for r in rows.attends_to_rows] == [97, 97, 512, 512]
    assert [len(t) for t in rows.tokens] == [97, 1, 96, 1]


def test_with_dropout_the_plain_path_is_taken_and_said():
    spec = Transformer(width=16, heads=4, dropout=0.1)
    module = spec.build(Shape(13, 4, 11), seed=0)
    fed = module.feed(torch.zeros(5, 4, dtype=torch.int64))(torch.arange(3))
    assert isinstance(fed, torch.Tensor)
    assert "dropout = 0.1" in str(spec.plain_because)
    assert Transformer().plain_because is None
