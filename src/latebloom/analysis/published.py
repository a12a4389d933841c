"""A study as one small file: what a reader needs to check every number said about it, without the runs themselves.

It holds the study, what the machine and the versions were, and of every run its label, how it ended, the hash of its
final state and the scores at each evaluation, and by request other readings, to six digits. A comparison of the file
is the comparison of the runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..base.component import did_you_mean
from ..base.errors import DataError
from ..base.record import Curve
from ..store import Planned, StoredRun, StoredStudy, durable

SCHEMA = 1
WAITING = "waiting"  # the status of a run that was planned and not begun
SAME_EVERYWHERE = ("fingerprint", "latebloom", "python", "system")


class PublishedRun:
    """One run of a published study; reads like a stored one, as far as a comparison reads it."""

    def __init__(self, fields: Mapping[str, Any], common: Mapping[str, Any]) -> None:
        self.id: str = fields["run"]
        self.label: dict[str, Any] = fields["label"]
        self.status: str = fields["status"]
        self.step: int = fields["step"]
        self.reason: str = fields["reason"]
        self.state_sha256: str | None = fields["state_sha256"]
        self.spec: dict[str, Any] = _over(common, fields["spec"])
        self.seed: int = self.spec["seed"]
        self.name: str = self.spec["name"]
        self.damage: list[str] = []
        self._steps: list[int] = fields["steps"]
        self._readings: dict[str, list[float | str | None]] = fields["readings"]

    def records(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Every evaluated step with the readings that were published."""
        for place, step in enumerate(self._steps):
            values = {name: column[place] for name, column in self._readings.items()}
            yield step, {name: float(value) for name, value in values.items() if value is not None}

    def curves(self) -> dict[str, Curve]:
        """The published readings by name."""
        steps = np.array(self._steps, np.int64)
        columns = {n: np.array([np.nan if v is None else float(v) for v in c]) for n, c in self._readings.items()}
        return {name: Curve(steps[~np.isnan(c)], c[~np.isnan(c)]) for name, c in columns.items()}

    def journal(self) -> list[dict[str, Any]]:
        """Nothing: a longer budget stands in the spec already."""
        return []


class PublishedStudy:
    """A published study, read back.

    Raises:
        DataError: It is none, or of a later version.
    """

    def __init__(self, fields: Mapping[str, Any], where: str = "this") -> None:
        if fields.get("kind") != "latebloom study" or not isinstance(fields.get("schema"), int):
            raise DataError(f"{where} is no published study; `latebloom study export NAME` makes one")
        if fields["schema"] > SCHEMA:
            raise DataError(f"{where} has schema {fields['schema']}; this version reads up to {SCHEMA}. Upgrade it.")
        self.name: str = fields["name"]
        self.study: dict[str, Any] = fields["study"]
        self.environments: list[dict[str, Any]] = fields["environments"]
        self.command: str = fields["command"]
        self.exported_at: str = fields["exported_at"]
        self.runs = [PublishedRun(one, fields["spec"]) for one in fields["runs"]]
        self.planned = [Planned(run.id, run.label, "", run.spec) for run in self.runs]

    def run(self, planned: Planned) -> PublishedRun | None:
        """The run as it was published; None if it had not begun."""
        run = next(run for run in self.runs if run.id == planned.run)
        return None if run.status == WAITING else run


def read_published(path: Path) -> PublishedStudy:
    """A published study from its file.

    Raises:
        DataError: It cannot be read, or is none.
    """
    try:
        fields = json.loads(durable.read(path))
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise DataError(f"{path} is no published study; `latebloom study export NAME` makes one")
    try:
        return PublishedStudy(fields, str(path))
    except KeyError as error:
        raise DataError(f"{path} lacks {error}; export the study again") from None


