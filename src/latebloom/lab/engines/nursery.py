"""A process that has torch loaded and forks one worker for each job it is told: a worker starts in milliseconds.

Line by line as JSON, jobs come in on standard input and reports go out on standard output. It is started as a program
of its own, never forked from the user's, so that a script needs no `if __name__ == "__main__"`, and no thread or
autograd engine of the user's process is copied.

Nobody is left behind: when the coordinator dies, standard input ends and the workers are asked to save and end; when
this process dies, the kernel kills them.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import selectors
import signal
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

from .job import PATIENCE_S, Ended, Job, work

PR_SET_PDEATHSIG = 1  # of linux/prctl.h
LONGEST_REASON = 4000  # characters; a pipe holds 65,536 bytes without a reader


def main() -> None:
    """Serve until standard input ends."""
    nursery = os.getpid()

    def leave(*_: object) -> None:
        if os.getpid() != nursery:  # a worker forked an instant ago, which must not end the others
            os._exit(1)
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    gc.freeze()  # what is loaded now stays shared with the workers
    Nursery().serve()


class Nursery:
    """The workers that are alive."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.alive: dict[str, tuple[int, int, int]] = {}  # run -> process, pidfd, pipe of its report
        self.heard = b""
        self.hangup = select.poll()
        self.hangup.register(0, select.POLLHUP)

    def serve(self) -> None:
        """Start what is asked for, report what ends."""
        self.selector.register(0, selectors.EVENT_READ, None)
        _tell({"ready": os.getpid()})
        try:
            while True:
                for key, _ in self.selector.select():
                    if key.data is not None:
                        self._reap(key.data)
                    elif not self._listen():
                        return
        finally:
            self._end_all()

    def _listen(self) -> bool:
        data = os.read(0, 1 << 16)
        if self.hangup.poll(0):  # nobody waits for what was asked a moment ago
            return False
        *lines, self.heard = (self.heard + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if "start" in told:
                self._start(Job(**told["start"]))
            elif told["kill"] in self.alive:
                os.kill(self.alive[told["kill"]][0], signal.SIGKILL)
        return bool(data)

    def _start(self, job: Job) -> None:
        report, reporting = os.pipe()
        nursery = os.getpid()
        process = os.fork()
        if not process:
            os.close(report)
            _be_worker(job, reporting, nursery)
        os.close(reporting)
        pidfd = os.pidfd_open(process)
        self.alive[job.run] = process, pidfd, report
        self.selector.register(pidfd, selectors.EVENT_READ, job.run)

    def _reap(self, run: str) -> None:
        process, pidfd, report = self.alive.pop(run)
        self.selector.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(process, 0)
        reason = os.read(report, 1 << 16).decode(errors="replace")  # all of it fits the pipe
        os.close(report)
        exit_code = os.waitstatus_to_exitcode(status)
        if exit_code < 0:
            reason = f"the worker was killed by signal {-exit_code} ({signal.strsignal(-exit_code)})"
        _tell({"ended": Ended(run, exit_code, reason)._asdict()})

    def _end_all(self) -> None:
        """Ask the workers to save and end; kill who does not."""
        for process, _, _ in self.alive.values():
            os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        self.selector.unregister(0)
        while self.alive and time.monotonic() < deadline:
            for key, _ in self.selector.select(deadline - time.monotonic()):
                self._reap(key.data)
        for process, _, _ in self.alive.values():
            os.kill(process, signal.SIGKILL)


def _be_worker(job: Job, reporting: int, nursery: int) -> NoReturn:
    """Train, report, and end without returning to what the parent was doing."""
    exit_code = 1
    try:
        die_with(nursery)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):  # the coordinator reads JSON on 1; what went wrong stands in the run's journal
            os.dup2(nothing, standard)
        ended = work(job)
        exit_code = ended.exit_code
        os.write(reporting, ended.reason[:LONGEST_REASON].encode(errors="replace"))
    finally:
        os._exit(exit_code)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent`, which forked it, dies. Linux only; elsewhere nothing."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def _tell(told: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # the coordinator died, which standard input will say
        os.write(1, json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    main()
