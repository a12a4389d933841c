"""Every intervention over 200 random steps against its published definition, written out in numpy's float64.

A definition is a function that is made once and then told (weights, gradients, learning rate, step); it returns what
the weights and gradients become. Between steps both sides get the same random gradients, and weights that are kicked
by the same random move, so that errors of the state would add up.
"""

import math
from collections import deque

import numpy as np
import pytest
import torch

from latebloom.interventions import (
    INTERVENTIONS,
    L1,
    DecaySchedule,
    DecayToInit,
    GradientClip,
    GradientNoise,
    GrokfastEma,
    GrokfastMa,
    NormClamp,
    NormRescale,
    OrthoGrad,
)

SHAPES = {"embed.weight": (7, 6), "blocks.0.up": (6, 9, 2), "blocks.0.bias": (9,), "norm.weight": (2, 1)}
STEPS = 200


def walk(rule, definition, precision=torch.float64):
    """The largest difference over all steps between a rule and a definition, in machine epsilons of the precision."""
    numbers = np.random.default_rng(0)

    def draw(scale):  # the same numbers on both sides: rounded to the precision before either sees them
        return {n: torch.from_numpy(scale * numbers.standard_normal(s)).to(precision) for n, s in SHAPES.items()}

    def plain(tensors):
        return {n: t.double().numpy().copy() for n, t in tensors.items()}

    ours = draw(1.0)
    theirs, defined = plain(ours), definition(plain(ours))
    state, worst = rule.init(ours, seed=0), 0.0
    for step in range(1, STEPS + 1):
        grads, lr = draw(3.0 if step % 3 else 0.1), 0.01 * (1 + step % 7)
        theirs, expected = defined(theirs, plain(grads), lr, step)
        rule.update(ours, grads, state, lr, step)
        for got, wanted in ((plain(grads), expected), (plain(ours), theirs)):
            worst = max(worst, *(abs(got[n] - wanted[n]).max() for n in SHAPES))
        for name, kick in draw(0.1).items():
            ours[name] += kick
            theirs[name] = theirs[name] + kick.double().numpy()
    return worst / torch.finfo(precision).eps


# Ten roundings of numbers up to 100: gradients of 3 standard deviations of 4, grown by 1 + amplify. Steps add nothing.
ROUNDING = 10 * 100
# What every control differs by at least: a hundredth, in epsilons of 2e-16
DIFFERENT = 0.01 / torch.finfo(torch.float64).eps


def both(w, g):
    return np.concatenate([x.ravel() for x in w.values()]), np.concatenate([x.ravel() for x in g.values()])


# The definitions


def ema(decay, amplify, start="first gradient"):
    def made(initial):
        slow = {n: np.zeros_like(w) for n, w in initial.items()} if start == "zero" else {}
        if start == "weights":
            slow = dict(initial)

        def step(w, g, lr, t):
            for n in g:
                slow[n] = decay * slow.get(n, g[n]) + (1 - decay) * g[n]
            return w, {n: g[n] + amplify * slow[n] for n in g}

        return step

    return made


def moving_average(window, amplify, waits=True):
    def made(initial):
        queues = {n: deque(maxlen=window) for n in initial}

        def step(w, g, lr, t):
            filtered = {}
            for n, queue in queues.items():
                queue.append(g[n])
                full = len(queue) == window or not waits
                filtered[n] = g[n] + amplify * (sum(queue) / len(queue) if full else 0)
            return w, filtered

        return step

    return made


def penalty(strength, per_norm, detached=True):
    """The penalty as a loss, and autograd."""

    def step(w, g, lr, t):
        leaves = {n: torch.tensor(x, requires_grad=True) for n, x in w.items()}
        loss = strength * sum(leaf.abs().sum() for leaf in leaves.values())
        if per_norm:
            length = torch.stack([leaf.square().sum() for leaf in leaves.values()]).sum().sqrt()
            loss = loss / (length.item() if detached else length)
        slopes = torch.autograd.grad(loss, list(leaves.values()))
        return w, {n: g[n] + slope.numpy() for n, slope in zip(leaves, slopes, strict=True)}

    return lambda initial: step


