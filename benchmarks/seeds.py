"""Does modular division at weight decay 1 generalize within 10,000 steps, and when? Five seeds."""

from __future__ import annotations

import tempfile

from latebloom import lab

from .result import write

SEEDS = range(1, 6)


def main() -> None:
    """Measure and write."""
    rows = []
    with tempfile.TemporaryDirectory() as store:
        for seed in SEEDS:
            run = lab.run("modular-division", ["stopping.kind=after_generalization"], store=store, seed=seed)
            verdict = run.verdict
            rows.append({"seed": seed, **verdict.columns(), "steps": run.stored.step})
            print(rows[-1], flush=True)
    write("seeds", {"recipe": "modular-division", "budget_steps": run.spec.steps, "runs": rows})


if __name__ == "__main__":
    main()
