"""A run that was stopped and resumed ends with the same bits; and each part of its state is needed for that."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load, save

from engine.tiny import ACTING, DECISIVE, MLP, TRANSFORMER, VARIANTS, begin, live, tiny
from latebloom.base.errors import StoreError
from latebloom.engine import Moment, State, pack, unpack
from latebloom.interventions import INTERVENTIONS
from latebloom.spec import RunSpec, plain

TENSORS, COUNTS = "tensors.safetensors", "counts.json"
Blobs = dict[str, bytes]


def through_bytes(spec: RunSpec, state: State) -> State:
    """What another process would have in hand."""
    return unpack(spec, spec.task.split(spec.seed), pack(state))


def undisturbed(spec: RunSpec) -> tuple[Blobs, list[Moment]]:
    state = begin(spec)
    moments = live(spec, state)
    return pack(state), moments


def stopped_at(spec: RunSpec, k: int) -> State:
    state = begin(spec)
    live(spec, state, until=k)
    return state


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant not in ACTING])
def test_a_run_stopped_anywhere_and_resumed_ends_with_the_same_bits(variant: str) -> None:
    spec = tiny(**VARIANTS[variant])
    end, moments = undisturbed(spec)
    for k in (0, 1, 7, 12, 23):
        state = through_bytes(spec, stopped_at(spec, k))
        rest = live(spec, state)
        assert pack(state) == end, f"stopped at {k}"
        assert rest == moments[k + 1 :]  # readings, events, bests and the reason too


@pytest.mark.parametrize("variant", [{}, *ACTING, "all interventions"], ids=lambda name: name or "decisive")
def test_a_run_stopped_after_every_step_ends_with_the_same_bits(variant: str) -> None:
    """Every step starts from what was saved, so one that was stopped once, anywhere, ends so too."""
    spec = tiny(**(VARIANTS[variant] if variant else DECISIVE))
    end, moments = undisturbed(spec)
    state, seen = begin(spec), []
    while len(seen) < len(moments):
        seen += live(spec, state, until=state.step + bool(seen))
        state = through_bytes(spec, state)
    assert seen == moments and pack(state) == end
    assert live(spec, state) == []  # it is over, and knows it


def test_what_the_loop_prepares_holds_no_memory_of_its_own() -> None:
    """New batches, caches and views at every step, without a checkpoint between: nothing hides beside the state."""
    spec = tiny(**VARIANTS["mixture"])
    end, _ = undisturbed(spec)
    state = begin(spec)
    for k in range(spec.steps + 1):
        live(spec, state, until=k)
    assert pack(state) == end


def test_another_process_ends_with_the_same_bits(tmp_path: Path) -> None:
    spec = tiny(**VARIANTS["dropout"])
    end, _ = undisturbed(spec)
    for name, blob in pack(stopped_at(spec, 17)).items():
        (tmp_path / name).write_bytes(blob)
    (tmp_path / "spec.json").write_text(json.dumps(plain(spec)))
    program = """
import json, sys
from pathlib import Path
from latebloom.engine import pack, prepare, train, unpack
from latebloom.spec import build
folder = Path(sys.argv[1])
spec = build(json.loads((folder / "spec.json").read_text()))
prepare(spec.threads)
split = spec.task.split(spec.seed)
state = unpack(spec, split, {name: (folder / name).read_bytes() for name in ("tensors.safetensors", "counts.json")})
for _ in train(spec, split, state):
    pass
for name, blob in pack(state).items():
    (folder / name).write_bytes(blob)
