"""MLflow: where `MLFLOW_TRACKING_URI` says, else on this machine.

Without that variable it is MLflow's own default, a database here, if its package for databases is installed
(`pip install mlflow`); with the extra alone it is the folder `mlruns`.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..base.record import Event
from .extra import needed
from .tracker import TrackedRun, flat

_OURS = "latebloom.run"  # tag with our id
_LONGEST = 500  # characters of a setting, in the oldest versions
_STATUS = {"finished": "FINISHED", "interrupted": "KILLED"}


class Mlflow:
    """A run of ours as a run of MLflow, in the experiment `$MLFLOW_EXPERIMENT_NAME` or `latebloom`."""

    def __init__(self) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        self._mlflow = needed(("mlflow",), "mlflow")
        self._where = os.environ.get("MLFLOW_TRACKING_URI", "")
        if not self._where and importlib.util.find_spec("sqlalchemy") is None:
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
            self._where = Path("mlruns").resolve().as_uri()
        self._client: Any = self._mlflow.MlflowClient(self._where or None)

    def start(self, run: TrackedRun) -> str:
        """Begin, or go on."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "latebloom")
        experiment = self._client.get_experiment_by_name(name)
        experiment_id = experiment.experiment_id if experiment else self._client.create_experiment(name)
        known = self._client.search_runs([experiment_id], f"tags.`{_OURS}` = '{run.id}'")
        if known:
            self._id = known[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
        else:
            tags = {_OURS: run.id, **({"latebloom.study": run.study} if run.study else {})}
            made = self._client.create_run(experiment_id, tags=tags, run_name=f"{run.name} seed {run.seed}")
            self._id = made.info.run_id
            param = self._mlflow.entities.Param
            settings = [param(key, str(value)[:_LONGEST]) for key, value in flat(run.spec).items()]
            self._client.log_batch(self._id, params=settings)
        return f"run {self._id} of the experiment {name!r} in {self._client.tracking_uri}"

    def log(self, step: int, readings: Mapping[str, float]) -> None:
        """Readings under our names."""
        now, metric = int(1000 * time.time()), self._mlflow.entities.Metric
        self._client.log_batch(self._id, metrics=[metric(key, value, now, step) for key, value in readings.items()])

    def event(self, event: Event) -> None:
        """As a tag: when it happened."""
        self._client.set_tag(self._id, f"{event.kind}_at_step", event.step)

    def finish(self, status: str) -> None:
        """The end."""
        self._client.set_tag(self._id, "latebloom.status", status)
        self._client.set_terminated(self._id, _STATUS.get(status, "FAILED"))
