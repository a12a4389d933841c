"""Workers on this machine, forked from a process that has torch loaded."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from typing import Any

from .job import PATIENCE_S, Ended, Job


class Local:
    """As many workers as slots, each the process of one run."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._running: set[str] = set()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._heard = b""

    def start(self, job: Job) -> None:
        """Begin a job in a free slot."""
        self._running.add(job.run)
        self._tell({"start": job._asdict()})

    def ended(self, timeout_s: float) -> list[Ended]:
        """The jobs that ended since the last call; waits so long for the first."""
        if self._nursery is None:
            time.sleep(timeout_s)
            return []
        assert self._nursery.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._nursery.stdout, selectors.EVENT_READ)
            return self._hear() if selector.select(timeout_s) else []

    def kill(self, run: str) -> None:
        """End a job at once."""
        self._tell({"kill": run})

    def close(self) -> None:
        """Ask the workers to save and end, and wait for them."""
        nursery, self._nursery = self._nursery, None
        if nursery is None:
            return
        try:
            nursery.communicate(timeout=PATIENCE_S + 2)  # ends its input, and reads on, lest it waits for a reader
        except subprocess.TimeoutExpired:  # it hangs; its workers die with it
            nursery.kill()
            nursery.communicate()

    def _hear(self) -> list[Ended]:
        assert self._nursery is not None and self._nursery.stdout is not None
        data = os.read(self._nursery.stdout.fileno(), 1 << 16)
        *lines, self._heard = (self._heard + data).split(b"\n")
        found = [Ended(**told["ended"]) for line in lines if "ended" in (told := json.loads(line))]
        self._running -= {one.run for one in found}
        if not data:  # it died, and the kernel has killed its workers
            self.close()
            found += [Ended(run, -signal.SIGKILL, "the process that starts workers died") for run in self._running]
            self._running, self._heard = set(), b""
        return found

    def _tell(self, told: dict[str, Any]) -> None:
        if self._nursery is None:
            self._nursery = subprocess.Popen(
                # -P: a user's random.py in this folder must not stand in for Python's.
                [sys.executable, "-P", "-m", "latebloom.lab.engines.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is the coordinator's to handle
            )
        assert self._nursery.stdin is not None
        try:
            self._nursery.stdin.write(json.dumps(told).encode() + b"\n")
            self._nursery.stdin.flush()
        except OSError:  # it died a moment ago, which `ended` will find
            pass
