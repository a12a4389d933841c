"""Interventions in a plain torch loop: the engine's order, accumulation, mixed precision, saving and loading."""

import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.tiny import ACTING, MLP, UNDECAYED, acting, begin, tiny
from latebloom.base.errors import DataError, DivergedError
from latebloom.engine.step import Step
from latebloom.interventions import INTERVENTIONS, Attached, GradientNoise, GrokfastEma, GrokfastMa, NormRescale
from latebloom.interventions.rule import norm

every_kind = pytest.mark.parametrize("kind", INTERVENTIONS)
SCALE = 1024.0  # of the loss in mixed precision: a power of two, so that scaling rounds nothing


def rules(*kinds):
    return [INTERVENTIONS[kind](**ACTING[kind]) for kind in kinds]


def plain_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 5))


def batch(step, size=32):
    g = torch.Generator().manual_seed(step)
    return torch.randn(size, 8, generator=g), torch.randint(5, (size,), generator=g)


def adam(model):
    return torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0)


def step_of(attached, optimizer):
    """Each in its turn: those that act on weights come last."""
    rate = optimizer.param_groups[0]["lr"]
    before = [one for one in attached if one.rule.acts != "weights"]
    acted = [one.step(rate) for one in before]
    optimizer.step()
    return acted + [one.step(rate) for one in attached if one not in before]


def trained(kinds, steps=12, pieces=1, step_per_piece=False):
    """A model after some steps, each batch fed in so many pieces."""
    model = plain_model()
    optimizer, attached = adam(model), [Attached(rule, model) for rule in rules(*kinds)]
    for step in range(steps):
        inputs, labels = batch(step)
        optimizer.zero_grad()
        for x, y in zip(inputs.chunk(pieces), labels.chunk(pieces), strict=True):
            (F.cross_entropy(model(x), y) / pieces).backward()
            if step_per_piece:
                step_of(attached, optimizer)
                optimizer.zero_grad()
        if not step_per_piece:
            step_of(attached, optimizer)
    return weights(model)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()]).clone()


def remembered(attached):
    return {name: t.clone() for name, t in attached.state_dict().items() if isinstance(t, torch.Tensor)}


# The same as in the engine


@pytest.mark.parametrize(
    "kinds", [(), *((kind,) for kind in INTERVENTIONS), tuple(ACTING), tuple(ACTING)[::-1]], ids=str
)
def test_three_lines_in_a_plain_loop_do_what_the_engine_does(kinds):
    """In the order l1, filters, decays, optimizer, norms, whatever the order in which the recipe lists the places."""
    spec = tiny(model=MLP, optimizer=UNDECAYED, batch={"size": None}, interventions=acting(*kinds))
    split = spec.task.split(spec.seed)
    state, there = begin(spec), begin(spec).module
    engine = Step(spec, split, state)
    optimizer = torch.optim.AdamW(there.parameters(), lr=0.01, betas=(0.9, 0.98), weight_decay=0, fused=True)
    order = ("penalty", "gradients", "decay", "weights")
    attached = [
        Attached(rule, there, seed=spec.seed) for rule in sorted(rules(*kinds), key=lambda r: order.index(r.acts))
    ]
    inputs, labels = (torch.from_numpy(t[split.train_M]) for t in (split.inputs_NT, split.labels_N))
    for _ in range(12):
        engine.update()
        optimizer.zero_grad()
        F.cross_entropy(there(inputs), labels, reduction="none").mean().backward()
        assert all(step_of(attached, optimizer))
        for name, p in there.named_parameters():  # the same operations on the same numbers
            assert torch.equal(p, state.params[name]), name
    for one, kept in zip(
        sorted(attached, key=lambda a: kinds.index(a.rule.kind)), state.interventions.values(), strict=True
    ):
        assert all(torch.equal(one.state[slot][name], t) for slot, of in kept.items() for name, t in of.items())


def test_leaving_an_intervention_out_is_noticed():
    """Control for the test above and all below."""
    plain = trained(())
    for kind in INTERVENTIONS:
        assert not torch.allclose(trained((kind,)), plain, atol=1e-4), kind


