"""All exact m-heights of a matrix beside one answer of the network that was to stand in for them."""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch

from latebloom.algebra.analog_codes import heights
from latebloom.engine import prepare
from latebloom.models import ResNet, Shape

from . import result

CODES = ((9, 4), (9, 5), (9, 6), (10, 4), (10, 5), (10, 6))
BATCH, ROUNDS = 1024, 7


def main() -> None:
    """Measure and write."""
    prepare(threads=1)
    model = ResNet(channels=64, blocks=5).build(Shape(0, 39, 1), seed=0).eval()
    inputs_BT = torch.randn(BATCH, 39, generator=torch.Generator().manual_seed(0))
    chance = np.random.default_rng(0)
    matrices = {f"[{n}, {k}]": chance.uniform(-100, 100, (BATCH, k, n - k)) for n, k in CODES}
    sides = {code: lambda P=P: heights(P) for code, P in matrices.items()} | {"network": lambda: model(inputs_BT)}
    times: dict[str, list[float]] = {side: [] for side in sides}
    with torch.inference_mode():
        for number in range(ROUNDS + 1):
            for side, work in sides.items():
                began = time.process_time()
                work()
                took = 1e6 * (time.process_time() - began) / BATCH
                times[side] += [took] if number else []  # the first round only warms up
    median = {side: round(statistics.median(found), 2) for side, found in times.items()}
    result.write(
        "surrogate",
        {
            "parameters of the network": sum(p.numel() for p in model.parameters()),
            "batch": BATCH,
            "microseconds for one answer of the network": median.pop("network"),
            "microseconds for all heights of a matrix": median,
        },
    )


if __name__ == "__main__":
    main()
