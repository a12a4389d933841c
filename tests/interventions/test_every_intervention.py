"""What holds for every intervention in the table: with any optimizer, in any order, on any parameters."""

import functools
import itertools

import pytest
import torch
from pydantic import ValidationError

from engine.tiny import ACTING, CODES, EXPERTS, MLP, PATCHES, RESNET, TRANSFORMER, UNDECAYED, acting, begin, live, tiny
from latebloom.base.component import from_dict
from latebloom.base.errors import SpecError
from latebloom.engine.step import Step
from latebloom.interventions import INTERVENTIONS, PLACES, Interventions
from latebloom.models import MODELS
from latebloom.optimizers import OPTIMIZERS

SHAPES = {"embed.weight": (7, 6), "blocks.0.up": (6, 9), "blocks.0.bias": (9,), "temperature": ()}
STEPS, RATE = 12, 0.01
every_kind = pytest.mark.parametrize("kind", INTERVENTIONS)


def rule(kind):
    return INTERVENTIONS[kind](**ACTING[kind])


def draw(seed, dtype=torch.float32):
    g = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=g, dtype=dtype) for name, shape in SHAPES.items()}


def walk(one, params, gradients, state):
    """Plain gradient descent along `gradients(step)`; returns the last of them as the intervention leaves them."""
    for step in range(1, STEPS + 1):
        grads = gradients(step)
        if one and one.acts != "weights":
            one.update(params, grads, state, RATE, step)
        for name, g in grads.items():
            params[name].sub_(g, alpha=RATE)
        if one and one.acts == "weights":
            one.update(params, grads, state, RATE, step)
    return grads


def named(state):
    return {(slot, name): (t.shape, t.dtype) for slot, of in state.items() for name, t in of.items()}


def finite(*groups):
    return all(bool(t.isfinite().all()) for group in groups for t in group.values())


def bits(spec):
    """Weights and memories at the end of a run, whatever the place of each intervention in the list."""
    state = begin(spec)
    live(spec, state)
    kept = {name.split(".", 1)[1]: memories for name, memories in state.interventions.items()}
    kept = {f"{kind}/{slot}/{n}": t for kind, of in kept.items() for slot, m in of.items() for n, t in m.items()}
    return {name: t.numpy().tobytes() for name, t in (kept | state.module.state_dict()).items()}


# What it is in a recipe


@every_kind
def test_its_kind_is_its_name_and_its_place_is_one_of_the_four(kind):
    assert INTERVENTIONS[kind].model_fields["kind"].default == kind == rule(kind).kind
    assert rule(kind).acts in PLACES
    assert {rule(kind).acts for kind in INTERVENTIONS} == set(PLACES)


@every_kind
def test_it_is_a_frozen_value(kind):
    one = rule(kind)
    with pytest.raises(ValidationError, match="frozen"):
        one.kind = "other"
    assert one == rule(kind) and hash(one) == hash(rule(kind))
    assert from_dict(INTERVENTIONS[kind], one.model_dump(mode="json")) == one


@every_kind
def test_a_word_in_a_list_stands_for_its_defaults(kind):
    required = [name for name, field in INTERVENTIONS[kind].model_fields.items() if field.is_required()]
    if required:
        with pytest.raises(SpecError, match=rf"interventions\.0\.{required[0]} is missing"):
            tiny(interventions=[kind])
    else:
        assert tiny(interventions=[kind]).interventions == (INTERVENTIONS[kind](),)
    given = [{"kind": kind, **ACTING[kind]}, "ortho_grad"]
    assert from_dict(Interventions, given) == (rule(kind), rule("ortho_grad"))


def test_an_unknown_word_is_refused_with_the_nearest_kind():
    with pytest.raises(SpecError, match=r"interventions\.0\.kind = 'grokfast_em' is unknown\. Did you mean 'grokfast_"):
        tiny(interventions=["grokfast_em"])


# What it does to state, weights and gradients


@every_kind
def test_its_state_keeps_names_shapes_and_types_and_shares_neither_memory_nor_graph_with_the_weights(kind):
    params = {name: torch.nn.Parameter(p) for name, p in draw(0).items()}
    state = rule(kind).init(params, seed=0)
    before, memory = named(state), {p.data_ptr() for p in params.values()}
    assert not any(t.requires_grad or t.data_ptr() in memory for of in state.values() for t in of.values())
    assert all(torch.equal(params[name], p) for name, p in draw(0).items())  # init only looks
    with torch.no_grad():
        walk(rule(kind), params, draw, state)
    assert named(state) == before