def orthogonal(stretched=True, together=False):
    def project(w, g):
        left = g - (w * g).sum() / (w * w).sum() * w
        return left * math.sqrt((g * g).sum() / (left * left).sum()) if stretched else left

    def step(w, g, lr, t):
        if not together:
            return w, {n: project(w[n], g[n]) for n in g}
        flat = project(*both(w, g))
        cuts = np.cumsum([x.size for x in g.values()])[:-1]
        return w, {n: part.reshape(g[n].shape) for n, part in zip(g, np.split(flat, cuts), strict=True)}

    return lambda initial: step


def clip(max_norm, each=False):
    def step(w, g, lr, t):
        total = math.sqrt(sum((x * x).sum() for x in g.values()))
        lengths = {n: math.sqrt((x * x).sum()) if each else total for n, x in g.items()}
        return w, {n: x * max_norm / lengths[n] if lengths[n] > max_norm else x for n, x in g.items()}

    return lambda initial: step


def held(norm, unit="initial", each="model", only_down=False):
    def length(tensors):
        return math.sqrt(sum((x * x).sum() for x in tensors))

    def made(initial):
        groups = [[n] for n in initial] if each == "tensor" else [list(initial)]
        targets = [norm * (length(initial[n] for n in group) if unit == "initial" else 1) for group in groups]

        def step(w, g, lr, t):
            w = dict(w)
            for group, target in zip(groups, targets, strict=True):
                now = length(w[n] for n in group)
                if now > target or not only_down:
                    w |= {n: w[n] * (target / now) for n in group}
            return w, g

        return step

    return made


def to_initial(strength, towards="initial"):
    def made(initial):
        def step(w, g, lr, t):
            centre = initial if towards == "initial" else {n: 0 * x for n, x in w.items()}
            return {n: w[n] - lr * strength * (w[n] - centre[n]) for n in w}, g

        return step

    return made


def decay(strength_at):
    return lambda initial: lambda w, g, lr, t: ({n: x - lr * strength_at(t) * x for n, x in w.items()}, g)


def line(t):
    """0 up to step 20, then 1 at 100, then 0.5 at 150 and ever after."""
    if t <= 20:
        return 0
    if t <= 100:
        return (t - 20) / 80
    return 1 - 0.5 * (t - 100) / 50 if t <= 150 else 0.5


def stair(t):
    return 0 if t < 100 else 1 if t < 150 else 0.5


