"""Interventions inside a step: where each acts, what is read of them, and what is refused."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.tiny import ACTING, ADAMW, MLP, UNDECAYED, acting, begin, live, tiny
from latebloom.base.errors import DivergedError, SpecError
from latebloom.engine import pack
from latebloom.engine.step import Step
from latebloom.spec import build, parse_recipe, to_yaml

RATE, STEPS = 0.5, 10
SETTINGS: dict[str, dict[str, Any]] = {  # as listed: places shuffled, the two filters in the order in which they act
    "norm_rescale": {"norm": 0.97},
    "decay_schedule": {"points": [[0, 0.1]]},
    "gradient_clip": {"max_norm": 0.05},
    "grokfast_ema": {"ema_decay": 0.8},
    "l1": {"strength": 0.3, "per_norm": True},
}
ORDER = ("l1", "gradient_clip", "grokfast_ema", "decay_schedule", "sgd", "norm_rescale")  # as `engine/step.py` has it
WRONG = {
    "penalty after a filter": ("gradient_clip", "l1", "grokfast_ema", "decay_schedule", "sgd", "norm_rescale"),
    "filters swapped": ("l1", "grokfast_ema", "gradient_clip", "decay_schedule", "sgd", "norm_rescale"),
    "decay before the penalty": ("decay_schedule", "l1", "gradient_clip", "grokfast_ema", "sgd", "norm_rescale"),
    "decay after the optimizer": ("l1", "gradient_clip", "grokfast_ema", "sgd", "decay_schedule", "norm_rescale"),
    "norm before the optimizer": ("l1", "gradient_clip", "grokfast_ema", "decay_schedule", "norm_rescale", "sgd"),
}


def length(tensors: list[Tensor]) -> float:
    return math.sqrt(sum(float(t.square().sum()) for t in tensors))


def by_hand(order: tuple[str, ...]) -> dict[str, Tensor]:
    """The weights after a few steps in which these things happen in this order, in float64."""
    spec = tiny(model=MLP, batch={"size": None})
    split, module = spec.task.split(spec.seed), begin(spec).module.double()
    inputs, labels = (torch.from_numpy(t[split.train_M]) for t in (split.inputs_NT, split.labels_N))
    w = {name: p.detach().clone() for name, p in module.named_parameters()}
    held, slow = 0.97 * length(list(w.values())), None
    for _ in range(STEPS):
        leaves = {name: t.requires_grad_() for name, t in w.items()}
        loss = F.cross_entropy(torch.func.functional_call(module, leaves, inputs), labels)
        g = dict(zip(w, torch.autograd.grad(loss, list(leaves.values())), strict=True))
        w = {name: t.detach() for name, t in w.items()}
        for what in order:
            if what == "l1":
                price = 0.3 / length(list(w.values()))
                g = {n: g[n] + price * w[n].sign() for n in g}
            elif what == "gradient_clip":
                factor = min(1, 0.05 / length(list(g.values())))
                g = {n: g[n] * factor for n in g}
            elif what == "grokfast_ema":
                slow = {n: 0.8 * slow[n] + 0.2 * g[n] for n in g} if slow else g
                g = {n: g[n] + 2 * slow[n] for n in g}
            elif what == "decay_schedule":
                w = {n: (1 - RATE * 0.1) * w[n] for n in w}
            elif what == "sgd":
                w = {n: w[n] - RATE * g[n] for n in w}
            else:
                factor = held / length(list(w.values()))
                w = {n: w[n] * factor for n in w}
    return w


def apart(order: tuple[str, ...]) -> float:
    """Largest difference between the engine's weights and those by hand."""
    listed = [{"kind": kind, **settings} for kind, settings in SETTINGS.items()]
    sgd = {"kind": "sgd", "learning_rate": RATE}
    spec = tiny(model=MLP, batch={"size": None}, optimizer=sgd, steps=STEPS, interventions=listed)
    state = begin(spec)
    live(spec, state)
    hand = by_hand(order)
    return max(float((p.detach() - hand[name]).abs().max()) for name, p in state.params.items())