@every_kind
@pytest.mark.parametrize("zero", ["gradients", "weights", "both"])
def test_zeros_do_no_harm(kind, zero):
    params = draw(0) if zero == "gradients" else {n: torch.zeros(s) for n, s in SHAPES.items()}
    state = rule(kind).init(params, seed=0)
    grads = walk(rule(kind), params, (lambda step: {n: torch.zeros(s) for n, s in SHAPES.items()}) if zero in (
        "gradients", "both") else draw, state)  # fmt: skip
    assert finite(params, grads, *state.values())
    assert all(value == value for value in rule(kind).readings(params).values())


@every_kind
@pytest.mark.parametrize("scale", [1e-18, 1e18])
def test_extreme_gradients_stay_finite(kind, scale):
    params = draw(0)
    state = rule(kind).init(params, seed=0)
    grads = walk(rule(kind), params, lambda step: {n: scale * g for n, g in draw(step).items()}, state)
    assert finite(params, grads, *state.values())


@every_kind
def test_the_same_again_gives_the_same_bits(kind):
    ends = []
    for _ in range(2):
        params = draw(0)
        state = rule(kind).init(params, seed=3)
        grads = walk(rule(kind), params, draw, state)
        ends.append([t.numpy().tobytes() for group in (params, grads, *state.values()) for t in group.values()])
    assert ends[0] == ends[1]


@every_kind
def test_it_changes_something(kind):
    """Control: a rule that does nothing would pass most of this file."""
    params, plain = draw(0), draw(0)
    walk(rule(kind), params, draw, rule(kind).init(params, seed=0))
    walk(None, plain, draw, {})
    assert not any(torch.equal(params[name], plain[name]) for name in SHAPES)


@every_kind
def test_float64_parameters_stay_float64_and_are_treated_as_float32_ones_are(kind):
    ends = {}
    for dtype in (torch.float32, torch.float64):
        params = {n: p.to(dtype) for n, p in draw(0).items()}
        state = rule(kind).init(params, seed=0)
        grads = walk(rule(kind), params, lambda step, d=dtype: {n: g.to(d) for n, g in draw(step).items()}, state)
        floats = [t for group in (params, grads, *state.values()) for t in group.values() if t.is_floating_point()]
        assert {t.dtype for t in floats} == {dtype}
        ends[dtype] = params | {f"grad of {n}": g for n, g in grads.items()}
    if kind != "gradient_noise":  # draws other numbers in another precision
        torch.testing.assert_close(ends[torch.float32], ends[torch.float64], check_dtype=False, rtol=1e-5, atol=1e-5)


@every_kind
def test_a_parameter_without_a_gradient_is_left_alone(kind):
    """As torch's optimizers leave it. Only a norm of all weights is one of all weights."""
    params, lacking = draw(0), "blocks.0.bias"
    state = rule(kind).init(params, seed=0)
    params[lacking] += 1  # so that there would be something to pull back
    weights = params[lacking].clone()

    def without(step):
        return {n: g for n, g in draw(step).items() if n != lacking}

    remembered = {slot: of[lacking].clone() for slot, of in state.items() if lacking in of}
    grads = walk(rule(kind), params, without, state)
    assert lacking not in grads and finite(params, grads, *state.values())
    assert all(torch.equal(state[slot][lacking], t) for slot, t in remembered.items())
    if rule(kind).acts != "weights":
        assert torch.equal(params[lacking], weights)


# Together with the rest of a step: short runs, looked at once, at their end, which refuses what is not finite

SHORT = {"model": MLP, "evaluation": {"every": 1000}, "checkpoints": {"best": []}}


@functools.cache
def without(optimizer):
    return bits(tiny(**SHORT, steps=8, optimizer={"kind": optimizer}))


@every_kind
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_works_before_every_optimizer(kind, optimizer):
    ends = bits(tiny(**SHORT, steps=8, optimizer={"kind": optimizer}, interventions=acting(kind)))
    assert all(ends[name] != weights for name, weights in without(optimizer).items())


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(INTERVENTIONS, 2)))
def test_any_two_work_in_any_order_which_counts_only_at_the_same_place(one, other):
    settings = {**SHORT, "steps": 3, "optimizer": UNDECAYED}
    there, back = (bits(tiny(**settings, interventions=acting(*pair))) for pair in ((one, other), (other, one)))
    if rule(one).acts != rule(other).acts:
        assert there == back


