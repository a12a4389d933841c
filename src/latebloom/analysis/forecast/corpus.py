"""A corpus: the curves of many runs, and what each was set to, as one small file.

From it the chances are calibrated and assessed without training anything again. Accuracies keep four digits, losses
three. Runs whose settings differ by nothing but the seed are of one configuration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...base.errors import DataError
from ...store import StoredRun, StoredStudy, durable
from ..published import SAME_EVERYWHERE

KIND, SCHEMA = "latebloom forecast corpus", 1
READINGS = ("train/accuracy", "val/accuracy", "train/loss", "val/loss")
DIGITS = {"accuracy": 4, "loss": 3}
SETTINGS = (
    *("task", "model", "loss", "optimizer", "schedule", "interventions", "batch", "steps", "evaluation", "compile"),
)
"""What makes a configuration."""
OBSERVED = ("finished", "diverged")  # how a run may have ended for its outcome to be known


class CorpusRun(NamedTuple):
    """One run of a corpus."""

    configuration: int  # number of its configuration
    study: str
    task: str  # e.g. `modular divide`
    seed: int
    watched_until: (
        int  # step up to which its outcome is known: the budget, also of runs that ended when they had generalized
    )
    steps: list[int]
    readings: dict[str, list[float]]  # by name, one value a step

    def records(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Step and readings, as a log."""
        for place, step in enumerate(self.steps):
            yield step, {name: column[place] for name, column in self.readings.items()}


class Corpus(NamedTuple):
    """Runs, and where they come from."""

    sha256: str  # of the file
    command: str
    exported_at: str
    environments: list[dict[str, Any]]
    configurations: list[dict[str, Any]]  # the settings of each
    runs: list[CorpusRun]


def collect(studies: Sequence[StoredStudy], command: str, exported_at: str) -> bytes:
    """The corpus of all runs of these studies whose outcome is known.

    Args:
        studies: Of any stores.
        command: What trained them.
        exported_at: The day.

    Raises:
        DataError: There is no such run with accuracies and losses of both sets.
    """
    environments: list[dict[str, Any]] = []
    configurations: dict[str, int] = {}
    runs = []
    for study in studies:
        for run in filter(None, map(study.run, study.planned)):
            if run.status not in OBSERVED or not run.spec or run.spec.get("weights"):  # those began trained
                continue
            records = [(step, readings) for step, readings in run.records() if readings.keys() >= set(READINGS)]
            if not records:
                continue
            environment = {key: run.environment.get(key) for key in SAME_EVERYWHERE}
            if environment not in environments:
                environments.append(environment)
            settings = json.dumps({key: run.spec[key] for key in SETTINGS if key in run.spec}, sort_keys=True)
            runs.append(
                {
                    "configuration": configurations.setdefault(settings, len(configurations)),
                    "study": study.name,
                    "run": run.id,
                    "seed": run.seed,
                    "watched_until": _watched_until(run),
                    "steps": [step for step, _ in records],
                    "readings": {name: [_short(of[name], name) for _, of in records] for name in READINGS},
                }
            )
    if not runs:
        raise DataError(f"no finished run has all of {', '.join(READINGS)}")
    head = {
        "kind": KIND,
        "schema": SCHEMA,
        "command": command,
        "exported_at": exported_at,
        "environments": environments,
    }
    told = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for name, rows in (("configurations", map(json.loads, configurations)), ("runs", runs)):
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        told.append(f'"{name}": [\n{lines}\n]')
    return ("{" + ",\n".join(told) + "}\n").encode()


def read_corpus(path: Path) -> Corpus:
    """A corpus from its file.

    Raises:
        DataError: It cannot be read, or is none.
    """
    data = durable.read(path)
    try:
        told = json.loads(data)
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if not isinstance(told, dict) or told.get("kind") != KIND:
        raise DataError(f"{path} is no forecast corpus; `latebloom forecast collect STUDY...` makes one")
    if told["schema"] > SCHEMA:
        raise DataError(f"{path} has schema {told['schema']}; this version reads up to {SCHEMA}. Upgrade it.")
    configurations = told["configurations"]
    runs = [_run(one, configurations[one["configuration"]]) for one in told["runs"]]
    sha256 = hashlib.sha256(data).hexdigest()
    return Corpus(sha256, told["command"], told["exported_at"], told["environments"], configurations, runs)


def _run(told: Mapping[str, Any], settings: Mapping[str, Any]) -> CorpusRun:
    task = settings["task"]
    return CorpusRun(
        configuration=told["configuration"],
        study=told["study"],
        task=" ".join(str(task[key]) for key in ("kind", "operation") if key in task),
        seed=told["seed"],
        watched_until=told["watched_until"],
        steps=told["steps"],
        readings={
            name: [float("nan") if x is None else x for x in column] for name, column in told["readings"].items()
        },
    )


def _watched_until(run: StoredRun) -> int:
    """A run that ended by its own rule, once it had generalized, has no more to tell up to its budget."""
    return int(run.spec["steps"]) if run.status == "finished" else run.step


def _short(value: float, name: str) -> float | None:
    short = float(f"{value:.{DIGITS[name.partition('/')[2]]}g}")
    return short if abs(short) < float("inf") else None
