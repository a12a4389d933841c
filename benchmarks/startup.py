"""How soon the command line answers: `--help`, and `list` over 1,000 runs, as whole processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from latebloom.store import Store

from .result import write

RUNS, ROUNDS = 1000, 15


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        for number in range(RUNS):
            summary = {
                "verdict": "grokking",
                "memorized_step": 300,
                "generalized_step": 1000,
                "grokking_delay_steps": 700,
            }
            environment = {"system": "benchmark"}
            with store.create(name=f"run {number}", seed=number, spec={}, spec_hash="", environment=environment) as run:
                run.state("finished", 2000, "done", summary)
        command = [sys.executable, "-m", "latebloom"]
        times: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for name, arguments in {"help": ["--help"], f"list_{RUNS}_runs": ["list", "--store", folder]}.items():
                began = time.perf_counter()
                subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL)
                times.setdefault(name, []).append(time.perf_counter() - began)
    write("startup", {f"{name}_median_ms": round(1e3 * statistics.median(t), 1) for name, t in times.items()})


if __name__ == "__main__":
    main()