"""
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True, timeout=120)
    assert {name: (tmp_path / name).read_bytes() for name in end} == end


def test_how_often_checkpoints_are_made_changes_no_bit() -> None:
    spec = tiny(**VARIANTS["dropout"])
    end, _ = undisturbed(spec)
    state = begin(spec)
    for k in range(spec.steps + 1):
        live(spec, state, until=k)
        assert pack(state) == pack(state)
    assert pack(state) == end


@pytest.mark.parametrize("variant", ["transformer", "dropout", "mixture"])
def test_how_often_it_is_measured_and_what_is_kept_changes_no_weight(variant: str) -> None:
    often = {"evaluation": {"every": 1}, "checkpoints": {"every": 1, "best": []}}
    seldom = {"evaluation": {"at": [20]}, "measures": [{"kind": "evaluation", "chunk": 5}]}
    ends = [undisturbed(tiny(**VARIANTS[variant], **cadence))[0][TENSORS] for cadence in ({}, often, seldom)]
    assert ends[0] == ends[1] == ends[2]


@pytest.mark.parametrize("variant", VARIANTS)
def test_another_seed_ends_with_other_bits(variant: str) -> None:
    """Control: equal bytes above are not equal because nothing moves."""
    ends = [undisturbed(tiny(**VARIANTS[variant], seed=seed))[0] for seed in (1, 2)]
    untrained = pack(begin(tiny(**VARIANTS[variant])))
    first, second, zero = (load(blobs[TENSORS]) for blobs in (*ends, untrained))
    assert [name for name in first if not bool((first[name] != second[name]).any()) and slot(name) not in COUNTED] == []
    assert [name for name in first if not bool((first[name] != zero[name]).any()) and slot(name) not in FIXED] == []


COUNTED = ("seen", "num_batches_tracked")  # steps, which every seed makes as many of
FIXED = ("key", "target", "initial")  # what an intervention takes from the seed or the initial weights, once


def slot(name: str) -> str:
    """`seen` of `intervention/0.grokfast_ema/seen/unembed.weight`; of weights the last word."""
    return name.split("/")[2] if name.startswith("intervention/") else name.split(".")[-1]


def test_every_intervention_is_stopped_and_resumed_here() -> None:
    assert set(ACTING) == set(INTERVENTIONS)


# Each part of the state, left out or reset. `at` is the step at which the run is stopped.

CONTROLS: dict[str, tuple[Callable[[State, State], None], dict[str, Any]]] = {
    # part of State: how a program that forgot it would go on, and where that must show
    "step": (lambda state, fresh: setattr(state, "step", state.step - 1), {}),
    "module": (lambda state, fresh: setattr(state, "module", fresh.module), {}),
    "optimizer": (lambda state, fresh: setattr(state, "optimizer", fresh.optimizer), {}),
    "interventions": (
        lambda state, fresh: setattr(state, "interventions", fresh.interventions),
        VARIANTS["grokfast_ema"],
    ),
    "detectors": (lambda state, fresh: setattr(state, "detectors", fresh.detectors), DECISIVE),
    "stopping": (lambda state, fresh: setattr(state, "stopping", fresh.stopping), DECISIVE),
    "looked_at": (lambda state, fresh: setattr(state, "looked_at", fresh.looked_at), {}),
    "batches": (lambda state, fresh: setattr(state, "batches", fresh.batches), {}),
    "ended": (lambda state, fresh: setattr(state, "ended", fresh.ended), DECISIVE),
}


def test_every_part_of_the_state_has_a_control() -> None:
    """A new part of State must be added to CONTROLS, or this fails."""
    assert {field.name for field in dataclasses.fields(State)} == set(CONTROLS)
    state = begin(tiny(**VARIANTS["all interventions"]))
    assert set(state.tensors) == {
        *(f"model/{name}" for name in state.module.state_dict()),
        *(f"optimizer/{slot}/{name}" for slot, of in state.optimizer.items() for name in of),
        *(
            f"intervention/{place}/{slot}/{name}"
            for place, memories in state.interventions.items()
            for slot, of in memories.items()
            for name in of
        ),
    }
    in_tensors = {"module", "optimizer", "interventions"}
    assert set(json.loads(pack(state)[COUNTS])) == {"schema"} | set(CONTROLS) - in_tensors


@pytest.mark.parametrize("part", CONTROLS)
def test_forgetting_a_part_of_the_state_is_noticed(part: str) -> None:
    forget, settings = CONTROLS[part]
    spec = tiny(**settings)
    end, moments = undisturbed(spec)
    last = moments[-1].step
    at = {"ended": last, "stopping": last - 3, "looked_at": 6, "batches": 16, "detectors": last - 18}.get(part, 15)
    state = stopped_at(spec, at)
    forget(state, begin(spec))
    rest = live(spec, state)
    assert (pack(state) == end) == (part == "batches")  # which no update depends on
    if part == "detectors":  # what was known is announced again
        assert [e.kind for m in moments if m.step > at for e in m.events] != [e.kind for m in rest for e in m.events]
    elif part in ("stopping", "ended"):  # the run ends late
        assert rest[-1].step > last
    elif part == "batches":  # a mean of fewer
        means = {m.step: m.readings.get("train/batch_loss") for m in moments}
        assert [m.step for m in rest if m.readings.get("train/batch_loss") != means[m.step]] == [18]
    elif part == "looked_at":  # a step is read twice
        assert rest[0].step == at
    else:
        assert pack(state)[TENSORS] != end[TENSORS]


@pytest.mark.parametrize("variant", ["transformer", "mlp with momentum", "adam", "muon", *ACTING])
def test_resetting_any_single_tensor_ends_with_other_bits(variant: str) -> None:
    spec = tiny(**VARIANTS[variant])
    stopped, later, fresh = pack(stopped_at(spec, 15)), pack(stopped_at(spec, 17)), begin(spec)
    for name, initial in fresh.tensors.items():
        state = unpack(spec, spec.task.split(spec.seed), stopped)
        state.tensors[name].copy_(0 * initial if slot(name) in FIXED else initial)  # a fixed one is lost, not reset
        live(spec, state, until=17)
        assert pack(state)[TENSORS] != later[TENSORS], name


@pytest.mark.parametrize("name", ["best:val/loss", "best:train/accuracy"])
def test_forgetting_a_best_calls_a_worse_one_best(name: str) -> None:
    spec = tiny(**VARIANTS["dropout"], steps=60)
    _, moments = undisturbed(spec)
    at = next(m.step for m, later in zip(moments, moments[3:], strict=False) if name in m.best and not later.best)
    state = stopped_at(spec, at)
    state.detectors[name] = begin(spec).detectors[name]
    rest = live(spec, state)
    assert [m.step for m in rest if name in m.best] != [m.step for m in moments if m.step > at and name in m.best]


def changed(blobs: Blobs, change: Callable[[dict[str, Any]], object]) -> Blobs:
    counts = json.loads(blobs[COUNTS])
    change(counts)
    return {**blobs, COUNTS: json.dumps(counts).encode()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_checkpoint_without_any_one_of_its_parts_is_refused(variant: str) -> None:
    spec = tiny(**{**DECISIVE, **VARIANTS[variant]})
    split, blobs = spec.task.split(spec.seed), pack(stopped_at(spec, 9))
    tensors, counts = load(blobs[TENSORS]), json.loads(blobs[COUNTS])

    def assert_refused(spoilt: Blobs, name: str) -> None:
        with pytest.raises(StoreError, match=r"does not fit|cannot be read") as refused:
            unpack(spec, split, spoilt)
        assert name in str(refused.value)

    for name in tensors:
        without = {**blobs, TENSORS: save({n: t for n, t in tensors.items() if n != name})}
        assert_refused(without, f"tensor {name} is missing")
    for name in counts.keys() - {"batches"}:
        assert_refused(changed(blobs, lambda c, name=name: c.pop(name)), name)
    for detector, parts in counts["detectors"].items():
        assert_refused(changed(blobs, lambda c, d=detector: c["detectors"].pop(d)), f"detector {detector} is missing")
        for part in parts:
            assert_refused(changed(blobs, lambda c, d=detector, p=part: c["detectors"][d].pop(p)), part)
    for part in counts["stopping"]:
        assert_refused(changed(blobs, lambda c, p=part: c["stopping"].pop(p)), part)
    for file in blobs:
        assert_refused({name: blob for name, blob in blobs.items() if name != file}, file)


def test_a_checkpoint_of_a_version_without_running_means_goes_on_to_the_same_bits() -> None:
    spec = tiny()
    end, _ = undisturbed(spec)
    earlier = changed(pack(stopped_at(spec, 16)), lambda counts: counts.pop("batches"))
    state = unpack(spec, spec.task.split(spec.seed), earlier)
    live(spec, state)
    assert pack(state) == end


def test_what_a_checkpoint_has_too_much_is_refused_too() -> None:
    spec = tiny()
    split, blobs = spec.task.split(spec.seed), pack(stopped_at(spec, 9))
    tensors = load(blobs[TENSORS])
    more = {**tensors, "optimizer/momentum/unembed.weight": tensors["model/unembed.weight"].clone()}
    with pytest.raises(StoreError, match=r"tensor optimizer/momentum/unembed.weight is unknown"):
        unpack(spec, split, {**blobs, TENSORS: save(more)})
    with pytest.raises(StoreError, match="count tempo is unknown"):
        unpack(spec, split, changed(blobs, lambda counts: counts.update(tempo=1)))


def test_wrong_shapes_and_types_are_refused_all_at_once() -> None:
    spec = tiny()
    split, blobs = spec.task.split(spec.seed), pack(stopped_at(spec, 9))
    tensors = load(blobs[TENSORS])
    tensors["model/unembed.weight"] = tensors["model/unembed.weight"][:-1].clone()
    tensors["optimizer/mean/norm.bias"] = tensors["optimizer/mean/norm.bias"].double()
    del tensors["optimizer/mean_square/norm.bias"]
    with pytest.raises(StoreError) as refused:
        unpack(spec, split, {**blobs, TENSORS: save(tensors)})
    message = str(refused.value)
    assert "model/unembed.weight has shape (6, 16) torch.float32, the spec needs (7, 16)" in message
    assert "optimizer/mean/norm.bias has shape (16,) torch.float64, the spec needs (16,) torch.float32" in message
    assert "tensor optimizer/mean_square/norm.bias is missing" in message


@pytest.mark.parametrize(
    "other",
    [{"model": MLP}, {"model": {**TRANSFORMER, "width": 32}}, {"optimizer": {"kind": "sgd"}}, {"stopping": {
        "kind": "after_generalization"}}, {"checkpoints": {"best": []}}, {"task": {**VARIANTS["mixture"]["task"]}}],
    ids=["model", "width", "optimizer", "stopping", "bests", "task"],
)  # fmt: skip
def test_a_checkpoint_of_another_spec_is_refused(other: dict[str, Any]) -> None:
    blobs = pack(stopped_at(tiny(), 9))
    spec = tiny(**other)
    with pytest.raises(StoreError, match="does not fit the run's spec"):
        unpack(spec, spec.task.split(spec.seed), blobs)


def test_a_checkpoint_of_a_later_version_is_refused() -> None:
    spec = tiny()
    blobs = changed(pack(begin(spec)), lambda counts: counts.update(schema=2))
    with pytest.raises(StoreError, match=r"schema 2, this version reads 1\. Use a newer latebloom"):
        unpack(spec, spec.task.split(spec.seed), blobs)
