"""What one reading of the Fourier measures costs on the model of Nanda et al. (2023): addition mod 113."""

from __future__ import annotations

import statistics
import time

import torch

from latebloom.engine.loop import Look
from latebloom.engine.state import start
from latebloom.measures import Fourier
from latebloom.spec import RunSpec

from .result import write

ROUNDS = 9


def main() -> None:
    """Measure and write."""
    torch.set_num_threads(1)
    spec = RunSpec.model_validate(
        {
            "task": {"kind": "modular", "operation": "add", "modulus": 113, "train_fraction": 0.3},
            "model": {"kind": "transformer", "layers": 1, "width": 128, "heads": 4, "norm": "none"},
        }
    )
    split = spec.task.split(spec.seed)
    view, measure = Look(spec, split, start(spec, split)).view, Fourier()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        measure.read(view)
        times.append(time.perf_counter() - began)
    write("fourier", {"one reading, seconds": round(statistics.median(times), 3)})


if __name__ == "__main__":
    main()
