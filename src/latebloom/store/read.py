"""A run on disk, for looking at: takes no lock, changes nothing, and copes with whatever it finds."""

from __future__ import annotations

import shlex
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import StoreError
from ..base.record import Curve, Event
from . import checkpoints, durable, jsonl, layout
from .checkpoints import Checkpoint
from .durable import DamageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATUSES = ("running", "finished", "interrupted", "diverged", "failed")
"""What a writer says about its run; a reader adds `crashed` (running, but nobody holds the lock) and `damaged`."""

_IDENTITY: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "name": (str,),
    "created_at": (str,),
    "seed": (int,),
    "spec": (dict,),
    "spec_hash": (str,),
    "parent": (dict, type(None)),
    "environment": (dict,),
}
_STATE: dict[str, tuple[type, ...]] = {"status": (str,), "step": (int,), "reason": (str,), "summary": (dict,)}


def identity(run: Path) -> dict[str, Any]:
    """The content of `run.json`.

    Raises:
        DamageError: It is missing, damaged, or belongs to another run.
    """
    fields = _checked(run / layout.RUN, _IDENTITY)
    if fields["id"] != run.name:
        raise DamageError(f"{run / layout.RUN} belongs to run {fields['id']}; a run's folder cannot be renamed.")
    return fields


def state(run: Path) -> dict[str, Any]:
    """The content of `state.json`.

    Raises:
        DamageError: It is missing or damaged.
    """
    fields = _checked(run / layout.STATE, _STATE)
    if fields["status"] not in STATUSES:
        raise DamageError(f"{run / layout.STATE} has status {fields['status']!r}; known: {', '.join(STATUSES)}.")
    return fields


