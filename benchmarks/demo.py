"""How long the demo's training takes, and what it shows."""

from __future__ import annotations

import tempfile
import time

from latebloom import lab

from .result import write


def main() -> None:
    """Measure and write."""
    began = 0.0

    def started(run: object) -> None:
        nonlocal began
        began = time.perf_counter()

    with tempfile.TemporaryDirectory() as store:
        run = lab.run("demo", store=store, started=started)
        seconds = time.perf_counter() - began
        verdict = run.verdict.columns()
        shown = {key: verdict[key] for key in ("memorized_step", "generalized_step", "grokking_delay_steps")}
        write("demo", {"training_seconds": round(seconds, 1), "steps": run.stored.step, **shown})


if __name__ == "__main__":
    main()