POINTS = ((20, 0.0), (100, 1.0), (150, 0.5))
PAIRS = {
    "grokfast_ema": (GrokfastEma(ema_decay=0.95), ema(0.95, 2)),
    "grokfast_ema without memory": (GrokfastEma(ema_decay=0, amplify=3), lambda _: lambda w, g, lr, t: (w, {
        n: 4 * x for n, x in g.items()})),
    "grokfast_ma": (GrokfastMa(window_steps=30), moving_average(30, 5)),
    "grokfast_ma of one": (GrokfastMa(window_steps=1), moving_average(1, 5)),
    "grokfast_ma never full": (GrokfastMa(window_steps=STEPS + 1), lambda _: lambda w, g, lr, t: (w, g)),
    "l1": (L1(strength=0.3), penalty(0.3, per_norm=False)),
    "l1 per norm": (L1(strength=5, per_norm=True), penalty(5, per_norm=True)),
    "ortho_grad": (OrthoGrad(), orthogonal()),
    "gradient_clip": (GradientClip(max_norm=2), clip(2)),
    "norm_rescale": (NormRescale(norm=0.5), held(0.5)),
    "norm_rescale absolute": (NormRescale(norm=2, unit="absolute"), held(2, "absolute")),
    "norm_rescale each": (NormRescale(each="tensor"), held(1, each="tensor")),
    "norm_clamp": (NormClamp(norm=0.9), held(0.9, only_down=True)),
    "norm_clamp absolute each": (
        NormClamp(norm=2, unit="absolute", each="tensor"), held(2, "absolute", "tensor", only_down=True)),
    "decay_to_init": (DecayToInit(strength=3), to_initial(3)),
    "decay_schedule line": (DecaySchedule(points=POINTS), decay(line)),
    "decay_schedule stair": (DecaySchedule(points=POINTS, between="stair"), decay(stair)),
    "decay_schedule constant": (DecaySchedule(points=((0, 0.7),)), decay(lambda t: 0.7)),
}  # fmt: skip
WRONG = {
    "ema: starts at zero": (GrokfastEma(ema_decay=0.95), ema(0.95, 2, "zero")),
    "ema: starts at the weights, as printed": (GrokfastEma(ema_decay=0.95), ema(0.95, 2, "weights")),
    "ema: another decay": (GrokfastEma(ema_decay=0.95), ema(0.951, 2)),
    "ma: does not wait": (GrokfastMa(window_steps=30), moving_average(30, 5, waits=False)),
    "ma: one step longer": (GrokfastMa(window_steps=30), moving_average(31, 5)),
    "l1: gradient through the norm": (L1(strength=5, per_norm=True), penalty(5, per_norm=True, detached=False)),
    "l1: not divided": (L1(strength=5, per_norm=True), penalty(5, per_norm=False)),
    "ortho_grad: not stretched": (OrthoGrad(), orthogonal(stretched=False)),
    "ortho_grad: all weights together": (OrthoGrad(), orthogonal(together=True)),
    "clip: each tensor by itself": (GradientClip(max_norm=2), clip(2, each=True)),
    "rescale: each tensor by itself": (NormRescale(), held(1, each="tensor")),
    "rescale: only down": (NormRescale(), held(1, only_down=True)),
    "clamp: up as well": (NormClamp(norm=3), held(3)),
    "to init: to zero": (DecayToInit(strength=3), to_initial(3, "zero")),
    "schedule: a stair for a line": (DecaySchedule(points=POINTS), decay(stair)),
    "schedule: one stair late": (
        DecaySchedule(points=POINTS, between="stair"), decay(lambda t: stair(t - 1))),
    "schedule: counted from zero": (DecaySchedule(points=POINTS), decay(lambda t: line(t - 1))),
}  # fmt: skip


def test_every_intervention_has_a_definition_here():
    assert {rule.kind for rule, _ in PAIRS.values()} | {"gradient_noise"} == set(INTERVENTIONS)  # noise: see below


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("precision", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_it_does_what_its_definition_says(name, precision):
    rule, definition = PAIRS[name]
    assert walk(rule, definition, precision) < ROUNDING


@pytest.mark.parametrize("name", WRONG)
def test_a_slightly_different_definition_is_told_apart(name):
    """Control for the test above."""
    assert walk(*WRONG[name]) > DIFFERENT


# What no table of steps shows


def draw(seed, dtype=torch.float64, shapes=SHAPES):
    g = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=g, dtype=dtype) for name, shape in shapes.items()}


def clones(tensors):
    return {name: t.clone() for name, t in tensors.items()}


def test_the_first_gradient_grows_by_one_plus_amplify():
    rule, params, grads = GrokfastEma(amplify=2.0), draw(0), draw(1)
    before = clones(grads)
    rule.update(params, grads, rule.init(params, 0), 0.1, 1)
    for name in grads:
        torch.testing.assert_close(grads[name], 3 * before[name])


def test_the_moving_average_adds_nothing_before_its_window_is_full():
    rule, params = GrokfastMa(window_steps=5), draw(0)
    state = rule.init(params, 0)
    untouched = []
    for step in range(1, 9):
        grads = draw(step)
        before = clones(grads)
        rule.update(params, grads, state, 0.1, step)
        untouched.append(all(torch.equal(grads[n], before[n]) for n in grads))
    assert untouched == [True] * 4 + [False] * 4


