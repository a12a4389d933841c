"""Trackers: other people's programs that show runs. Each is told of a run by a process beside the training.

A tracker that fails, hangs or dies is given up: that is said once, in the run's journal and to whoever listens. The
training waits for it at most `END_S`, when it ends itself.
"""

from __future__ import annotations

import difflib
import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..base.errors import LatebloomError, MissingExtra, SpecError
from ..base.record import Event
from ..store import RunWriter
from ..store.jsonl import plain
from .companion import Companion
from .event_files import WHERE as EVENT_FILES

WHERE = "trackers"  # key of a run's environment: their names
KNOWN = ("tensorboard", "wandb", "mlflow")
START_S = 120.0  # what a tracker gets to start in
END_S = 30.0  # and to end in
CLOSE_S = 3.0  # once it is done
LOOK_EVERY_S = 0.05
_LONGEST = 1000  # characters of last words


def asked_for(trackers: Sequence[str], tensorboard: str | Path | None) -> dict[str, Any]:
    """What goes into a run's environment about who is to be told of it.

    Args:
        trackers: `tensorboard`, `wandb`, `mlflow`, or `package.module:Class` of a tracker of your own.
        tensorboard: The folder for event files; `tensorboard` where you are, if they are only asked for by name.

    Raises:
        SpecError: There is no such tracker.
        MissingExtra: It is not installed.
    """
    for name in trackers:
        if name not in KNOWN and ":" not in name:
            near = difflib.get_close_matches(name, KNOWN, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SpecError(
                f"there is no tracker {name!r}.{hint} There are: {', '.join(KNOWN)}, or package.module:Class"
            )
        if name in ("wandb", "mlflow") and importlib.util.find_spec(name) is None:
            raise MissingExtra(
                f"the tracker {name} needs the package {name}, which is not installed: pip install 'latebloom[{name}]'"
            )
    if "tensorboard" in trackers:  # we write its files ourselves, without a process
        tensorboard = tensorboard or "tensorboard"
    others = [name for name in dict.fromkeys(trackers) if name != "tensorboard"]
    folder = {EVENT_FILES: str(Path(tensorboard).resolve())} if tensorboard else {}
    return {**folder, **({WHERE: others} if others else {})}


class Trackers:
    """Those that a run's environment names.

    Args:
        writer: The run.
        step: At which this stretch of training begins.
        say: Told what is written in the journal.
    """

    def __init__(self, writer: RunWriter, step: int, say: Callable[[str], None] | None = None) -> None:
        self._writer, self._say = writer, say
        self._alive: dict[str, Companion] = {}
        self._starting: dict[str, float] = {}  # since when, in time.monotonic()
        run = writer.run
        facts = {"id": run.id, "name": run.name, "seed": run.seed, "study": run.environment.get("study")}
        for name in run.environment.get(WHERE, ()):
            try:
                self._alive[name] = Companion("latebloom.integrations.outlet", name)
            except OSError as error:
                self._note(f"No {name}: its process cannot be started: {error}")
                continue
            self._starting[name] = time.monotonic()
            self._offer(name, {"start": {**facts, "spec": plain(run.spec), "step": step}})

    def log(self, step: int, readings: Mapping[str, float], events: Sequence[Event] = ()) -> None:
        """What was read, and what became known by it."""
        for name in list(self._alive):
            self._hear(name, 0.0)
            if readings:
                self._offer(name, {"step": step, "readings": plain(readings)})
            for event in events:
                self._offer(name, {"event": plain(event._asdict())})

    def close(self, status: str) -> None:
        """The stretch is over, and how; again is fine."""
        for name in list(self._alive):
            self._offer(name, {"end": status})
        until = time.monotonic() + END_S
        while self._alive and time.monotonic() < until:
            for name in list(self._alive):
                self._hear(name, LOOK_EVERY_S)
        for name in list(self._alive):
            self._give_up(name, f"it did not end within {END_S:g} s; what it has of the end may not be whole")

    def _offer(self, name: str, told: dict[str, Any]) -> None:
        if name in self._alive and not self._alive[name].offer(told):
            self._give_up(name, "it does not keep up with the training")

    def _hear(self, name: str, timeout_s: float) -> None:
        try:
            for told in self._alive[name].hear(timeout_s):
                if "ready" in told:
                    self._starting.pop(name, None)
                    self._note(f"{name}: {told['ready']}")
                elif "failed" in told:
                    return self._give_up(name, told["failed"])
                else:  # it is done
                    self._alive.pop(name).close(CLOSE_S)
                    return None
        except EOFError as error:
            return self._give_up(name, f"its process died. {str(error)[-_LONGEST:]}".strip())
        if time.monotonic() - self._starting.get(name, time.monotonic()) > START_S:
            return self._give_up(name, f"it did not start within {START_S:g} s")
        return None

    def _give_up(self, name: str, why: str) -> None:
        self._alive.pop(name).close(0.0)
        self._note(f"No more {name}: {why}")

    def _note(self, text: str) -> None:
        with suppress(LatebloomError):  # the training has its own word with a disk that refuses
            self._writer.note("notice", text=text)
        if self._say is not None:
            self._say(text)
