"""What a gradient filter costs at the demo's setting, ours beside the published definition written out plainly."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from latebloom.engine import prepare, start
from latebloom.engine.step import Step
from latebloom.spec import build, read_recipe

from .result import write
from .sides import compare, interleaved

ROUNDS = 200
WINDOW = 100  # both windows are full before anything is counted
ALPHA, LAMBDA = 0.98, 2.0  # as the paper calls them


def main() -> None:
    """Measure and write."""
    prepare(threads=1)
    plainly = {"EMA as published": _ema(), "MA of 100 as published": _ma()}
    ours = {"no filter": "[]", "EMA": "[grokfast_ema]", "MA of 100": f"[{{kind: grokfast_ma, window_steps: {WINDOW}}}]"}
    sides: dict[str, Callable[[int], object]] = {}
    for name in (*ours, *plainly):
        spec = build(read_recipe("demo"), [f"interventions={ours.get(name, '[]')}"])
        split = spec.task.split(seed=1)
        step = Step(spec, split, start(spec, split))
        if name in plainly:
            step.before = [(name, plainly[name])]  # type: ignore[list-item]  # has all of an intervention that is used
            step.state.interventions = {name: {}}
        sides[name] = lambda _, step=step: step.update()  # type: ignore[misc]
    write("filters", {"against_no_filter": compare(interleaved(sides, ROUNDS, warm_up=WINDOW + 5), "no filter")})


class Filter:
    """Looks like an intervention to a step; holds its memory itself, as the published code does."""

    def __init__(self, change: Callable[[str, Tensor], Tensor]) -> None:
        self.change = change

    def update(self, params: object, grads: dict[str, Tensor], state: object, lr: float, step: int) -> None:
        """Replace every gradient."""
        for name, gradient in grads.items():
            grads[name] = self.change(name, gradient)


def _ema() -> Filter:
    slow: dict[str, Tensor] = {}

    def change(name: str, gradient: Tensor) -> Tensor:
        slow[name] = slow.get(name, gradient) * ALPHA + gradient * (1 - ALPHA)
        return gradient + slow[name] * LAMBDA

    return Filter(change)


def _ma() -> Filter:
    windows: dict[str, deque[Tensor]] = {}

    def change(name: str, gradient: Tensor) -> Tensor:
        window = windows.setdefault(name, deque(maxlen=WINDOW))
        window.append(gradient)
        if len(window) < WINDOW:
            return gradient
        return gradient + torch.stack(list(window)).mean(0) * LAMBDA

    return Filter(change)


if __name__ == "__main__":
    main()