def test_a_moving_average_of_float32_is_as_exact_after_2_000_steps_as_after_100():
    """A running sum alone would collect the rounding errors of its whole life, the more so after a large gradient."""
    rule, shapes = GrokfastMa(window_steps=20), {"w": (50,)}
    params, recent = draw(0, torch.float32, shapes), deque(maxlen=20)
    state = rule.init(params, 0)
    for step in range(1, 2_001):
        grads = draw(step, torch.float32, shapes)
        if step == 30:
            grads["w"] *= 1e6
        recent.append(grads["w"].double())
        before = grads["w"].double()
        rule.update(params, grads, state, 0.1, step)
    mean = sum(recent) / len(recent)
    # since the sum was last taken anew at most 20 steps have rounded it twice, at numbers up to 20 * 4
    allowed = rule.amplify / 20 * 40 * 80 * torch.finfo(torch.float32).eps
    assert (grads["w"] - before - rule.amplify * mean).abs().max() < allowed


@pytest.mark.parametrize("rule", [GrokfastEma(), GrokfastMa(window_steps=3)], ids=lambda rule: rule.kind)
def test_a_parameter_that_has_no_gradient_at_first_begins_with_its_own_first_one(rule):
    """As the published code, which remembers each parameter by itself."""
    params = draw(0)
    state, alone = rule.init(params, 0), rule.init({"norm.weight": params["norm.weight"]}, 0)
    for step in range(1, 12):
        grads = draw(step)
        only = {"norm.weight": grads["norm.weight"].clone()}
        if step < 4:
            del grads["norm.weight"]
        rule.update(params, grads, state, 0.1, step)
        if step >= 4:
            rule.update(params, only, alone, 0.1, step)
            assert torch.equal(grads["norm.weight"], only["norm.weight"]), step


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_ortho_grad_is_orthogonal_to_the_weights_and_as_long_as_before(dtype):
    for seed in range(STEPS):
        params, grads = draw(seed, dtype), draw(seed + STEPS, dtype)
        before = clones(grads)
        OrthoGrad().update(params, grads, {}, 0.1, 1)
        for name, g in grads.items():
            eps = torch.finfo(dtype).eps
            w, old = params[name].double(), before[name].double()
            left = (old - (w * old).sum() / (w * w).sum() * w).norm()
            # what rounding leaves along the weights is some epsilons of the old gradient; stretching enlarges it
            along = (g.double() * w).sum().abs() / (g.double().norm() * w.norm())
            assert along < 10 * eps * old.norm() / left
            assert g.double().norm().item() == pytest.approx(old.norm().item(), rel=10 * eps)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_ortho_grad_leaves_nothing_of_a_gradient_parallel_to_its_weights(dtype):
    """What rounding leaves of it is no direction. A single number's gradient is always parallel."""
    for seed in range(STEPS):
        w, one = draw(seed, dtype, {"w": (50,)})["w"], draw(seed, dtype, {"one": (1,)})["one"]
        grads = {"w": -2 * w, "one": draw(seed + STEPS, dtype, {"one": (1,)})["one"]}
        OrthoGrad().update({"w": w, "one": one}, grads, {}, 0.1, 1)
        assert not grads["w"].any() and not grads["one"].any()


def test_ortho_grad_leaves_a_gradient_of_weights_that_are_zero_as_it_is():
    g = draw(0)["blocks.0.bias"]
    grads = {"bias": g.clone()}
    OrthoGrad().update({"bias": torch.zeros_like(g)}, grads, {}, 0.1, 1)
    torch.testing.assert_close(grads["bias"], g)


def test_clipping_is_torchs_clip_grad_norm():
    for seed in range(STEPS):
        grads, length = draw(seed), 0.05 * (1 + seed)
        params = [torch.nn.Parameter(torch.zeros_like(g)) for g in grads.values()]
        for p, g in zip(params, grads.values(), strict=True):
            p.grad = g.clone()
        torch.nn.utils.clip_grad_norm_(params, length)
        GradientClip(max_norm=length).update({}, grads, {}, 0.1, 1)
        for p, g in zip(params, grads.values(), strict=True):
            torch.testing.assert_close(g, p.grad, rtol=1e-6, atol=0)  # torch adds 1e-6 to a norm of about 13


