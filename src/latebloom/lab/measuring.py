"""A measure read on its own: at a checkpoint of a stored run, or on a small network to see what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from ..base.component import from_dict
from ..engine import State, prepare, start, unpack
from ..engine.loop import Look
from ..measures import MEASURES, Measure, View
from ..spec import RunSpec
from ..store import StoredRun
from ..tasks import Split


class Reading(NamedTuple):
    """What a measure read, and what that cost."""

    readings: dict[str, float]
    seconds: float
    passes: float  # the same in forward passes over all examples of the run


def measured(stored: StoredRun, step: int, kind: str, settings: Mapping[str, Any]) -> Reading:
    """Read one measure at a checkpoint. Nothing is stored.

    Raises:
        SpecError: There is no such measure or setting, or it cannot read the run's task.
        StoreError: There is no such checkpoint, or it is damaged.
    """
    measure: Measure = from_dict(Measure, {"kind": kind, **settings}, "measure")
    spec: RunSpec = from_dict(RunSpec, stored.spec, f"the spec of run {stored.id}")
    prepare(spec.threads)
    split = spec.task.split(spec.seed)
    return _timed(measure, _view(spec, split, unpack(spec, split, stored.load(step)), step))


def costs() -> dict[str, float | None]:
    """What a reading of each measure costs, in forward passes over all examples: now, here, at default settings.

    On a perceptron for 529 sums modulo 23; None where that has nothing to read, e.g. no gate. There are constants in
    it: of a larger network a reading costs fewer.
    """
    task, model = {"kind": "modular", "operation": "add", "modulus": 23}, {"kind": "mlp", "width": 128}
    spec: RunSpec = from_dict(RunSpec, {"task": task, "model": model, "batch": {"size": None}})
    prepare(spec.threads)
    split = spec.task.split(spec.seed)
    view = _view(spec, split, start(spec, split), 1)
    view = replace(view, before={name: p.detach().clone() for name, p in view.module.named_parameters()})
    read = {kind: _timed(from_dict(Measure, {"kind": kind}), view) for kind in MEASURES}
    return {kind: one.passes if one.readings else None for kind, one in read.items()}


def _view(spec: RunSpec, split: Split, state: State, step: int) -> View:
    return replace(Look(spec, split, state).view, step=step)


def _timed(measure: Measure, view: View) -> Reading:
    began = time.perf_counter()
    readings = measure.read(view)
    seconds = time.perf_counter() - began
    with torch.inference_mode():
        passes = [_seconds(lambda: view.module(view.inputs_NT)) for _ in range(4)]
    if seconds < 0.2:  # the first call of anything is slower, which matters for a short one
        seconds = min(_seconds(lambda: measure.read(view)) for _ in range(2))
    return Reading(readings, seconds, seconds / min(passes))


def _seconds(call: Any) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
