"""The MLP reads tokens one-hot, and starts where torch's Linear would."""

import torch
import torch.nn.functional as F

from latebloom.models import Mlp, Shape

SHAPE = Shape(vocabulary=7, length=3, labels=5)


def test_its_first_layer_is_a_linear_map_of_one_hot_tokens():
    module = Mlp(width=11, depth=3).build(SHAPE, seed=0)
    tokens = torch.randint(7, (20, 3), generator=torch.Generator().manual_seed(0))
    x = F.one_hot(tokens, 7).flatten(1).float() @ module.layers[0].weight + module.layers[0].bias
    for layer in list(module.layers)[1:]:
        x = F.linear(torch.relu(x), layer.weight, layer.bias)
    expected = F.linear(torch.relu(x), module.unembed.weight, module.unembed.bias)
    torch.testing.assert_close(module(tokens), expected)


def test_every_parameter_is_uniform_within_one_over_the_root_of_its_inputs_times_the_scale():
    module = Mlp(width=400, depth=2, init_scale=8.0).build(SHAPE, seed=0)
    for name, parameter in module.named_parameters():
        bound = 8.0 / (3 if name.startswith("layers.0.") else 400) ** 0.5
        assert parameter.abs().max() <= bound
        # uniform on +-b has standard deviation b / sqrt(3); 5 standard errors of it for n numbers
        n = parameter.numel()
        if n > 1000:
            assert abs(parameter.std().item() / (bound / 3**0.5) - 1) < 5 * (0.8 / 4 / n) ** 0.5 * 2


def test_init_scale_multiplies_all_parameters_and_the_seed_decides_them():
    one, eight = (Mlp(init_scale=s).build(SHAPE, seed=4) for s in (1.0, 8.0))
    for small, large in zip(one.parameters(), eight.parameters(), strict=True):
        torch.testing.assert_close(small * 8, large)
    other = Mlp().build(SHAPE, seed=5)
    assert not torch.equal(one.unembed.weight, other.unembed.weight)


def test_a_parameters_numbers_do_not_depend_on_how_many_layers_there_are():
    shallow, deep = (Mlp(depth=d).build(SHAPE, seed=0) for d in (2, 5))
    assert torch.equal(shallow.layers[1].weight, deep.layers[1].weight)
