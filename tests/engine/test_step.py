"""One update: what is refused, what is left untouched, and what evaluation reads."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.tiny import CODES, MIXTURE, MLP, TRANSFORMER, begin, live, tiny
from latebloom.base.errors import DivergedError, SpecError
from latebloom.engine import State, pack, train
from latebloom.engine.loop import Look
from latebloom.engine.step import Step, check_finite
from latebloom.spec import RunSpec

NAN, INF = math.nan, math.inf
STEPS = 8
FULL: dict[str, Any] = {"steps": STEPS, "batch": {"size": None}, "evaluation": {"every": 1000}, "measures": [
    {"kind": "evaluation"}]}  # fmt: skip


def bits(state: State) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in state.tensors.items()}


def train_with(spec: RunSpec, state: State, sabotage: Callable[[int], None]) -> None:
    """Train to the end; `sabotage(k)` comes between update k and update k + 1."""
    for moment in train(spec, spec.task.split(spec.seed), state):
        sabotage(moment.step)


def spoil(tensor: Tensor, value: float) -> None:
    with torch.no_grad():
        tensor.view(-1)[0] = value


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("k", range(STEPS))
def test_a_loss_that_is_not_finite_stops_the_run_before_anything_moves(k: int, value: float) -> None:
    spec = tiny(**FULL)
    split, state = spec.task.split(spec.seed), begin(spec)
    step = Step(spec, split, state)
    for _ in range(k):
        step.update()
    before = bits(state)
    step.loss_of = lambda fed, labels_B: state.params["unembed.weight"].sum() * 0 + value
    with pytest.raises(DivergedError, match=f"the loss of step {k + 1} is {value}, from a state that is finite"):
        step.update()
    assert state.step == k and bits(state) == before


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("name", ["unembed.weight", "embed.position.weight", "blocks.0.mlp.in.weight", "norm.bias"])
@pytest.mark.parametrize("k", range(STEPS))
def test_one_bad_gradient_element_stops_the_run_before_anything_moves(k: int, name: str, value: float) -> None:
    spec = tiny(**FULL)
    split, state = spec.task.split(spec.seed), begin(spec)
    step = Step(spec, split, state)
    for _ in range(k):
        step.update()
    before, shape = bits(state), state.params[name].shape

    def poison(grad: Tensor) -> Tensor:
        grad = grad.clone()
        spoil(grad, value)
        return grad

    state.params[name].register_hook(poison)
    told = rf"the gradient of step {k + 1} is not finite in {name} \(1 of {math.prod(shape):,} numbers\)$"
    with pytest.raises(DivergedError, match=told):
        step.update()
    assert state.step == k and bits(state) == before


@pytest.mark.parametrize("settings", [{}, {"model": MLP, "optimizer": {"kind": "sgd", "momentum": 0.9}},
                                      {"optimizer": {"kind": "muon"}}], ids=["adamw", "sgd", "muon"])  # fmt: skip
@pytest.mark.parametrize("value", [NAN, INF])
def test_any_bad_weight_or_memory_is_named_and_never_saved(settings: dict[str, Any], value: float) -> None:
    """Every tensor of the state, spoilt after every step: found when it reaches the loss, else before it is read."""
    spec = tiny(**FULL, **settings)
    names = list(begin(spec).tensors)
    for n, name in enumerate(names):
        k = n % (STEPS - 1)
        state = begin(spec)
        with pytest.raises(DivergedError) as stopped:
            train_with(spec, state, lambda step, s=state, k=k, n=name: step == k and spoil(s.tensors[n], value))
        assert "not finite in" in str(stopped.value), name
        with pytest.raises(DivergedError, match=f"the state after step {state.step}"):
            pack(state)


@pytest.mark.parametrize("k", range(STEPS))
@pytest.mark.parametrize("name", ["model/unembed.weight", "model/blocks.0.attention.value.weight", "model/norm.bias"])
def test_a_bad_weight_stops_the_run_at_the_next_step_and_is_named(name: str, k: int) -> None:
    spec = tiny(**FULL)
    state = begin(spec)
    told = rf"the loss of step {k + 1} is nan: the state before it is not finite in {name} \(1 of"
    with pytest.raises(DivergedError, match=told):
        train_with(spec, state, lambda step: step == k and spoil(state.tensors[name], NAN))
    assert state.step == k


@pytest.mark.parametrize("k", [0, 1, 6])
@pytest.mark.parametrize("slot", ["mean", "mean_square"])
@pytest.mark.parametrize("value", [NAN, INF])
def test_a_bad_memory_is_found_at_the_next_evaluation_and_named(slot: str, value: float, k: int) -> None:
    """Infinity in Adam's mean square freezes one weight and never reaches the loss: only looking finds it."""
    spec = tiny(**{**FULL, "evaluation": {"every": 1}})
    state = begin(spec)
    name = f"optimizer/{slot}/unembed.weight"
    with pytest.raises(DivergedError, match=rf"the state after step {k + 1} is not finite in .*{name} \(1 of"):
        train_with(spec, state, lambda step: step == k and spoil(state.tensors[name], value))


