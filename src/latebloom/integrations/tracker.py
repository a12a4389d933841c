"""What a tracker is, to us: something that is told of a run while it trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ..base.record import Event


class TrackedRun(NamedTuple):
    """The run that is told of."""

    id: str
    name: str
    seed: int
    study: str | None
    spec: dict[str, Any]
    step: int  # at which this stretch begins; more than 0 for a resumed run


class Tracker(Protocol):
    """Interface of what can be named after `--track`. It has a process of its own, and may be slow or fail."""

    def start(self, run: TrackedRun) -> str:
        """The run begins, or goes on. Where to look at it, in words."""
        ...

    def log(self, step: int, readings: Mapping[str, float]) -> None:
        """What was read at a step; steps rise."""
        ...

    def event(self, event: Event) -> None:
        """Something became known."""
        ...

    def finish(self, status: str) -> None:
        """`finished`, `interrupted`, `diverged` or `failed`; `crashed` if the training died without a word."""
        ...


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings under dotted names.

    Example:
        >>> flat({"steps": 3, "task": {"kind": "modular", "modulus": 7}})
        {'steps': 3, 'task.kind': 'modular', 'task.modulus': 7}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found
