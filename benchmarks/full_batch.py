"""One full-batch step of x + y mod 113, 30 %, one layer without LayerNorm, against torch.nn."""

from __future__ import annotations

import torch

from latebloom.engine import prepare, start
from latebloom.engine.step import Step
from latebloom.spec import build

from .result import write
from .sides import compare, interleaved
from .user import UserTransformer, user_step

SPEC = {
    "task": {"kind": "modular", "operation": "add", "modulus": 113, "train_fraction": 0.3},
    "model": {"kind": "transformer", "layers": 1, "width": 128, "heads": 4, "norm": "none"},
    "batch": {"size": None},
}
ROUNDS = 30


def main() -> None:
    """Measure and write."""
    prepare(threads=1)
    spec = build(SPEC)
    split = spec.task.split(seed=1)
    inputs, labels = torch.from_numpy(split.inputs_NT), torch.from_numpy(split.labels_N)
    train = torch.from_numpy(split.train_M)
    step = Step(spec, split, start(spec, split))

    def user(*, bias: bool, fused: bool):  # type: ignore[no-untyped-def]
        sizes = len(split.vocabulary), inputs.shape[1], len(split.label_names)
        module = UserTransformer(*sizes, layers=1, width=128, norm=False, bias=bias)
        return user_step(module, inputs, labels, lambda _: train, fused=fused, compile_=False)

    times = interleaved(
        {
            "latebloom": lambda _: step.update(),
            "torch.nn as a user writes it": user(bias=True, fused=False),
            "the same without biases, fused AdamW": user(bias=False, fused=True),
        },
        ROUNDS,
    )
    write("full_batch", {"examples": len(train), "against_eager": compare(times, "latebloom")})


if __name__ == "__main__":
    main()