def test_bad_training_data_stops_the_run_at_its_first_use() -> None:
    """Weights that overflow float32 on the way forward: the data are fine, the sums are not."""
    spec = tiny(**FULL, model=MLP)
    state = begin(spec)
    with torch.no_grad():
        state.params["layers.1.weight"].fill_(3e38)
        state.params["layers.0.bias"].fill_(1e3)
    with pytest.raises(DivergedError, match=r"the loss of step 1 is (nan|inf), from a state that is finite"):
        live(spec, state)
    assert state.step == 0


def test_check_finite_names_every_tensor_and_counts() -> None:
    tensors = {"a": torch.ones(3), "b": torch.tensor([1.0, NAN, INF]), "c": torch.full((1200,), -INF)}
    with pytest.raises(
        DivergedError, match=r"^this is not finite in b \(2 of 3 numbers\), c \(1,200 of 1,200 numbers\)$"
    ):
        check_finite(tensors, "this")
    check_finite({"a": torch.ones(3)}, "this")


@pytest.mark.parametrize("type_", [torch.float32, torch.float64])
def test_large_numbers_whose_norm_overflows_are_no_false_alarm(type_: torch.dtype) -> None:
    large = torch.full((4,), torch.finfo(type_).max, dtype=type_)
    assert not large.norm().isfinite()
    check_finite({"large": large}, "this")


# What evaluation reads


def spelled_out(spec: RunSpec, state: State, cut: str, part: str | None = None) -> tuple[float, float]:
    """Accuracy and loss by the definition: one example at a time through `forward`."""
    split = spec.task.split(spec.seed)
    parts = [split.parts[part]] if part else split.parts.values()
    examples = [i for one in parts for i in getattr(one, f"{cut}_M").tolist()]
    state.module.eval()
    right, loss = 0, 0.0
    for i in examples:
        logits = state.module(torch.from_numpy(split.inputs_NT[i : i + 1])).detach().double()[0]
        label = int(split.labels_N[i])
        right += int(logits.argmax()) == label
        loss += float(logits.logsumexp(0) - logits[label])
    state.module.train()
    return right / len(examples), loss / len(examples)


@pytest.mark.parametrize(
    "settings",
    [{}, {"model": MLP}, {"model": {**TRANSFORMER, "dropout": 0.3}}, {"task": MIXTURE, "batch": {"size": 15}},
     {"measures": [{"kind": "evaluation", "chunk": 5}]}],
    ids=["transformer", "mlp", "dropout", "mixture", "chunks"],
)  # fmt: skip
def test_evaluation_is_a_plain_loop_over_all_examples(settings: dict[str, Any]) -> None:
    spec = tiny(**settings)
    state = begin(spec)
    readings = live(spec, state)[-1].readings
    parts = list(spec.task.split(spec.seed).parts)
    for cut in ("train", "val"):
        for part in [None, *parts] if len(parts) > 1 else [None]:
            accuracy, loss = spelled_out(spec, state, cut, part)
            suffix = f"/{part}" if part else ""
            assert readings[f"{cut}/accuracy{suffix}"] == accuracy
            assert readings[f"{cut}/loss{suffix}"] == pytest.approx(loss, rel=2e-5)  # float32 logits, other order


def test_the_reading_of_a_mixture_is_the_mean_over_all_its_examples() -> None:
    """49 additions and 20 divisions count by their number, not half and half."""
    spec = tiny(task=MIXTURE, batch={"size": 15})
    readings = live(spec, begin(spec))[-1].readings
    counts = {name: len(part.val_M) for name, part in spec.task.split(spec.seed).parts.items()}
    assert counts["add"] != counts["divide"]
    for what in ("accuracy", "loss"):
        weighted = sum(count * readings[f"val/{what}/{name}"] for name, count in counts.items()) / sum(counts.values())
        assert readings[f"val/{what}"] == pytest.approx(weighted, rel=1e-12)


