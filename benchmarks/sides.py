"""Time several sides against each other: in turn, in one process, so that a noisy machine disturbs all alike."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(sides: Mapping[str, Callable[[int], object]], rounds: int, warm_up: int = 5) -> dict[str, list[float]]:
    """Seconds of each call `side(round)`, after some uncounted rounds.

    The order is drawn anew in each round: a side that leaves the caches full of its own data slows down its successor.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    order, chance = list(sides), random.Random(0)
    for round_ in range(-warm_up, rounds):
        chance.shuffle(order)
        for name in order:
            began = time.perf_counter()
            sides[name](round_ + warm_up)
            if round_ >= 0:
                times[name].append(time.perf_counter() - began)
    return times


def compare(times: Mapping[str, list[float]], ours: str) -> dict[str, dict[str, float]]:
    """Median milliseconds of each side, and the median over rounds of its time divided by ours."""
    return {
        name: {
            "median_ms": round(1e3 * statistics.median(seconds), 2),
            "times_ours": round(statistics.median(a / b for a, b in zip(seconds, times[ours], strict=True)), 3),
        }
        for name, seconds in times.items()
    }
