"""One optimizer step of the demo's setting against a torch.nn transformer as a user writes it, eager and compiled."""

from __future__ import annotations

import torch

from latebloom.engine import prepare, start
from latebloom.engine.step import Step
from latebloom.spec import build, read_recipe

from .result import write
from .sides import compare, interleaved
from .user import UserTransformer, user_step

ROUNDS = 60


def main() -> None:
    """Measure and write."""
    prepare(threads=1)
    specs = {name: build(read_recipe("demo"), [f"compile={name == 'compiled'}"]) for name in ("eager", "compiled")}
    split = specs["eager"].task.split(seed=1)
    inputs, labels = torch.from_numpy(split.inputs_NT), torch.from_numpy(split.labels_N)
    ours = {name: Step(spec, split, start(spec, split)) for name, spec in specs.items()}
    batch_at = ours["eager"].batches.at

    def user(*, bias: bool, fused: bool, compile_: bool = False):  # type: ignore[no-untyped-def]
        sizes = len(split.vocabulary), inputs.shape[1], len(split.label_names)
        module = UserTransformer(*sizes, layers=2, width=128, norm=True, bias=bias)
        return user_step(module, inputs, labels, lambda k: batch_at(k + 1), fused=fused, compile_=compile_)

    times = interleaved(
        {
            "latebloom": lambda _: ours["eager"].update(),
            "latebloom, compiled": lambda _: ours["compiled"].update(),
            "torch.nn as a user writes it": user(bias=True, fused=False),
            "the same without biases, fused AdamW": user(bias=False, fused=True),
            "the same as a user writes it, compiled": user(bias=True, fused=False, compile_=True),
        },
        ROUNDS,
    )
    write(
        "step",
        {"against_eager": compare(times, "latebloom"), "against_compiled": compare(times, "latebloom, compiled")},
    )


if __name__ == "__main__":
    main()