class StoredRun:
    """One run: who it is and how it stands as of now; logs and checkpoints are read when asked for.

    Attributes:
        parent: `{"run": id, "step": step}` of the checkpoint it branched from, None for a run of its own.
        status: running, finished, interrupted, diverged, failed, crashed or damaged.
        step: The last step its writer reported.
        reason: Why it ended, in words.
        summary: What its writer thought worth a column in a table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self._findings: dict[str, str] = {}
        who = self._or_note(layout.RUN, identity)
        self.name: str = who.get("name", "")
        self.created_at: str = who.get("created_at", layout.time_of(self.id))
        self.seed: int = who.get("seed", 0)
        self.spec: dict[str, Any] = who.get("spec", {})
        self.spec_hash: str = who.get("spec_hash", "")
        self.parent: dict[str, Any] | None = who.get("parent")
        self.environment: dict[str, Any] = who.get("environment", {})
        how = self._or_note(layout.STATE, state)
        is_left = how.get("status") == "running" and not self._is_locked()
        if is_left:  # or it has ended between the two looks
            how = self._or_note(layout.STATE, state)
        self.status: str = "damaged" if self._findings else how["status"]
        self.step: int = how.get("step", 0)
        self.reason: str = how.get("reason", "")
        self.summary: dict[str, Any] = jsonl.revive(how.get("summary", {}))
        if self.status == "running" and is_left:
            self.status = "crashed"

    @property
    def words(self) -> str:
        """What to call it on a command line: its id, and its store where that is not the usual one."""
        store = self.path.parent
        return (
            self.id
            if store.absolute() == layout.default_root().absolute()
            else f"{self.id} --store {shlex.quote(str(store))}"
        )

    @property
    def damage(self) -> list[str]:
        """What was found wrong so far, one sentence each; reading logs and checkpoints can add to it."""
        return list(self._findings.values())

    def records(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Every evaluated step with its readings, in the order written."""
        for line in self._lines(layout.READINGS, "step", "readings"):
            yield line["step"], {name: float(value) for name, value in line["readings"].items()}

    def curves(self) -> dict[str, Curve]:
        """All readings by name, in step order.

        A reading at or before the step of the one before it can only be a leftover; it is dropped and reported.
        """
        import numpy as np  # not needed to list runs, and slow to load

        columns: dict[str, tuple[array[int], array[float]]] = {}
        for step, readings in self.records():
            for name, value in readings.items():
                steps, values = columns.setdefault(name, (array("q"), array("d")))
                if steps and step <= steps[-1]:
                    self._findings["order"] = (
                        f"{layout.READINGS}: step {step} comes after {steps[-1]}; it was left out."
                    )
                    continue
                steps.append(step)
                values.append(value)
        return {
            name: Curve(np.array(steps, np.int64), np.array(values, np.float64))
            for name, (steps, values) in columns.items()
        }

    def arrays(self, step: int | None = None) -> dict[int, dict[str, NDArray[Any]]]:
        """What measures kept, by step and name: at `step` alone, or at every step that has any.

        A step at or before the one before it can only be a leftover; it is dropped and reported.
        """
        from .arrays import unpack  # loads numpy

        found: dict[int, dict[str, NDArray[Any]]] = {}
        if layout.ARRAYS not in durable.names(self.path):
            return found
        last = -1
        for line in self._lines(layout.ARRAYS, "step", "arrays"):
            if line["step"] <= last:
                self._findings["order of arrays"] = (
                    f"{layout.ARRAYS}: step {line['step']} comes after {last}; it was left out."
                )
                continue
            last = line["step"]
            if step in (None, last):
                try:
                    found[last] = unpack(line["arrays"])
                except DamageError as error:
                    self._findings[f"arrays {last}"] = f"{layout.ARRAYS}: step {last} {error}."
        return found

    def events(self) -> list[Event]:
        """Everything concluded so far, in the order it became known."""
        return [
            Event(line["step"], line["kind"], line["known_at"], jsonl.revive(line["evidence"]))
            for line in self._lines(layout.EVENTS, *Event._fields)
        ]

    def journal(self) -> list[dict[str, Any]]:
        """What happened to the processes that wrote this run, with wall-clock times."""
        return [jsonl.revive(line) for line in self._lines(layout.JOURNAL)]

    def checkpoints(self) -> list[Checkpoint]:
        """Its checkpoints by step, as their manifests describe them; only `load` verifies their content."""
        found = []
        for step in checkpoints.steps(self.path):
            try:
                found.append(checkpoints.manifest(self.path, step).checkpoint)
            except StoreError as error:
                if step in checkpoints.steps(self.path):  # else its writer has just deleted it, which is no damage
                    self._findings[f"checkpoint {step}"] = str(error)
        return found

    def load(self, step: int) -> dict[str, bytes]:
        """The files of the checkpoint at `step`, verified byte for byte.

        Raises:
            StoreError: There is none, or it is not what was saved.
        """
        known = checkpoints.steps(self.path)
        if step not in known:
            listed = ", ".join(map(str, known)) or "none"
            raise StoreError(f"Run {self.id} has no checkpoint at step {step}. It has: {listed}.")
        return checkpoints.load(self.path, step)[1]

    def _lines(self, log: str, *keys: str) -> Iterator[dict[str, Any]]:
        damaged = 0
        try:
            for line in jsonl.scan(durable.read_chunks(self.path / log)):
                if line.fields is not None and line.fields.keys() >= set(keys):
                    yield line.fields
                    continue
                damaged += 1
                self._findings.setdefault(log, f"{log}: line {line.number} is damaged and was left out.")
        except StoreError as error:
            self._findings[log] = str(error)
        if damaged > 1:
            self._findings[log] = f"{self._findings[log][:-1]}; so were {damaged - 1:,} more lines."

    def _or_note(self, file: str, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """What `read` returns, or nothing with the reason noted: one bad run must not hide the others."""
        try:
            return read(self.path)
        except StoreError as error:
            self._findings[file] = str(error)
            return {}

    def _is_locked(self) -> bool:
        try:
            return durable.is_locked(self.path / layout.LOCK)
        except StoreError:
            return True  # cannot be asked, so do not call it dead


def _checked(path: Path, expected: dict[str, tuple[type, ...]]) -> dict[str, Any]:
    fields = jsonl.read_one(path)
    for key, types in expected.items():
        if not isinstance(fields.get(key), types):
            raise DamageError(f"{path} has no usable {key!r}.")
    return fields