def test_penalty_filters_in_their_order_decay_optimizer_projection() -> None:
    assert apart(ORDER) < 1e-5  # float32 against float64: some ten roundings of numbers near 1 in each of ten steps


@pytest.mark.parametrize("order", WRONG)
def test_another_order_is_told_apart(order: str) -> None:
    """Control for the test above."""
    assert apart(WRONG[order]) > 1e-3


# What is read


@pytest.mark.parametrize("per_norm", [False, True])
def test_the_penalty_is_read_at_the_weights_at_which_everything_is_read(per_norm: bool) -> None:
    spec = tiny(interventions=[{"kind": "l1", "strength": 0.01, "per_norm": per_norm}], evaluation={"every": 1})
    state = begin(spec)
    for moment in live(spec, state, until=5)[-1:]:
        weights = [p.detach().double() for p in state.params.values()]
        price = 0.01 * sum(float(w.abs().sum()) for w in weights)
        assert moment.readings["penalty/l1"] == pytest.approx(price / (length(weights) if per_norm else 1), rel=1e-5)


def test_a_run_without_a_penalty_has_no_reading_of_one() -> None:
    spec = tiny(interventions=["grokfast_ema"])
    assert not [name for moment in live(spec, begin(spec)) for name in moment.readings if "penalty" in name]


def test_the_loss_that_is_read_is_the_loss_without_the_penalty() -> None:
    """So that runs with and without one can be compared."""
    first = [live(spec, begin(spec), until=0)[0].readings for spec in (tiny(), tiny(interventions=["l1"]))]
    assert first[1].pop("penalty/l1") > 0
    assert first[0] == first[1]


# What is refused


def test_a_bad_gradient_stops_the_run_before_any_intervention_remembers_it() -> None:
    spec = tiny(model=MLP, optimizer=UNDECAYED, interventions=acting(*ACTING))
    state = begin(spec)
    step = Step(spec, spec.task.split(spec.seed), state)
    for _ in range(7):
        step.update()
    before = pack(state)
    state.params["unembed.bias"].register_hook(lambda grad: grad * torch.nan)
    with pytest.raises(DivergedError, match=r"the gradient of step 8 is not finite in unembed\.bias"):
        step.update()
    assert pack(state) == before


@pytest.mark.parametrize("kind", ACTING)
def test_what_is_not_finite_in_a_memory_is_found_named_and_never_saved(kind: str) -> None:
    spec = tiny(model=MLP, optimizer=UNDECAYED, interventions=acting(kind), evaluation={"every": 1})
    fresh = begin(spec).tensors.items()
    for name in [n for n, t in fresh if n.startswith("intervention/") and t.is_floating_point()]:
        state = begin(spec)
        live(spec, state, until=3)
        state.tensors[name].view(-1)[0] = torch.nan
        with pytest.raises(DivergedError, match="the state after step 3 is not finite in .*" + name):
            pack(state)
        with pytest.raises(DivergedError, match="not finite in"):
            live(spec, state)


def test_two_decays_at_once_are_refused() -> None:
    with pytest.raises(SpecError, match=r"optimizer\.weight_decay = 0\.1 would act beside decay_schedule; set it to 0"):
        tiny(interventions=acting("decay_schedule"))
    assert ADAMW["weight_decay"] == 0.1 and tiny(interventions=acting("decay_to_init"))  # pulls elsewhere


def test_a_recipe_and_an_assignment_name_them_by_word_or_by_table() -> None:
    spec = build(tiny(), ["interventions=[grokfast_ema, {kind: l1, strength: 1e-4}]"])
    assert spec.interventions == tiny(interventions=["grokfast_ema", {"kind": "l1", "strength": 1e-4}]).interventions
    assert build(parse_recipe(to_yaml(spec), "here.yaml")) == spec


def test_two_penalties_of_a_kind_are_read_as_their_sum() -> None:
    one, two = (
        live(spec := tiny(interventions=[{"kind": "l1", "strength": price} for price in prices]), begin(spec))[0]
        for prices in ((3e-4,), (1e-4, 2e-4))
    )
    assert two.readings["penalty/l1"] == pytest.approx(one.readings["penalty/l1"], rel=1e-6)
