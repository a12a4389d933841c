"""The writer's lock of a run: the kernel's flock, freed on any death of its owner, never passed to a child."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from ..base.errors import StoreError
from . import durable, layout

_PATIENCE_S = 0.2  # a reader asking "is it locked?" has it for some microseconds; outlast that


class Lock:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, path: Path, what: str | None = None) -> None:
        fd = durable.try_lock(path)
        deadline = time.monotonic() + _PATIENCE_S
        while fd is None:
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{what or f'Run {path.parent.name}'} is being written by {_owner(path)}. Two writers would spoil "
                    "it: stop that process, or wait until it ends. Reading (list, show, report) is possible meanwhile."
                )
            time.sleep(0.01)
            fd = durable.try_lock(path)
        self._fd = fd
        _held.add(self)
        with suppress(StoreError):  # who holds it only informs; a full disk must not lock a run out
            durable.overwrite(path, fd, json.dumps(_identity()).encode() + b"\n")

    @property
    def held(self) -> bool:
        """False after `release`, and in a forked child."""
        return self._fd >= 0

    def release(self) -> None:
        """Let the next writer in; again is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


_held: WeakSet[Lock] = WeakSet()


def _leave_to_parent() -> None:
    # Closed, not unlocked: LOCK_UN would take the lock from the parent as well, which shares the open file.
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_leave_to_parent)


def _identity() -> dict[str, object]:
    boot = ""
    with suppress(StoreError):
        boot = durable.read(Path("/proc/sys/kernel/random/boot_id")).decode().strip()
    return {"pid": os.getpid(), "host": os.uname().nodename, "boot": boot, "since": layout.now()}


def _owner(path: Path) -> str:
    try:
        known = json.loads(durable.read(path))
        return f"process {known['pid']} on {known['host']} since {known['since']}"
    except (StoreError, ValueError, KeyError, TypeError):
        return "another process"
