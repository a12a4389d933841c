"""Two workers against one on the same study, and what a run costs beside its steps and evaluations."""

from __future__ import annotations

import os
import statistics
import tempfile
import time

from latebloom import lab
from latebloom.engine import prepare, start
from latebloom.engine.loop import train
from latebloom.lab.engines import Job, Local
from latebloom.spec import RunSpec, build, plain, read_recipe, study_of
from latebloom.store import Store
from latebloom.store.layout import new_run_id

from .result import write

STEPS = 250  # of each run of the timed study
RUNS = 4
ROUNDS = 3
FEW_STEPS = 10  # a run that is almost only overhead


def main() -> None:
    """Measure and write."""
    minutes = {workers: [] for workers in (1, 2)}  # type: dict[int, list[float]]
    for round_ in range(ROUNDS):
        for workers in minutes if round_ % 2 else reversed(minutes):
            minutes[workers].append(_swept_s(workers))
    ratios = [two / one for one, two in zip(minutes[1], minutes[2], strict=True)]
    overhead = _overheads()
    write(
        "sweep",
        {
            "runs": RUNS,
            "steps_each": STEPS,
            "one_worker_s": [round(s, 2) for s in minutes[1]],
            "two_workers_s": [round(s, 2) for s in minutes[2]],
            "two_over_one": round(statistics.median(ratios), 3),
            "cores": len(os.sched_getaffinity(0)),
            "overhead_per_run_ms": round(1e3 * statistics.median(overhead), 1),
            "overhead_of_a_minute": round(statistics.median(overhead) / 60, 4),
        },
    )


def _swept_s(workers: int) -> float:
    """Seconds for the whole study, start of the first process to end of the last."""
    study = study_of("demo", [f"seed=1..{RUNS}", f"steps={STEPS}", "stopping.kind=never"])
    with tempfile.TemporaryDirectory() as store:
        began = time.perf_counter()
        swept = lab.sweep(study, workers=workers, store=store)
        took = time.perf_counter() - began
    assert swept.progress.finished == RUNS, swept
    return took


def _overheads() -> list[float]:
    """Seconds from telling a warm worker pool of a run until it has ended, less the bare training loop's."""
    spec = build(read_recipe("demo"), [f"steps={FEW_STEPS}", "stopping.kind=never"])
    with tempfile.TemporaryDirectory() as store:
        Store(store).found()
        engine, found = Local(1), []
        for round_ in range(ROUNDS * 4):
            began = time.perf_counter()
            job = Job(new_run_id(), store, plain(spec), {})
            engine.start(job)
            while not (ended := engine.ended(10)):
                pass
            took = time.perf_counter() - began
            assert ended[0].exit_code == 0, ended
            if round_:  # the first one also starts the pool
                found.append(took - _bare_s(spec))
        engine.close()
    return found


def _bare_s(spec: RunSpec) -> float:
    prepare(threads=1)
    split = spec.task.split(spec.seed)
    state = start(spec, split)
    began = time.perf_counter()
    for _ in train(spec, split, state):
        pass
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