@every_kind
def test_the_hook_of_a_torch_optimizer_does_the_same_without_a_line_in_the_loop(kind):
    model, (rule,) = plain_model(), rules(kind)
    optimizer, attached = adam(model), Attached(rule, model)
    hook = optimizer.register_step_post_hook if rule.acts == "weights" else optimizer.register_step_pre_hook

    def act(optimizer, *_):
        attached.step(optimizer.param_groups[0]["lr"])

    hook(act)
    for step in range(12):
        inputs, labels = batch(step)
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    assert torch.equal(weights(model), trained((kind,)))


def test_a_sparse_gradient_is_refused_in_words():
    embedding = torch.nn.Embedding(5, 3, sparse=True)
    attached = Attached(GrokfastEma(), embedding)
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(DataError, match="cannot read the sparse gradient of weight; build it with sparse=False"):
        attached.step()


# Gradient accumulation


@every_kind
def test_four_backward_passes_and_one_step_are_one_step_on_the_whole_batch(kind):
    # sums over the batch in another order: an epsilon of float32 for numbers near 1 in each of 12 steps
    torch.testing.assert_close(trained((kind,), pieces=4), trained((kind,)), rtol=0, atol=12 * 1.2e-7)


@every_kind
def test_stepping_after_every_backward_pass_is_something_else(kind):
    """Control for the test above."""
    assert not torch.allclose(trained((kind,), pieces=4, step_per_piece=True), trained((kind,)), atol=1e-2)


# Mixed precision


def train_mixed(kinds, *, scaler=None, unscale=True, spoilt=(), steps=12, skip=True):
    """Autocast to bfloat16; at the steps `spoilt` one gradient is infinite. Returns model, interventions and acts."""
    model = plain_model()
    optimizer, attached = adam(model), [Attached(rule, model) for rule in rules(*kinds)]
    acts = []
    for step in range(steps):
        inputs, labels = batch(step)
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(inputs), labels)
        (scaler.scale(loss) if scaler else loss).backward()
        if step in spoilt:
            model[0].weight.grad[0, 0] = torch.inf
        if scaler and unscale:
            scaler.unscale_(optimizer)
        rate = optimizer.param_groups[0]["lr"]
        acts.append([one.step(rate, skip_nonfinite=skip) for one in attached if one.rule.acts != "weights"])
        if scaler:
            scaler.step(optimizer)
            scaler.update()
        else:
            optimizer.step()
        acts[-1] += [one.step(rate, skip_nonfinite=skip) for one in attached if one.rule.acts == "weights"]
    return model, attached, acts


def scaler():
    return torch.amp.GradScaler("cpu", init_scale=SCALE, growth_interval=5)


@every_kind
def test_an_unscaled_gradient_in_mixed_precision_gives_the_bits_of_no_scaling_at_all(kind):
    """Autocast keeps weights and gradients in float32, and a power of two shifts only exponents."""
    scaled, with_scaler, acts = train_mixed((kind,), scaler=scaler())
    plain, without, _ = train_mixed((kind,))
    assert acts == [[True]] * 12
    assert torch.equal(weights(scaled), weights(plain))
    assert all(torch.equal(t, remembered(without[0])[name]) for name, t in remembered(with_scaler[0]).items())


def test_without_unscale_a_filter_remembers_scaled_gradients():
    """Control, and the reason for calling unscale_ first: the memory is a thousand times too large, and stays so when
    the scale changes, so that the weights go elsewhere."""
    ends = {}
    for unscale in (True, False):
        steady = torch.amp.GradScaler("cpu", init_scale=SCALE, growth_interval=1000)
        _, (attached,), _ = train_mixed(("grokfast_ema",), scaler=steady, unscale=unscale, steps=4)
        model, _, _ = train_mixed(("grokfast_ema",), scaler=scaler(), unscale=unscale)
        ends[unscale] = norm(attached.state["slow"].values()).item(), weights(model)
    assert ends[False][0] / ends[True][0] == pytest.approx(SCALE, rel=0.2)
    assert not torch.allclose(ends[True][1], ends[False][1], atol=1e-3)


