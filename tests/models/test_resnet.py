"""The residual network against its definition, its published size, and what it must refuse."""

import pytest
import torch
import torch.nn.functional as F

from latebloom.base.errors import SpecError
from latebloom.models import ResNet, Shape

CODES = Shape(vocabulary=0, length=39, labels=1)  # a 6 x 6 matrix, and n, k, m beside it


def features(count=30, length=39):
    return torch.randn(count, length, generator=torch.Generator().manual_seed(0))


def test_the_published_expert_has_its_published_number_of_parameters():
    module = ResNet(channels=64, blocks=5).build(CODES, seed=0)
    assert sum(p.numel() for p in module.parameters()) == 1_027_585


def test_it_computes_stem_blocks_and_two_linear_maps():
    module = ResNet(channels=5, blocks=2, hidden=7, beside=3).build(CODES, seed=0)
    for name, parameter in module.named_parameters():
        if ".1." in name:  # norms are the identity at first; a mistake in their place would not be seen
            torch.nn.init.uniform_(parameter, 0.5, 2.0, generator=torch.Generator().manual_seed(len(name)))
    given, w = features(), dict(module.named_parameters())

    def convolved(x, name):
        x = F.conv2d(x, w[f"{name}.0.weight"], w[f"{name}.0.bias"], padding=1)
        mean, variance = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), keepdim=True, correction=0)
        return (x - mean) / (variance + 1e-5).sqrt() * w[f"{name}.1.weight"] + w[f"{name}.1.bias"]

    x = convolved(given[:, :36].reshape(30, 1, 6, 6), "stem").relu()
    for block in ("blocks.0", "blocks.1"):
        x = (x + convolved(convolved(x, f"{block}.first").relu(), f"{block}.second")).relu()
    beside = F.linear(given[:, 36:], w["beside.weight"], w["beside.bias"]).relu()
    x = F.linear(torch.cat([x.flatten(1), beside], 1), w["hidden.weight"], w["hidden.bias"]).relu()
    torch.testing.assert_close(module(given), F.linear(x, w["unembed.weight"], w["unembed.bias"]))
    torch.testing.assert_close(module.answer(module.feed(given)(torch.arange(30))), module(given))


def test_a_square_picture_alone_has_no_branch_beside_it():
    module = ResNet(channels=2, blocks=1).build(Shape(0, 784, 10), seed=0)
    assert module.side == 28 and module.beside is None
    pixels = torch.arange(2 * 784).reshape(2, 784).to(torch.uint8)
    torch.testing.assert_close(module(pixels), module(pixels.float() / 255))


def test_the_initial_weights_depend_on_seed_and_name_alone():
    small, large = (ResNet(channels=4, blocks=b).build(CODES, seed=3) for b in (1, 3))
    assert torch.equal(small.blocks[0].first[0].weight, large.blocks[0].first[0].weight)
    assert not torch.equal(small.stem[0].weight, ResNet(channels=4).build(CODES, seed=4).stem[0].weight)
    bound = (4 * 9) ** -0.5
    assert 0.9 * bound < large.blocks[1].second[0].weight.abs().max() <= bound


def test_dropout_acts_in_training_only_and_batch_norm_learns_the_batch():
    given = features()
    dropping = ResNet(channels=2, blocks=1, dropout=0.5).build(CODES, seed=0)
    assert not torch.equal(dropping(given), dropping(given)) and ResNet(dropout=0.5).draws_noise
    dropping.eval()
    assert torch.equal(dropping(given), dropping(given))
    normed = ResNet(channels=2, blocks=1, norm="batchnorm").build(CODES, seed=0)
    assert torch.equal(normed.stem[1].running_mean, torch.zeros(2))
    normed(given)
    assert not torch.equal(normed.stem[1].running_mean, torch.zeros(2))


@pytest.mark.parametrize(
    ("spec", "shape", "says"),
    [(ResNet(), Shape(97, 4, 97), "reads features"), (ResNet(side=7), CODES, "asks for 49 features")],
)
def test_what_has_no_picture_is_refused(spec, shape, says):
    with pytest.raises(SpecError, match=says):
        spec.build(shape, seed=0)
