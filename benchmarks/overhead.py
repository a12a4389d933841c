"""What a stored, watched run costs beside its optimizer steps: 2,000 steps of modular division, on the clock."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from typing import Any

from latebloom import lab
from latebloom.engine.step import Step
from latebloom.measures import Evaluation, WeightNorm
from latebloom.report.terminal import LiveView

from .result import write

STEPS = 2000


def main() -> None:
    """Measure and write."""
    spent = {"steps": 0.0, "evaluations": 0.0}

    def clocked(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **more: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                spent[kind] += time.perf_counter() - began

        return wrapper

    Step.update = clocked("steps", Step.update)  # type: ignore[method-assign]
    Evaluation.read = clocked("evaluations", Evaluation.read)  # type: ignore[method-assign]
    WeightNorm.read = clocked("evaluations", WeightNorm.read)  # type: ignore[method-assign]
    began = 0.0

    def started(run: object) -> None:
        nonlocal began
        began = time.perf_counter()

    with tempfile.TemporaryDirectory() as store:
        view = LiveView("panel", stream=io.StringIO())
        run = lab.run("modular-division", [f"steps={STEPS}"], store=store, listener=view, started=started)
        total = time.perf_counter() - began
        saves = sum(entry["what"] == "saved" for entry in run.stored.journal())
        evaluations = len(run.curves["val/accuracy"].steps)
    around = total - sum(spent.values())
    write(
        "overhead",
        {
            "steps": STEPS,
            "seconds": round(total, 2),
            "checkpoints_saved": saves,
            "evaluations": evaluations,
            "step_ms": round(1e3 * spent["steps"] / STEPS, 2),
            "evaluation_ms": round(1e3 * spent["evaluations"] / evaluations, 1),
            "evaluations_percent_of_run": round(100 * spent["evaluations"] / total, 2),
            "everything_else_percent_of_run": round(100 * around / total, 2),
        },
    )


if __name__ == "__main__":
    main()