@every_kind
def test_a_step_with_an_infinite_gradient_is_skipped_and_nothing_is_remembered_of_it(kind):
    before, (still,), _ = train_mixed((kind,), scaler=scaler(), steps=6)
    after, (attached,), acts = train_mixed((kind,), scaler=scaler(), steps=7, spoilt=[6])
    assert acts[-1] == [False] and acts[:-1] == [[True]] * 6
    assert torch.equal(weights(after), weights(before))
    assert attached.steps == 6
    assert all(torch.equal(t, remembered(still)[name]) for name, t in remembered(attached).items())
    went_on, _, acts = train_mixed((kind,), scaler=scaler(), spoilt=[6])
    assert acts[7:] == [[True]] * 5 and weights(went_on).isfinite().all()


@every_kind
def test_an_infinite_gradient_is_an_error_where_skipping_is_not_asked_for(kind):
    model, (rule,) = plain_model(), rules(kind)
    attached = Attached(rule, model)
    F.cross_entropy(model(batch(0)[0]), batch(0)[1]).backward()
    model[2].bias.grad[1] = torch.nan
    grads, before, kept = model[0].weight.grad.clone(), weights(model), remembered(attached)
    with pytest.raises(DivergedError, match=rf"not finite in 2\.bias; {kind} keeps its state.*skip_nonfinite=True"):
        attached.step(0.01)
    assert torch.equal(weights(model), before) and torch.equal(model[0].weight.grad, grads) and attached.steps == 0
    assert all(torch.equal(t, kept[name]) for name, t in remembered(attached).items())


def test_a_filter_that_saw_the_infinity_would_never_be_finite_again():
    """Control: what the skipping is for."""
    model, rule = plain_model(), GrokfastEma()
    params = {name: p.detach() for name, p in model.named_parameters()}
    state = rule.init(params, 0)
    for step in range(1, 50):
        grads = {name: torch.ones_like(p) * (torch.inf if step == 6 else 1) for name, p in params.items()}
        rule.update(params, grads, state, 0.01, step)
    assert not any(t.isfinite().any() for t in state["slow"].values())


@pytest.mark.parametrize("fused", [False, True])
def test_the_hook_of_an_optimizer_sees_unscaled_gradients_too(fused):
    """A fused optimizer is called by the scaler even for a step that it skips; the others are not."""
    ends = []
    for hooked in (False, True):
        model, scaling, acts = plain_model(), scaler(), []
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=fused)
        attached = Attached(GrokfastEma(), model)

        def act(*_, attached=attached, acts=acts):
            acts.append(attached.step(skip_nonfinite=True))

        if hooked:
            optimizer.register_step_pre_hook(act)
        for step in range(8):
            optimizer.zero_grad()
            scaling.scale(F.cross_entropy(model(batch(step)[0]), batch(step)[1])).backward()
            if step == 3:
                model[0].weight.grad[0, 0] = torch.inf
            scaling.unscale_(optimizer)
            if not hooked:
                act()
            scaling.step(optimizer)
            scaling.update()
        assert acts.count(True) == 7
        ends.append(weights(model))
    assert torch.equal(ends[0], ends[1])


# Saving and loading


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def some_steps(model, optimizer, attached, steps):
    for step in steps:
        inputs, labels = batch(step)
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        step_of([attached], optimizer)


@every_kind
def test_saved_loaded_and_gone_on_ends_with_the_same_bits(kind):
    model, (rule,) = plain_model(), rules(kind)
    optimizer, attached = adam(model), Attached(rule, model, seed=5)
    some_steps(model, optimizer, attached, range(7))
    saved = through_a_file([one.state_dict() for one in (model, optimizer, attached)])
    some_steps(model, optimizer, attached, range(7, 12))

    other = plain_model()
    again = adam(other), Attached(rule, other, seed=6)  # the saved seed wins
    for one, state in zip((other, *again), saved, strict=True):
        one.load_state_dict(state)
    assert again[1].steps == 7
    some_steps(other, *again, range(7, 12))
    assert torch.equal(weights(other), weights(model))
    assert all(torch.equal(t, remembered(again[1])[name]) for name, t in remembered(attached).items())