def publish(study: StoredStudy, command: str, exported_at: str, readings: Collection[str] = ()) -> bytes:
    """The file of a study as it stands; runs not begun yet are named in it.

    Args:
        study: The study.
        command: What trained it, e.g. `latebloom sweep grokfast-l1-s5`.
        exported_at: The day.
        readings: What to hold beside the scores, by name, e.g. `val/loss`; to six digits, to stay small.

    Raises:
        DataError: No run has a reading of that name.
    """
    found = [(one, study.run(one)) for one in study.planned]
    found = [(one, None if run is None or run.status == "damaged" else run) for one, run in found]
    common = _common([one.spec for one in study.planned])
    environments: list[dict[str, Any]] = []
    for run in (run for _, run in found if run is not None):
        environment = {key: run.environment.get(key) for key in SAME_EVERYWHERE}
        if environment not in environments:
            environments.append(environment)
    fields = {
        "kind": "latebloom study",
        "schema": SCHEMA,
        "name": study.name,
        "command": command,
        "exported_at": exported_at,
        "study": study.study,
        "environments": environments,
        "spec": common,
        "runs": [_run(one, run, common, readings) for one, run in found],
    }
    held = {name for run in fields["runs"] for name in run["readings"]}  # type: ignore[attr-defined]
    if missing := sorted(set(readings) - held):
        raise DataError(
            f"no run of {study.name} has a reading {missing[0]!r}.{did_you_mean(missing[0], _names(found))}"
        )
    runs = ",\n".join(json.dumps(run, allow_nan=False) for run in fields.pop("runs"))  # type: ignore[attr-defined]
    head = json.dumps(fields, indent=1, allow_nan=False)
    return f'{head[:-2]},\n "runs": [\n{runs}\n]}}\n'.encode()


def _names(found: Iterable[tuple[Planned, StoredRun | None]]) -> list[str]:
    """Every reading of the runs."""
    return sorted({name for _, run in found if run is not None for _, readings in run.records() for name in readings})


def _is_score(name: str) -> bool:
    """Accuracies, also of parts; of shares of variance the two that are compared: there may be 21 groups."""
    return "accuracy" in name or name in ("train/r2", "val/r2")


def _run(one: Planned, run: StoredRun | None, common: Mapping[str, Any], more: Collection[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"run": one.run, "label": one.label, "spec": _own(one.spec, common), "status": WAITING}
    if run is None:
        return {**told, "step": 0, "reason": "", "state_sha256": None, "steps": [], "readings": {}}
    records = list(run.records())
    names = sorted({name for _, readings in records for name in readings if _is_score(name) or name in more})
    stops = [entry for entry in run.journal() if entry.get("what") == "stopped"]
    extended = [int(entry["steps"]) for entry in run.journal() if entry.get("what") == "extended"]
    return {
        **told,
        "spec": _own({**run.spec, "steps": max([run.spec["steps"], *extended])}, common),
        "status": run.status,
        "step": run.step,
        "reason": run.reason,
        "state_sha256": stops[-1].get("state_sha256") if stops else None,
        "steps": [step for step, _ in records],
        "readings": {
            name: [_told(readings.get(name), exact=_is_score(name)) for _, readings in records] for name in names
        },
    }


def _told(value: float | None, *, exact: bool) -> float | str | None:
    if value is None or not math.isfinite(value):
        return value and str(value)  # JSON has no word for it, and a reading that is no number is not a missing one
    return value if exact else float(f"{value:.6g}")


def _common(specs: list[dict[str, Any]]) -> dict[str, Any]:
    """What all specs say alike, table by table."""
    if not specs:
        return {}
    first = specs[0]
    shared: dict[str, Any] = {}
    for key, value in first.items():
        others = [spec.get(key) for spec in specs]
        if all(other == value for other in others):
            shared[key] = value
        elif all(isinstance(other, dict) for other in others):
            shared[key] = _common([dict(other) for other in others if other is not None])
    return shared


def _own(spec: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    """What a spec says beside the common."""
    return {
        key: _own(value, common[key]) if isinstance(value, dict) and isinstance(common.get(key), dict) else value
        for key, value in spec.items()
        if key not in common or common[key] != value
    }


def _over(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The whole spec again."""
    return {
        key: _over(common[key], own[key])
        if isinstance(common.get(key), dict) and isinstance(own.get(key), dict)
        else own.get(key, common.get(key))
        for key in [*common, *(key for key in own if key not in common)]
    }
