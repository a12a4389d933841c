"""Kill a process, or fail the disk, at exactly the k-th file system call of the store.

    total = count_calls(action)
    for k in range(1, total + 1):
        outcome = run_until_call(k, action)      # a forked child runs the action and is SIGKILLed at call k

An action takes `report`, which hands a JSON value to the parent at once: what was acknowledged before the death.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from latebloom.store import durable

Report = Callable[[Any], None]
Action = Callable[[Report], object]


class Outcome(NamedTuple):
    was_killed: bool
    reports: list[Any]  # what the action reported, in order, also before a death
    error: str  # the traceback, if the action raised
    calls: list[str]  # every call it made, e.g. "rename state.json"; empty if it was killed


def count_calls(action: Action) -> int:
    """How many file system calls the action makes when nothing disturbs it."""
    outcome = run_until_call(0, action)
    assert not outcome.error, outcome.error
    return len(outcome.calls)


def run_until_call(k: int, action: Action, *, timeout_s: float = 120.0) -> Outcome:
    """Run the action in a forked child that dies right before its k-th call; k = 0 lets it live."""
    read_fd, write_fd = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(k, action, write_fd)
    os.close(write_fd)
    reports, error, calls = [], "", []
    for kind, value in map(json.loads, _read_all(read_fd, child, timeout_s).splitlines()):
        if kind == "report":
            reports.append(value)
        elif kind == "error":
            error = value
        else:
            calls = value
    status = os.waitpid(child, 0)[1]
    return Outcome(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, reports, error, calls)


class Failing(NamedTuple):
    calls: list[str]  # every call made inside, e.g. "fsync state.json"
    failed: list[str]  # those that failed


@contextmanager
def failing(k: int, code: int, *, is_persistent: bool = False) -> Iterator[Failing]:
    """Inside, the k-th call, or every one from the k-th on, raises `OSError(code)`; k = 0 only counts."""
    seen = Failing([], [])

    def fail(operation: str, path: Path) -> None:
        call = f"{operation} {path.name}"
        seen.calls.append(call)
        if k and (len(seen.calls) == k or (is_persistent and len(seen.calls) > k)):
            seen.failed.append(call)
            raise OSError(code, os.strerror(code))

    with observing(fail):
        yield seen


@contextmanager
def observing(observe: Callable[[str, Path], None]) -> Iterator[None]:
    """Inside, every file system call of the store is announced to `observe` before it happens."""
    before, durable.observe = durable.observe, observe
    try:
        yield
    finally:
        durable.observe = before


def _be_the_child(k: int, action: Action, fd: int) -> None:
    calls: list[str] = []

    def send(kind: str, value: Any) -> None:
        data = (json.dumps([kind, value]) + "\n").encode()
        while data:
            data = data[os.write(fd, data) :]

    def die_at_k(operation: str, path: Path) -> None:
        calls.append(f"{operation} {path.name}")
        if len(calls) == k:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        durable.observe = die_at_k
        action(lambda value: send("report", value))
        send("calls", calls)
    except BaseException:
        send("error", traceback.format_exc())
    finally:
        os._exit(0)  # no clean-up of the parent's: it is not ours


def _read_all(fd: int, child: int, timeout_s: float) -> bytes:
    deadline, data = time.monotonic() + timeout_s, b""
    try:
        while True:
            if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise TimeoutError(f"the action did not end within {timeout_s} s")
            chunk = os.read(fd, 1 << 16)
            if not chunk:
                return data
            data += chunk
    finally:
        os.close(fd)