def test_a_constant_schedule_is_the_decoupled_decay_of_torchs_adamw():
    ours, theirs = ([torch.nn.Parameter(w) for w in draw(0).values()] for _ in range(2))
    optimizer = torch.optim.AdamW(ours, lr=1e-2, weight_decay=0)
    reference = torch.optim.AdamW(theirs, lr=1e-2, weight_decay=0.7)
    rule = DecaySchedule(points=((0, 0.7),))
    for step in range(1, STEPS + 1):
        grads, rate = draw(step), 1e-2 * (1 + step % 7)
        for a, b, g in zip(ours, theirs, grads.values(), strict=True):
            a.grad, b.grad = g, g.clone()
        for group in (*optimizer.param_groups, *reference.param_groups):
            group["lr"] = rate
        with torch.no_grad():
            rule.update(dict(zip(grads, ours, strict=True)), grads, {}, rate, step)
        optimizer.step()
        reference.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=STEPS * 1e-15)  # a rounding or two of numbers near 1 per step


# Gradient noise: its law


N = 20_000  # numbers a step: the sample variance of N normal numbers is right to (2 / N) ** 0.5 = 1 %


def noise(rule, step, seed=0, shapes=None):
    params = {
        n: torch.zeros(s, dtype=torch.float64) for n, s in (shapes or {"a": (N // 2,), "b": (5, N // 10)}).items()
    }
    grads = clones(params)
    rule.update(params, grads, rule.init(params, seed), 0.1, step)
    return torch.cat([g.flatten() for g in grads.values()])


def surprise(rule, variance_at):
    """How many standard errors the sample variance of a step is off at worst, over 200 steps."""
    ratios = torch.tensor([noise(rule, t).var() / variance_at(t) for t in range(1, STEPS + 1)])
    return ((ratios - 1) / (2 / N) ** 0.5).abs().max().item()


NOISE = GradientNoise(variance=0.3, fading=0.55)


def test_the_variance_of_the_noise_fades_as_published():
    # 5 standard errors: by chance in 200 steps once in 10,000 seeds
    assert surprise(NOISE, lambda t: 0.3 / (1 + (t - 1)) ** 0.55) < 5
    assert surprise(NOISE.but(fading=0), lambda t: 0.3) < 5


@pytest.mark.parametrize(
    "wrong",
    [lambda t: 0.3 / (1 + t) ** 0.55, lambda t: 0.3 / t ** (0.55 * 2), lambda t: 0.09 / t**0.55, lambda t: 0.3],
    ids=["a step late", "fades twice as fast", "variance for deviation", "does not fade"],
)
def test_another_law_of_the_noise_is_told_apart(wrong):
    """Control for the test above."""
    assert surprise(NOISE, wrong) > 20


def unlike(noises):
    """Whether no two of them have more in common than chance allows: 5 standard errors of a correlation, 1 / N**0.5."""
    common = torch.corrcoef(torch.stack(noises)) - torch.eye(len(noises))
    return bool((common.abs() < 5 / len(noises[0]) ** 0.5).all())


def test_the_noise_is_normal_with_mean_zero():
    flat = noise(NOISE, 1) / 0.3**0.5
    uniform = (torch.rand(N, dtype=torch.float64) - 0.5) * 12**0.5  # control: another law of the same variance
    assert abs(flat.mean()) < 5 / N**0.5
    # the fourth power of a normal number has mean 3 and variance 96
    assert abs((flat**4).mean() - 3) < 5 * (96 / N) ** 0.5 < abs((uniform**4).mean() - 3)


def test_the_noise_of_another_step_seed_or_tensor_is_other_noise():
    assert unlike([noise(NOISE, step) for step in range(1, 10)])
    assert unlike([noise(NOISE, 1, seed) for seed in range(5)])
    assert unlike([*noise(NOISE, 1).split(N // 2)])
    assert not unlike([noise(NOISE, 3), noise(NOISE, 3).neg(), noise(NOISE, 4)])  # control


def test_the_same_seed_and_step_give_the_same_noise_whatever_came_before():
    rule, params = NOISE, draw(0)
    state, ends = rule.init(params, 7), []
    for start in (1, 50):
        for step in range(start, 51):
            grads = {n: torch.zeros_like(p) for n, p in params.items()}
            rule.update(params, grads, state, 0.1, step)
        ends.append(grads)
    assert all(torch.equal(ends[0][n], ends[1][n]) for n in params)
