"""A state as bytes and back: tensors as safetensors, everything that counts as JSON. No pickle."""

from __future__ import annotations

import json
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor

from ..base.errors import StoreError
from ..spec import RunSpec
from ..tasks import Split
from .foreign import Shapes, in_order
from .state import State, start
from .step import check_finite

TENSORS, COUNTS = "tensors.safetensors", "counts.json"
SCHEMA = 1
COUNTED = ("step", "looked_at", "batches", "ended", "stopping", "detectors")  # parts of the state that are plain data
LATER = {"batches"}  # not in checkpoints of earlier versions; without it one mean is of fewer batches, and no bit moves


def pack(state: State) -> dict[str, bytes]:
    """The state as named files. The same state gives the same bytes.

    Raises:
        DivergedError: A weight or an optimizer memory is not finite; such a state must not become the latest.
    """
    tensors = state.tensors
    check_finite(tensors, f"the state after step {state.step:,}")
    counts = {"schema": SCHEMA, **{name: getattr(state, name) for name in COUNTED}}
    return {TENSORS: save(tensors), COUNTS: json.dumps(counts, allow_nan=False).encode()}


def unpack(spec: RunSpec, split: Split, blobs: dict[str, bytes]) -> State:
    """The state that was packed, for a run of the same spec.

    Raises:
        StoreError: A part of the state is missing, unknown or of another shape. Nothing starts fresh in silence.
    """
    state = start(spec.but(weights=()), split)  # every tensor of it is replaced
    try:
        saved, counts = load(blobs[TENSORS]), json.loads(blobs[COUNTS])
        schema = counts["schema"]
    except Exception as error:  # whatever a damaged file makes the readers raise
        raise StoreError(f"the checkpoint cannot be read: {error!r}. Roll back to another one.") from None
    if schema != SCHEMA:
        raise StoreError(f"the checkpoint has schema {schema}, this version reads {SCHEMA}. Use a newer latebloom.")
    wanted = state.tensors
    problems = _differences(set(wanted), set(saved), "tensor")
    problems += _differences({"schema", *COUNTED}, set(counts) | LATER, "count")
    problems += _inside(state.detectors, counts.get("detectors", {}), "detector")
    stopping = counts.get("stopping", state.stopping)
    if spec.stopping.kind == "any_of":
        problems += _inside(state.stopping, stopping, "stopping rule")
    else:
        problems += _differences(set(state.stopping), set(stopping), "part of stopping,")
    problems += [
        f"tensor {name} has shape {tuple(saved[name].shape)} {saved[name].dtype}, the spec needs "
        f"{tuple(t.shape)} {t.dtype}"
        for name, t in wanted.items()
        if name in saved and (t.shape, t.dtype) != (saved[name].shape, saved[name].dtype)
    ]
    if problems:
        raise StoreError(f"the checkpoint does not fit the run's spec: {'; '.join(problems)}")
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(saved[name])
    for name in counts.keys() & set(COUNTED):
        setattr(state, name, counts[name])
    return state


def _differences(wanted: set[str], given: set[str], noun: str) -> list[str]:
    missing = [f"{noun} {name} is missing" for name in sorted(wanted - given)]
    return missing + [f"{noun} {name} is unknown" for name in sorted(given - wanted)]


def _inside(wanted: dict[str, Any], given: dict[str, Any], noun: str) -> list[str]:
    """The differences of two tables of states, and of each state that is in both."""
    problems = _differences(set(wanted), set(given), noun)
    for name in sorted(set(wanted) & set(given)):
        problems += _differences(set(wanted[name]), set(given[name]), f"part of {noun} {name},")
    return problems


def shapes(blobs: dict[str, bytes]) -> Shapes:
    """Names, shapes and types of a checkpoint's tensors."""
    return {n: (tuple(t.shape), str(t.dtype).removeprefix("torch.")) for n, t in load(blobs[TENSORS]).items()}


def model_tensors(blobs: dict[str, bytes]) -> dict[str, Tensor]:
    """The model's tensors by name, without the memories of optimizer and interventions."""
    tensors = load(blobs[TENSORS])
    return {name.removeprefix("model/"): t for name, t in tensors.items() if name.startswith("model/")}


def weights(blobs: dict[str, bytes]) -> dict[str, NDArray[Any]]:
    """The same in float64, in the order of the layers."""
    tensors = model_tensors(blobs)
    return {name: tensors[name].double().numpy() for name in in_order(tensors)}
