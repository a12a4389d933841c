"""Runs of seconds, each with other things to remember."""

from typing import Any

import torch

from latebloom.base.component import from_dict
from latebloom.engine import Moment, State, prepare, start, train
from latebloom.spec import RunSpec

Settings = dict[str, Any]

ADD: Settings = {"kind": "modular", "operation": "add", "modulus": 7}
TRANSFORMER: Settings = {"kind": "transformer", "layers": 1, "width": 16, "heads": 2}
MLP: Settings = {"kind": "mlp", "width": 24}
ADAMW: Settings = {"kind": "adamw", "learning_rate": 0.01, "weight_decay": 0.1}
MIXTURE: Settings = {
    "kind": "mixture",
    "parts": {
        "add": {"share": 2, "task": ADD},
        "divide": {"share": 1, "task": {"kind": "modular", "operation": "divide", "modulus": 5}},
    },
}

CODES: Settings = {"kind": "linear_codes", "groups": "5,3 6,4,2", "train_per_group": 12, "val_per_group": 6}
RESNET: Settings = {"kind": "resnet", "channels": 2, "blocks": 1, "hidden": 6, "beside": 16}
PATCHES: Settings = {"kind": "vision_transformer", "layers": 1, "width": 8, "heads": 2, "mlp_width": 8}
EXPERTS: Settings = {
    "kind": "mixture_of_experts",
    "experts": 3,
    "expert": RESNET,
    "gate": {"kind": "soft", "active": 3},
}

VARIANTS: dict[str, Settings] = {
    "transformer": {},
    "dropout": {"model": {**TRANSFORMER, "layers": 2, "dropout": 0.2}},
    "mlp with momentum": {"model": MLP, "optimizer": {"kind": "sgd", "learning_rate": 0.3, "momentum": 0.9}},
    "adam": {"optimizer": {"kind": "adam", "learning_rate": 0.01, "weight_decay": 1e-3}},
    "muon": {"optimizer": {"kind": "muon", "learning_rate": 0.02, "weight_decay": 0.1}},
    "mixture": {"task": MIXTURE, "batch": {"size": 15}},
    "replacement": {"batch": {"size": 16, "sampling": "replacement"}},
    "cosine": {"schedule": {"kind": "cosine", "until": 20, "warmup_steps": 5}},
    "full batch": {"batch": {"size": None}},
    "float64 loss": {"loss": {"kind": "cross_entropy", "precision": "float64"}, "model": MLP},
    "float64 weights": {"model": {**MLP, "precision": "float64"}},
    "numbers": {"task": CODES, "loss": {"kind": "squared_error"}, "model": {**RESNET, "norm": "batchnorm"}},
    "patches": {"task": CODES, "loss": {"kind": "log2_squared_error"}, "model": PATCHES},
    "experts": {"task": CODES, "loss": {"kind": "log2_squared_error", "head": "log2"}, "model": EXPERTS},
    "violations": {
        "task": {**CODES, "codewords": 4},
        "loss": {"kind": "log2_squared_error", "violation": 0.5},
        "model": RESNET,
    },
    "permutations": {"task": {"kind": "permutation", "degree": 3}, "batch": {"size": 12}},
}

ACTING: dict[str, Settings] = {  # every intervention, set so that it has acted and remembers something after 15 steps
    "grokfast_ema": {"ema_decay": 0.9},
    "grokfast_ma": {"window_steps": 5},
    "l1": {"strength": 1e-3, "per_norm": True},
    "ortho_grad": {},
    "gradient_noise": {"variance": 1e-4},
    "gradient_clip": {"max_norm": 0.1},
    "norm_rescale": {"each": "tensor"},
    "norm_clamp": {"norm": 0.9},
    "decay_to_init": {"strength": 5.0},
    "decay_schedule": {"points": [[0, 0], [20, 5]]},
}
UNDECAYED: Settings = {**ADAMW, "weight_decay": 0}  # beside decay_schedule no other decay is allowed


def acting(*kinds: str) -> list[Settings]:
    """These interventions as a recipe lists them."""
    return [{"kind": kind, **ACTING[kind]} for kind in kinds]


VARIANTS |= {kind: {"model": MLP, "optimizer": UNDECAYED, "interventions": acting(kind)} for kind in ACTING}
VARIANTS["all interventions"] = {"model": MLP, "optimizer": UNDECAYED, "interventions": acting(*ACTING)}

DECISIVE: Settings = {  # learns its training set within the run, so that detectors, bests and the stopping rule decide
    "model": MLP,
    "batch": {"size": None},
    "steps": 60,
    "detector": {"memorized_at": 0.6, "generalized_at": 0.9, "window_evaluations": 3},
    "stopping": {"kind": "after_generalization", "reading": "train/accuracy", "at_least": 0.95, "for_evaluations": 8},
}


def tiny(**changes: Any) -> RunSpec:
    """A spec that trains in a tenth of a second."""
    base: Settings = {
        "steps": 24,
        "task": ADD,
        "model": TRANSFORMER,
        "optimizer": ADAMW,
        "batch": {"size": 16},
        "evaluation": {"every": 3},
        "checkpoints": {
            "every": 5,
            "milestones": {"at": [10]},
            "best": [{"reading": "val/loss"}, {"reading": "train/accuracy", "better": "higher"}],
        },
    }
    return from_dict(RunSpec, base | changes)


def begin(spec: RunSpec) -> State:
    """The state at step 0, in a process like that of a run."""
    prepare(spec.threads)
    return start(spec, spec.task.split(spec.seed))


def live(spec: RunSpec, state: State, until: int | None = None) -> list[Moment]:
    """Train `state` to its end, or up to step `until`, and return what happened."""
    torch.manual_seed(torch.seed())  # what a global generator happens to hold must not matter
    moments = []
    for moment in train(spec, spec.task.split(spec.seed), state):
        moments.append(moment)
        if moment.step == until:
            break
    return moments
