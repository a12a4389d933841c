"""Reading is not training: a run that is watched by every measure ends with the bits of one that is not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.tiny import MLP, TRANSFORMER, begin, live, tiny
from latebloom.engine.loop import Look
from latebloom.measures import MEASURES
from measures.codes import CODES

CADENCE = {"cadence": {"every": 8}}
QUICK = {  # what keeps a reading short
    "local_complexity": {"points": 6, "directions": 2},
    "sharpness": {"iterations": 3},
    "local_learning_coefficient": {"draws": 2, "burn_in": 1},
}
EVERY = [{"kind": kind, **CADENCE, **QUICK.get(kind, {})} for kind in MEASURES]
RUNS = {
    "transformer": {"model": {**TRANSFORMER, "layers": 2, "dropout": 0.2}},
    "mlp": {"model": MLP, "interventions": [{"kind": "gradient_noise", "variance": 1e-4}]},
    "float64": {"model": {**MLP, "precision": "float64"}, "optimizer": {"kind": "sgd", "momentum": 0.9}},
}


def ended(**changes):
    """Every tensor at the end of a run."""
    spec = tiny(steps=16, evaluation={"every": 8}, **changes)
    state = begin(spec)
    live(spec, state)
    return {name: tensor.clone() for name, tensor in state.tensors.items()}


@pytest.mark.parametrize("run", RUNS)
def test_a_run_with_every_measure_ends_with_the_bits_of_a_run_with_none_but_evaluation(run):
    watched = ended(measures=EVERY, **RUNS[run])
    alone = ended(measures=[{"kind": "evaluation", **CADENCE}], **RUNS[run])
    assert watched.keys() == alone.keys() and all(torch.equal(watched[name], alone[name]) for name in alone)


def test_on_numbers_a_mixture_that_is_watched_ends_with_the_bits_of_one_that_is_not():
    on = {
        "task": {**CODES, "codewords": 3},
        "model": {
            "kind": "mixture_of_experts",
            "experts": 2,
            "expert": {"kind": "resnet", "channels": 2, "blocks": 0, "hidden": 8, "dropout": 0.2},
        },
        "loss": {"kind": "log2_squared_error", "head": "raw"},
    }
    of_numbers = ("dead_outputs", "orbit_variance", "gate_usage", "violations")
    kinds = ("evaluation", *of_numbers, "linear_probe", "neural_collapse")
    watched = ended(measures=[{"kind": kind, **CADENCE} for kind in kinds], **on)
    alone = ended(measures=[{"kind": "evaluation", **CADENCE}], **on)
    assert watched.keys() == alone.keys() and all(torch.equal(watched[name], alone[name]) for name in alone)


def test_a_measure_that_moved_one_weight_would_be_noticed(monkeypatch):
    """Control."""
    nudging, plain = MEASURES["gradient_norm"], MEASURES["gradient_norm"].read

    def read(self, view):
        with torch.no_grad():
            next(view.module.parameters()).flatten()[0].add_(1e-6)
        return plain(self, view)

    alone = ended(measures=[{"kind": "evaluation", **CADENCE}], **RUNS["mlp"])
    monkeypatch.setattr(nudging, "read", read)
    watched = ended(measures=EVERY, **RUNS["mlp"])
    assert not all(torch.equal(watched[name], alone[name]) for name in alone)


@pytest.mark.parametrize("kind", MEASURES)
def test_no_measure_leaves_a_trace_on_the_model(kind):
    spec = tiny(measures=EVERY, model={**TRANSFORMER, "dropout": 0.2})
    state = begin(spec)
    view = Look(spec, spec.task.split(spec.seed), state).view
    state.module.train()
    state.module.blocks[0].eval()
    modes = [part.training for part in state.module.modules()]
    measure = next(one for one in spec.measures if one.kind == kind)
    torch.manual_seed(1)
    drawn, before = torch.get_rng_state(), {n: t.clone() for n, t in state.module.state_dict().items()}
    readings = measure.read(view)
    assert torch.equal(drawn, torch.get_rng_state()) and torch.is_grad_enabled()
    assert all(torch.equal(before[name], tensor) for name, tensor in state.module.state_dict().items())
    assert all(p.grad is None and not p._backward_hooks for p in state.module.parameters())
    assert not any(_hooked(part) for part in state.module.modules())
    assert modes == [part.training for part in state.module.modules()] or kind == "evaluation"  # it sets the whole
    assert readings == measure.read(view)  # and what it reads is a function of the weights


def _hooked(part: nn.Module) -> bool:
    return bool(part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or "forward" in vars(part))