def test_weight_norm_is_the_root_of_the_sum_of_squares() -> None:
    spec = tiny()
    state = begin(spec)
    readings = live(spec, state)[-1].readings
    squares = sum(float(p.detach().double().square().sum()) for p in state.module.parameters())
    assert readings["weight_norm/l2"] == pytest.approx(math.sqrt(squares), rel=1e-6)


@pytest.mark.parametrize("was_training", [True, False])
def test_looking_leaves_mode_weights_and_generators_as_they_were(was_training: bool) -> None:
    spec = tiny(model={**TRANSFORMER, "dropout": 0.3})
    state = begin(spec)
    state.module.train(was_training)
    before, generator = bits(state), torch.get_rng_state()
    first = Look(spec, spec.task.split(spec.seed), state)()
    assert state.module.training is was_training and bits(state) == before
    assert bool((torch.get_rng_state() == generator).all())
    assert all(p.grad is None for p in state.module.parameters())
    assert Look(spec, spec.task.split(spec.seed), state)().readings == first.readings  # dropout is off


def test_dropout_draws_anew_at_every_step_and_alike_at_the_same_step() -> None:
    spec = tiny(model={**TRANSFORMER, "dropout": 0.5}, batch={"size": None}, optimizer={
        "kind": "sgd", "learning_rate": 1e-30})  # fmt: skip
    losses = []
    for _ in range(2):
        state = begin(spec)
        step = Step(spec, spec.task.split(spec.seed), state)
        losses.append([step.update() for _ in range(4)])
    assert losses[0] == losses[1] and len(set(losses[0])) == 4


def test_violations_are_added_to_what_is_minimised_and_not_to_the_loss_that_is_read() -> None:
    """One full batch; the difference of the two objectives is the weight times the mean shortfall, by hand."""
    task = {**CODES, "codewords": 4}
    objectives, readings = {}, {}
    for weight in (0.0, 0.5):
        loss = {"kind": "log2_squared_error", "head": "log2", "violation": weight}
        spec = tiny(task=task, loss=loss, model=MLP, batch={"size": None}, steps=1, evaluation={"every": 1})
        split, state = spec.task.split(spec.seed), begin(spec)
        answers_M = state.module(torch.from_numpy(split.inputs_NT)[split.train_M])[:, 0].detach().double()
        readings[weight] = next(iter(train(spec, split, state))).readings
        objectives[weight] = Step(spec, split, state).update()
    assert split.floors_N is not None
    shortfall = (torch.from_numpy(split.floors_N)[split.train_M] - answers_M).clamp(min=0).mean().item()
    assert shortfall > 0.5 and objectives[0.5] - objectives[0.0] == pytest.approx(0.5 * shortfall, rel=1e-5)
    assert readings[0.0] == readings[0.5]


def test_violations_of_what_nobody_knows_are_refused() -> None:
    loss = {"kind": "log2_squared_error", "violation": 0.5}
    with pytest.raises(SpecError, match=r"violation = 0\.5 needs .* set task\.codewords"):
        begin(tiny(task=CODES, loss=loss, model=MLP))


def test_the_running_mean_is_that_of_the_batches_since_the_last_evaluation() -> None:
    """What a loop that adds up its losses would have printed, beside a loss of all examples at the same weights."""
    spec = tiny(steps=7, evaluation={"every": 3})
    split, state = spec.task.split(spec.seed), begin(spec)
    step = Step(spec, split, state)
    losses = [step.update() for _ in range(7)]
    told = {m.step: m.readings.get("train/batch_loss") for m in live(spec, begin(spec))}
    means = {3: sum(losses[:3]) / 3, 6: sum(losses[3:6]) / 3, 7: losses[6]}
    assert {at: mean for at, mean in told.items() if mean is not None} == pytest.approx(means, rel=1e-12)
    full = tiny(**{**FULL, "evaluation": {"every": 1}})
    moments = live(full, begin(full))  # in full batches it is the loss before the update, no other
    for before, after in pairwise(moments):
        assert after.readings["train/batch_loss"] == pytest.approx(before.readings["train/loss"], rel=1e-5)
