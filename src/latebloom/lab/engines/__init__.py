"""Where the runs of a study are trained: each in a process of its own, here or on other machines."""

from __future__ import annotations

import os

from ...base.errors import SpecError
from .job import NO_ROOM, Ended, Engine, Job
from .local import Local

__all__ = ["NO_ROOM", "Ended", "Engine", "Job", "Local", "engine_of"]


def engine_of(name: str, slots: int | None = None, address: str | None = None) -> Engine:
    """The engine that a name means.

    Args:
        name: `local` or `ray`.
        slots: Runs at a time; None: one per core of this machine, or as many as the cluster has room for.
        address: Of the Ray cluster; None: one is started on this machine.

    Raises:
        SpecError: There is no such engine, or it has no address.
        MissingExtra, EngineError: See `ray.Ray`.
    """
    if name == "ray":
        from .ray import Ray  # an optional package, asked for by whoever names it

        return Ray(slots, address)
    if name != "local":
        raise SpecError(f"engine = {name!r} is unknown. Known: local, ray")
    if address is not None:
        raise SpecError(f"address = {address!r} means a Ray cluster; with it, choose the engine ray")
    return Local(len(os.sched_getaffinity(0)) if slots is None else slots)
