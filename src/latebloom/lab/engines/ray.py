"""Workers on the nodes of a Ray cluster, or of one that lives as long as the sweep. Needs the extra `ray`.

Nothing of Ray's own state is needed to go on: what there is to train stands in the study's plan, how far it is in the
run folders, which all nodes see under the same path.

Only a process of ours talks to Ray (`ray_driver`). It gets what Ray reads from the environment; that of the user's
process stays as it was. A token is always asked for: without one, whoever reaches a cluster runs code on it.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import time
from importlib.metadata import version
from typing import Any

from ...base.errors import EngineError, MissingExtra
from ..companion import Companion
from .job import Ended, Job

OLDEST = (2, 52)  # CVE-2025-62593: before, a web page could run code on a cluster
CONNECTING_S = 120.0
CLOSING_S = 30.0

SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # or `uv run` has Ray copy the working folder, runs and all, to each node
}
PRIVATE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # Ray's name for: one machine, and nobody else can connect


class Ray:
    """As many workers as the cluster has CPUs for, each the process of one run.

    Args:
        most: Runs at a time, at most; None: as many as there is room for.
        address: Of the cluster, e.g. 10.0.0.1:6379; this machine must be one of its nodes. None: one is started on
            this machine, with a token of its own, and stopped by `close`.

    Raises:
        MissingExtra: Ray is not installed, or too old.
        EngineError: There is no cluster at the address, or not with our token.
    """

    def __init__(self, most: int | None = None, address: str | None = None) -> None:
        _check_installed()
        self.slots = 0
        self._most, self._address = most, address
        self._nodes: list[float] = []  # CPUs of each
        self._threads = 1  # of a run
        self._running: set[str] = set()
        self._driver: Companion | None = None
        self._connect()

    def start(self, job: Job) -> None:
        """Begin a job, as soon as a node has room for it.

        Raises:
            EngineError: No node ever has; or the cluster was lost, and is not there again.
        """
        if self._driver is None:
            self._connect()
        assert self._driver is not None
        threads = int(job.spec["threads"])
        if threads > max(self._nodes, default=threads):
            raise EngineError(f"run {job.run} has threads = {threads}; the largest node has {max(self._nodes):g} CPUs")
        self._threads = max(self._threads, threads)
        self._count()
        self._running.add(job.run)
        self._driver.tell({"start": job._asdict()})

    def ended(self, timeout_s: float) -> list[Ended]:
        """The jobs that ended since the last call; waits so long for the first.

        Raises:
            EngineError: A node cannot be used: it does not see the store, or has no latebloom like ours.
        """
        if self._driver is None:
            time.sleep(timeout_s)
            return []
        try:
            found = [Ended(**told["ended"]) for told in self._hear(timeout_s) if "ended" in told]
        except EOFError as error:
            self.close()
            reason = f"the connection to Ray was lost; its last words: {str(error) or 'none'}"
            found = [Ended(run, -signal.SIGKILL, reason) for run in self._running]
        self._running -= {one.run for one in found}
        return found

    def kill(self, run: str) -> None:
        """End a job at once. One that still waits for room is left waiting."""
        if self._driver is not None:
            self._driver.tell({"kill": run})

    def close(self) -> None:
        """Ask the jobs to save and end, wait for them, and stop the cluster if it is ours."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close(CLOSING_S)

    def _connect(self) -> None:
        ours = {} if self._address else {**PRIVATE, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        environment = os.environ | SETTINGS | ours
        self._driver = Companion("latebloom.lab.engines.ray_driver", self._address or "", environment=environment)
        try:
            if not self._hear(CONNECTING_S):
                raise EngineError(f"Ray does not answer within {CONNECTING_S:g} s")
        except BaseException as error:
            self.close()
            if isinstance(error, EOFError):
                raise EngineError(f"the process that talks to Ray died: {error}") from None
            raise

    def _hear(self, timeout_s: float) -> list[dict[str, Any]]:
        assert self._driver is not None
        told = self._driver.hear(timeout_s)
        for one in told:
            if "refused" in one:
                raise EngineError(one["refused"])
            self._nodes = one.get("nodes", self._nodes)
        self._count()
        return told

    def _count(self) -> None:
        room = sum(int(cpus // self._threads) for cpus in self._nodes)
        self.slots = room if self._most is None else min(room, self._most)


def _check_installed() -> None:
    try:
        found = importlib.util.find_spec("ray")
    except ImportError:
        found = None
    if found is None:
        raise MissingExtra("the engine ray needs the package ray, which is not installed: pip install 'latebloom[ray]'")
    if tuple(int(part) for part in version("ray").split(".")[:2]) < OLDEST:
        least = ".".join(map(str, OLDEST))
        raise MissingExtra(f"ray {version('ray')} is too old to be safe: pip install 'ray>={least}' on every node")
