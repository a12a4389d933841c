"""The vision transformer: patches where they belong, order that counts, and what it refuses."""

import pytest
import torch

from latebloom.base.errors import SpecError
from latebloom.models import Shape, VisionTransformer

CODES = Shape(vocabulary=0, length=39, labels=1)
SMALL = VisionTransformer(layers=1, width=8, heads=2, mlp_width=16, dropout=0.0)


def test_the_first_patch_is_the_corner_of_the_picture():
    module = SMALL.build(CODES, seed=0)
    seen = []
    module.embed.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    module(torch.arange(39.0)[None])
    corner = [0, 1, 2, 6, 7, 8, 12, 13, 14]
    assert seen[0][0, 0].tolist() == corner
    assert seen[0][0, 1].tolist() == [c + 3 for c in corner] and seen[0][0, 2].tolist() == [c + 18 for c in corner]


def test_where_a_patch_stands_counts_only_through_its_position():
    module = SMALL.build(CODES, seed=0)
    given = torch.randn(1, 39, generator=torch.Generator().manual_seed(0))
    moved = given.clone()
    picture = moved[:, :36].view(6, 6)
    picture[:3, :3], picture[3:, 3:] = picture[3:, 3:].clone(), picture[:3, :3].clone()
    assert not torch.allclose(module(given), module(moved), atol=1e-4)
    module.position_PD.data.zero_()
    torch.testing.assert_close(module(given), module(moved))


def test_what_stands_beside_the_picture_is_read():
    module = SMALL.build(CODES, seed=0)
    given = torch.zeros(2, 39)
    given[1, 38] = 1.0
    first, second = module(given)
    assert first != second


def test_every_parameter_but_the_norms_is_drawn_by_the_seed():
    one, same, other = (SMALL.build(CODES, seed) for seed in (1, 1, 2))
    for (name, a), b, c in zip(one.named_parameters(), same.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b), name
        assert "norm" in name or not torch.equal(a, c), name


@pytest.mark.parametrize(
    ("spec", "shape", "says"),
    [
        (VisionTransformer(patch=4), CODES, r"does not divide the picture's side of 6; these do: \[1, 2, 3, 6\]"),
        (VisionTransformer(), Shape(97, 4, 97), "reads features"),
    ],
)
def test_what_cannot_be_tiled_is_refused(spec, shape, says):
    with pytest.raises(SpecError, match=says):
        spec.build(shape, seed=0)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="does not divide width"):
        VisionTransformer(width=10, heads=3)
