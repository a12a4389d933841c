"""Weights of other runs as initial weights: what is filled with what, what is not, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.tiny import ADAMW, CODES, EXPERTS, MLP, RESNET, VARIANTS, live, tiny
from latebloom.base.errors import SpecError
from latebloom.engine import State, pack, prepare, start, unpack
from latebloom.engine.checkpoint import model_tensors
from latebloom.engine.weights import Weights, sha256
from latebloom.spec import RunSpec

DECAY = [{"kind": "decay_to_init"}]
CODED: dict[str, Any] = {"task": CODES, "loss": {"kind": "log2_squared_error"}, "optimizer": {**ADAMW, "kind": "adamw"}}
NARROW = {**RESNET, "hidden": 7}
FROM = {1: ["a@5"], 2: ["a@5", "b@5"], 3: ["a@5", "b@5", "c@5"]}


def begun(spec: RunSpec, *given: Weights) -> State:
    prepare(spec.threads)
    return start(spec, spec.task.split(spec.seed), given)


def after(steps: int, **changes: Any) -> dict[str, Tensor]:
    """The weights of a run from its seed."""
    spec = tiny(**changes)
    state = begun(spec)
    live(spec, state, until=steps)
    return model_tensors(pack(state))


def expert(seed: int) -> dict[str, Tensor]:
    return after(5, **CODED, model=RESNET, seed=seed)


def bits(weights: Weights) -> dict[str, bytes]:
    return {name: t.detach().numpy().tobytes() for name, t in weights.items()}


def of(state: State, part: str = "") -> dict[str, bytes]:
    """The bits of a part of the model, e.g. `experts.0.`, by name within it."""
    found = bits(state.module.state_dict())
    return {name.removeprefix(part): t for name, t in found.items() if name.startswith(part)}


@pytest.mark.parametrize("variant", ["transformer", "float64 weights", "numbers", "patches", "experts"])
def test_a_run_begins_with_the_very_bits_it_is_given(variant: str) -> None:
    source = after(5, **VARIANTS[variant])
    state = begun(tiny(**VARIANTS[variant], weights=["a@5"], seed=9), source)
    assert of(state) == bits(source) and state.step == 0
    assert of(state) != bits(after(4, **VARIANTS[variant])), "control: the step before has other weights"


def test_each_expert_begins_with_its_own_and_the_gate_as_it_would_have() -> None:
    sources = [expert(seed) for seed in (1, 2, 3)]
    alone = tiny(**CODED, model=EXPERTS, seed=9)
    state = begun(alone.but(weights=[{"run": run} for run in "abc"]), *sources)
    assert [of(state, f"experts.{place}.") for place in range(3)] == [bits(source) for source in sources]
    assert of(state, "gate.") == of(begun(alone), "gate.") != {}
    swapped = begun(alone.but(weights=[{"run": run} for run in "bac"]), sources[1], sources[0], sources[2])
    assert of(swapped, "experts.0.") == bits(sources[1]), "control: the order decides"


def test_one_run_serves_every_expert() -> None:
    source, alone = expert(1), tiny(**CODED, model=EXPERTS, seed=9)
    state = begun(alone.but(weights=[{"run": "a"}]), source)
    assert [of(state, f"experts.{place}.") for place in range(3)] == [bits(source)] * 3
    assert of(state, "gate.") == of(begun(alone), "gate.")


def test_what_decays_towards_its_beginning_decays_towards_these_weights() -> None:
    changes = {"model": MLP, "interventions": DECAY}
    source = after(5, **changes)
    state = begun(tiny(**changes, weights=["a@5"], seed=9), source)
    [remembered] = state.interventions.values()
    assert bits(remembered["initial"]) == bits(source)
    [seeds] = begun(tiny(**changes, seed=9)).interventions.values()
    assert bits(seeds["initial"]) != bits(source), "control: without them it is the seed's"


@pytest.mark.parametrize("given", [0, 2])
def test_a_spec_that_names_weights_never_trains_without_them(given: int) -> None:
    spec, source = tiny(model=MLP, weights=["a@5"]), after(5, model=MLP)
    with pytest.raises(SpecError, match=f"weights names 1 runs, but the tensors of {given} were given"):
        begun(spec, *[source] * given)
    with pytest.raises(SpecError, match="weights names 0 runs, but the tensors of 1"):
        begun(spec.but(weights=()), source)


def test_a_run_from_weights_stopped_anywhere_ends_with_the_same_bits_and_not_with_its_seeds() -> None:
    spec = tiny(**CODED, model=EXPERTS, weights=FROM[3], interventions=DECAY, seed=9, steps=9)
    sources, split = [expert(seed) for seed in (1, 2, 3)], spec.task.split(spec.seed)
    whole = begun(spec, *sources)
    live(spec, whole)
    for k in (0, 1, 6):
        state = begun(spec, *sources)
        live(spec, state, until=k)
        state = unpack(spec, split, pack(state))  # a checkpoint holds everything: no source is asked for
        live(spec, state)
        assert pack(state) == pack(whole), f"stopped at {k}"
    alone = spec.but(weights=())
    control = begun(alone)
    live(alone, control)
    assert bits(control.tensors) != bits(whole.tensors)


@pytest.mark.parametrize(
    ("model", "sources", "problem"),
    [
        (
            {**RESNET, "channels": 3},
            [RESNET],
            r"weights\[0\] \(a, step 5\) does not fit the model: stem\.0\.weight is float32 \(2, 1, 3, 3\), expected "
            r"float32 \(3, 1, 3, 3\); .*; and \d+ more",
        ),
        ({**RESNET, "blocks": 0}, [RESNET], r"the model: blocks\.0\.first\.0\.bias is unknown; .*; and 5 more"),
        (RESNET, [{**RESNET, "blocks": 0}], r"does not fit the model: blocks\.0\.first\.0\.weight is missing; "),
        (RESNET, [EXPERTS], r"does not fit the model: stem\.0\.weight is missing; "),
        (EXPERTS, [NARROW], r"^weights\[0\] \(a, step 5\) does not fit expert 0: hidden\.weight is [^\n]*$"),
        (EXPERTS, [RESNET, NARROW, RESNET], r"^weights\[1\] \(b, step 5\) does not fit expert 1: hidden\.[^\n]*$"),
        ({**EXPERTS, "gate": {"kind": "soft", "active": 3, "hidden": 4}}, [EXPERTS], r"the model: gate\.0\.weight is "),
    ],
    ids=["shape", "too many", "too few", "mixture in one", "no expert", "the second", "gate"],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused_by_place_and_tensor(
    model: dict[str, Any], sources: list[dict[str, Any]], problem: str
) -> None:
    given = [after(0, **CODED, model=source) for source in sources]
    with pytest.raises(SpecError, match=problem):
        begun(tiny(**CODED, model=model, weights=FROM[len(given)]), *given)


def test_another_type_of_number_is_refused() -> None:
    with pytest.raises(SpecError, match=r"layers\.1\.weight is float32 \(24, 24\), expected float64 \(24, 24\)"):
        begun(tiny(model={**MLP, "precision": "float64"}, weights=["a@5"]), after(0, model=MLP))


@pytest.mark.parametrize(
    ("model", "count", "expected"),
    [(MLP, 2, r"names 2 runs; model.kind = mlp takes 1$"), (EXPERTS, 2, r"takes 1, or 3: one for each expert$")],
)
def test_as_many_runs_as_there_are_places_for_are_taken(model: dict[str, Any], count: int, expected: str) -> None:
    with pytest.raises(SpecError, match=expected):
        tiny(task=CODES, model=model, weights=FROM[count])


def test_the_name_of_weights_is_that_of_their_bits_names_and_shapes() -> None:
    weights = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([[3.0], [4.0]])}
    others = [
        {**weights, "a": torch.tensor([1.0, 2.0000002])},
        {**weights, "a": torch.tensor([1.0, 2.0]).double()},
        {**weights, "b": torch.tensor([[3.0, 4.0]])},
        {"a": weights["a"], "c": weights["b"]},
        {"a": weights["a"]},
    ]
    assert len({sha256(one) for one in [weights, *others]}) == 1 + len(others)
    assert sha256(dict(reversed(weights.items()))) == sha256(weights)