@pytest.mark.parametrize("kind", ["grokfast_ema", "grokfast_ma", "gradient_noise", "norm_clamp", "decay_to_init"])
def test_starting_fresh_instead_of_loading_ends_elsewhere(kind):
    """Control for the test above, for those that remember something."""
    model, (rule,) = plain_model(), rules(kind)
    optimizer, attached = adam(model), Attached(rule, model, seed=5)
    some_steps(model, optimizer, attached, range(7))
    saved = through_a_file([one.state_dict() for one in (model, optimizer)])
    some_steps(model, optimizer, attached, range(7, 12))
    other = plain_model()
    again = adam(other)
    other.load_state_dict(saved[0])
    again.load_state_dict(saved[1])
    some_steps(other, again, Attached(rule, other, seed=5), range(7, 12))
    assert not torch.equal(weights(other), weights(model))


@every_kind
def test_a_state_without_any_one_of_its_parts_is_refused_and_changes_nothing(kind):
    model, (rule,) = plain_model(), rules(kind)
    attached, fresh = Attached(rule, model), Attached(rule, model)
    some_steps(model, adam(model), attached, range(3))
    saved, before = attached.state_dict(), remembered(fresh)
    for name in saved:
        with pytest.raises(DataError, match=rf"no state of {kind} here: .*{name} is missing"):
            fresh.load_state_dict({n: t for n, t in saved.items() if n != name})
    with pytest.raises(DataError, match=r"tempo is unknown"):
        fresh.load_state_dict({**saved, "tempo": torch.ones(())})
    assert fresh.steps == 0 and all(torch.equal(t, before[n]) for n, t in remembered(fresh).items())


def test_the_state_of_another_intervention_or_model_is_refused():
    model = plain_model()
    with pytest.raises(DataError, match=r"no state of grokfast_ema here: it is the state of grokfast_ma"):
        Attached(GrokfastEma(), model).load_state_dict(Attached(GrokfastMa(), model).state_dict())
    larger = nn.Sequential(nn.Linear(9, 16), nn.ReLU(), nn.Linear(16, 5))
    with pytest.raises(DataError, match=r"slow/0\.weight has shape \(16, 9\), expected \(16, 8\)"):
        Attached(GrokfastEma(), model).load_state_dict(Attached(GrokfastEma(), larger).state_dict())


# What it takes and what it refuses


def test_frozen_parameters_are_not_attached_and_named_ones_can_be_chosen():
    model = plain_model()
    model[0].weight.requires_grad_(False)
    assert set(Attached(GrokfastEma(), model).params) == {"0.bias", "2.weight", "2.bias"}
    chosen = [(name, p) for name, p in model.named_parameters() if name.startswith("2.")]
    assert set(Attached(GrokfastEma(), chosen).params) == {"2.weight", "2.bias"}


@every_kind
def test_before_the_first_backward_pass_only_a_norm_can_act(kind):
    model, (rule,) = plain_model(), rules(kind)
    if rule.acts == "weights":
        assert Attached(rule, model).step()
    else:
        with pytest.raises(DataError, match=rf"{kind} found no gradient; call loss\.backward\(\) first"):
            Attached(rule, model).step(0.01)


@pytest.mark.parametrize("kind", ["decay_to_init", "decay_schedule"])
def test_a_decay_without_the_learning_rate_is_refused(kind):
    model, (rule,) = plain_model(), rules(kind)
    F.cross_entropy(model(batch(0)[0]), batch(0)[1]).backward()
    with pytest.raises(DataError, match=rf"{kind} needs the learning rate in force: step\(lr="):
        Attached(rule, model).step()


def test_a_norm_is_held_after_the_gradients_are_gone():
    model = plain_model()
    optimizer, held = torch.optim.SGD(model.parameters(), lr=1.0), Attached(NormRescale(), model)
    at_first = weights(model).norm()
    F.cross_entropy(model(batch(0)[0]), batch(0)[1]).backward()
    optimizer.step()
    assert not torch.isclose(weights(model).norm(), at_first, rtol=1e-3)
    optimizer.zero_grad()
    held.step()
    torch.testing.assert_close(weights(model).norm(), at_first)


def test_another_seed_gives_other_noise():
    ends = []
    for seed in (1, 1, 2):
        model = plain_model()
        some_steps(model, adam(model), Attached(GradientNoise(), model, seed=seed), range(3))
        ends.append(weights(model))
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])
