"""All m-heights of a linear code, exact, beside linear programs and the package of the formula's authors."""

from __future__ import annotations

import importlib.util
import operator
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latebloom.algebra.analog_codes import heights
from latebloom.algebra.analog_codes.programs import (
    Program,
    classic_count,
    classic_programs,
    reduced_count,
    reduced_programs,
)
from latebloom.algebra.analog_codes.random_codes import GROUPS, draw
from latebloom.datasets.linear_codes import Shard, write
from latebloom.engine import prepare

from . import result

CODES = ((9, 4), (9, 5), (9, 6), (10, 4), (10, 5), (10, 6), (12, 6))
BATCH, ROUNDS, PROGRAMS = 1024, 7, 6  # matrices at once; rounds; programs solved in a round, for each m
PER_GROUP = 20_000

Floats = NDArray[np.float64]


def main() -> None:
    """Measure and write."""
    prepare(threads=1)
    theirs = importlib.util.find_spec("analog_ecc_heights")
    measured: dict[str, Any] = {"clock": "processor time of one thread", "batch": BATCH}
    measured["package"] = f"analog-ecc-heights {version('analog-ecc-heights')}" if theirs else None
    if not theirs:
        print("heights: without the package of the formula's authors: pip install analog-ecc-heights==0.1.2")
    measured["codes"] = {f"[{n}, {k}]": _code(n, k, bool(theirs)) for n, k in CODES}
    measured["data set"] = _data_set()
    result.write("heights", measured)


def _code(n: int, k: int, theirs: bool) -> dict[str, float]:
    """Microseconds a matrix, of all its heights with 2 <= m <= n - k, and how many times that the others take."""
    chance = np.random.default_rng(n * k)
    P = chance.uniform(-100, 100, (BATCH, k, n - k))
    ms = range(2, n - k + 1)
    others: dict[str, Callable[[], float]] = {
        "classic programs": lambda: _by_programs(
            chance, n, k, {m: (classic_programs, classic_count(n, m)) for m in ms}
        ),
        "reduced programs": lambda: _by_programs(
            chance, n, k, {m: (reduced_programs, reduced_count(n, m)) for m in ms}
        ),
    }
    if theirs:
        others["the package"] = lambda: _by_package(chance, n, k)
    heights(P)
    ours: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in others}
    for _ in range(ROUNDS):
        ours.append(_seconds(lambda: heights(P)) / BATCH)
        for name, other in others.items():
            times[name].append(other())
    told = {"microseconds": round(1e6 * statistics.median(ours), 2)}
    for name, seconds in times.items():
        told[f"{name}, s"] = float(f"{statistics.median(seconds):.3g}")
        told[f"{name}, times ours"] = float(f"{statistics.median(map(operator.truediv, seconds, ours)):.2g}")
    return told


def _by_programs(
    chance: np.random.Generator,
    n: int,
    k: int,
    ways: dict[int, tuple[Callable[[Floats, int], Iterator[Program]], int]],
) -> float:
    """Seconds that all programs of one matrix would take, by the mean of a few for each m.

    The first program of a matrix whose columns and signs are shuffled is any program of any matrix.
    """
    total = 0.0
    for m, (programs, count) in ways.items():
        few = [next(programs(_shuffled(chance, n, k), m)) for _ in range(PROGRAMS)]
        total += count * _seconds(lambda few=few: [one.value() for one in few]) / PROGRAMS  # type: ignore[misc]
    return total


def _by_package(chance: np.random.Generator, n: int, k: int) -> float:
    """Seconds for all heights of one matrix, by the package's fastest way to them."""
    from analog_ecc_heights import h_m_roth_primal_combinatorial  # type: ignore[import-not-found]

    G = np.hstack([np.eye(k), chance.uniform(-100, 100, (k, n - k))])
    found: list[list[float]] = []
    seconds = _seconds(lambda: found.append(h_m_roth_primal_combinatorial(G)))
    np.testing.assert_allclose(found[0], heights(G[:, k:])[1 : n - k + 1], rtol=1e-6)
    return seconds


def _shuffled(chance: np.random.Generator, n: int, k: int) -> Floats:
    G = np.hstack([np.eye(k), chance.uniform(-100, 100, (k, n - k))])
    shuffled: Floats = G[:, chance.permutation(n)] * chance.choice([-1.0, 1.0], n)
    return shuffled


def _data_set() -> dict[str, float]:
    """The 840,000 labels of 240,000 matrices: labelled alone, and drawn, labelled and written."""
    codes = tuple(dict.fromkeys((n, k) for n, k, _ in GROUPS))
    shards = [Shard(split, n, k, None, *draw(0, split, n, k, PER_GROUP)) for split in ("a", "b") for n, k in codes]
    labels = sum(2 * PER_GROUP for _ in GROUPS)

    def label() -> None:
        for shard in shards:
            heights(shard.matrices_Nkr.astype(np.float64))

    def make() -> None:
        made = (Shard(s, n, k, None, *draw(1, s, n, k, PER_GROUP)) for s in ("a", "b") for n, k in codes)
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "codes", made, GROUPS, {})

    seconds = [(_seconds(label), _seconds(make)) for _ in range(3)]
    tracemalloc.start()
    label()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    codes_of = {(n, k): [one.heights_Nm for one in shards if (one.n, one.k) == (n, k)] for n, k in codes}
    logs = [np.log2(np.concatenate(codes_of[n, k])[:, m]) for n, k, m in GROUPS]
    labelled, made = (statistics.median(one) for one in zip(*seconds, strict=True))
    return {
        "matrices": sum(len(shard.matrices_Nkr) for shard in shards),
        "labels": labels,
        "labelled, s": round(labelled, 2),
        "drawn, labelled and written, s": round(made, 2),
        "most memory beside the matrices, MB": round(peak / 1e6, 1),
        "variance of log2 h around one constant": round(float(np.concatenate(logs).var()), 3),
        "variance of log2 h around the mean of each group": round(float(np.mean([one.var() for one in logs])), 3),
    }


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
