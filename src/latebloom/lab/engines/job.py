"""One attempt at one run, as it travels between processes: plain data in, an exit code out."""

from __future__ import annotations

import traceback
from typing import Any, NamedTuple, Protocol

from ...base.component import from_dict
from ...base.errors import LatebloomError, NoRoomError
from ...spec import RunSpec
from ...store import Store
from ..run import resume, run

NO_ROOM = 75  # EX_TEMPFAIL of sysexits.h: the store takes no more, and the run is not to blame
PATIENCE_S = 3.0  # what jobs get to save in when they are asked to end


class Job(NamedTuple):
    """What a worker is told."""

    run: str  # id of the run
    store: str  # path of the store
    spec: dict[str, Any]
    origin: dict[str, Any]  # goes into the run's environment, e.g. {"study": "wd"}


class Ended(NamedTuple):
    """What became of an attempt."""

    run: str
    exit_code: int  # as the command line's, or NO_ROOM; negative: the process was killed by that signal
    reason: str  # in words, empty when all went well


class Engine(Protocol):
    """Interface of what trains jobs. The truth is in the run folders; an engine only starts and reports."""

    slots: int  # jobs at a time

    def start(self, job: Job) -> None:
        """Begin a job in a free slot."""

    def ended(self, timeout_s: float) -> list[Ended]:
        """The jobs that ended since the last call; waits so long for the first."""

    def kill(self, run: str) -> None:
        """End a job at once; it is reported as ended."""

    def close(self) -> None:
        """Ask the jobs to save and end, wait for them, and free everything."""


def work(job: Job) -> Ended:
    """Train a job's run in this process: make it, or go on with it."""
    try:
        store = Store(job.store)
        if not store.has(job.run):
            spec: RunSpec = from_dict(RunSpec, job.spec, f"the planned spec of run {job.run}")
            done = run(spec, store=job.store, run_id=job.run, origin=job.origin)
        elif store.find(job.run).status == "finished":  # by a worker that outlived its coordinator for a moment
            return Ended(job.run, 0, "")
        else:
            done = resume(job.run, store=job.store)
    except NoRoomError as error:
        return Ended(job.run, NO_ROOM, str(error))
    except LatebloomError as error:
        return Ended(job.run, error.exit_code, f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        return Ended(job.run, 130, "stopped at once")
    except BaseException as error:
        return Ended(job.run, 1, f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-3)}")
    assert done.outcome is not None
    return Ended(job.run, done.outcome.exit_code, done.outcome.reason if done.outcome.exit_code else "")
