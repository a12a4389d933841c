"""Weights that a run starts from instead of its seed's: which part of the model they are for, and whether they fit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..base.errors import SpecError
from ..models.mixture_of_experts import MixtureOfExpertsModule
from ..spec import RunSpec
from .foreign import in_order

Weights = Mapping[str, Tensor]
"""A model's tensors by name."""

MOST_NAMED = 3  # problems of one set of weights


def sha256(weights: Weights) -> str:
    """SHA-256 (hex) of names, types, shapes and bits, in the order of the names."""
    whole = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        whole.update(tensor.detach().contiguous().numpy().tobytes())
    return whole.hexdigest()


def fill(spec: RunSpec, module: nn.Module, given: Sequence[Weights]) -> None:
    """Put weights into a fresh model, in place: as many as `spec.weights` names, and in that order.

    Of a mixture's experts each gets its own, or all get the only ones; the gate keeps what it has. The only ones may
    also be those of a whole mixture.

    Raises:
        SpecError: They were not given, or do not fit; nothing is changed then.
    """
    if len(given) != len(spec.weights):
        raise SpecError(
            f"weights names {len(spec.weights)} runs, but the tensors of {len(given)} were given to start from. "
            "latebloom.run loads them from the store"
        )
    pairs = list(enumerate(given))
    targets: list[tuple[str, nn.Module]] = [("the model", module)]
    if isinstance(module, MixtureOfExpertsModule) and not any(name.startswith("experts.") for name in given[0]):
        targets = [(f"expert {place}", expert) for place, expert in enumerate(module.experts)]
        pairs *= len(targets) // len(given)
    wrong = [
        f"weights[{place}] ({spec.weights[place].run}, step {spec.weights[place].step}) does not fit {what}: {problem}"
        for (place, weights), (what, target) in zip(pairs, targets, strict=True)
        if (problem := _misfit(target.state_dict(), weights))
    ]
    if wrong:
        raise SpecError(wrong if len(given) > 1 else wrong[:1])
    with torch.no_grad():
        for (_, weights), (_, target) in zip(pairs, targets, strict=True):
            for name, tensor in target.state_dict().items():
                tensor.copy_(weights[name])


def _misfit(wanted: Weights, given: Weights) -> str:
    """How weights differ from those wanted in names, shapes and types; empty if in nothing."""
    problems = [f"{name} is missing" for name in wanted if name not in given]
    problems += [f"{name} is unknown" for name in in_order(given.keys() - wanted.keys())]
    problems += [
        f"{name} is {_shape(given[name])}, expected {_shape(tensor)}"
        for name, tensor in wanted.items()
        if name in given and _shape(given[name]) != _shape(tensor)
    ]
    more = [f"and {len(problems) - MOST_NAMED:,} more"] * (len(problems) > MOST_NAMED)
    return "; ".join([*problems[:MOST_NAMED], *more])


def _shape(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