def test_the_order_counts_at_the_same_place():
    """Control: clipping what Grokfast made is something else than clipping what it gets."""
    pair = acting("gradient_clip", "grokfast_ema")
    there, back = (
        bits(tiny(**SHORT, steps=3, optimizer={"kind": "sgd"}, interventions=order)) for order in (pair, pair[::-1])
    )
    assert there != back


# Gradients are changed in place: no two of them may be the same memory


def lie_apart(tensors):
    """Write other numbers into each element of each and look whether all are there. Torch refuses to write into
    tensors whose own elements lie on each other."""
    wanted, begins = [], 0
    for tensor in tensors:
        wanted.append(torch.arange(begins, begins + tensor.numel(), dtype=tensor.dtype).view(tensor.shape))
        begins += tensor.numel()
        tensor.copy_(wanted[-1])
    return all(torch.equal(tensor, want) for tensor, want in zip(tensors, wanted, strict=True))


LEARNERS = {
    "transformer": TRANSFORMER,
    "two layers": {**TRANSFORMER, "layers": 2, "bias": True, "activation": "gelu"},
    "post": {**TRANSFORMER, "norm": "post", "bias": True},
    "no norm": {**TRANSFORMER, "norm": "none", "dropout": 0.1},
    "mlp": MLP,
    "deep mlp": {**MLP, "depth": 4},
}


ON_FEATURES = {
    "resnet": RESNET,
    "batch norm and dropout": {**RESNET, "norm": "batchnorm", "dropout": 0.1},
    "patches": PATCHES,
    "experts": EXPERTS,
    "experts of whom some are not asked": {
        **EXPERTS,
        "experts": 2,
        "expert": MLP,
        "gate": {"kind": "hard", "cases": [[5, 3], [9, 9]]},
    },
}


def test_every_model_is_looked_at_here():
    assert {settings["kind"] for settings in [*LEARNERS.values(), *ON_FEATURES.values()]} == set(MODELS)


@pytest.mark.parametrize("learner", ON_FEATURES)
def test_no_two_gradients_of_a_model_on_features_share_memory(learner, monkeypatch):
    codes = {**CODES, "groups": "5,3,2"} if "not asked" in learner else CODES
    spec = tiny(model=ON_FEATURES[learner], task=codes, loss={"kind": "squared_error"}, batch={"size": 8})
    grads, _ = gradients_of_a_step(spec, monkeypatch)
    assert lie_apart(grads)


def gradients_of_a_step(spec, monkeypatch):
    seen, grad = [], torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **more: seen.append(grad(*args, **more)) or seen[-1])
    state = begin(spec)
    Step(spec, spec.task.split(spec.seed), state).update()
    assert len(seen[-1]) == len(state.params)
    return seen[-1], state


@pytest.mark.parametrize("loss", ["cross_entropy", "stablemax", "squared_error"])
@pytest.mark.parametrize("learner", LEARNERS)
def test_no_two_gradients_of_a_model_share_memory(learner, loss, monkeypatch):
    spec = tiny(model=LEARNERS[learner], loss={"kind": loss})
    grads, state = gradients_of_a_step(spec, monkeypatch)
    weights = {name: p.detach().clone() for name, p in state.params.items()}
    assert lie_apart(grads)
    assert all(torch.equal(p, weights[name]) for name, p in state.params.items())  # nor with the weights


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of its compiler
def test_no_two_gradients_of_a_compiled_step_share_memory(monkeypatch):
    spec = tiny(batch={"size": None}, compile=True)
    grads, _ = gradients_of_a_step(spec, monkeypatch)
    assert lie_apart(grads)


def test_gradients_that_share_memory_are_noticed():
    """Control: two parameters that are only ever added to each other get one gradient between them."""
    a, b = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    assert not lie_apart(torch.autograd.grad(((a + b) * torch.randn(3)).sum(), (a, b)))
    with pytest.raises(RuntimeError, match="single memory location"):
        lie_apart(torch.autograd.grad((a + b).sum(), (a,)))
