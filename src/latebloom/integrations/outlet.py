"""A process that tells a tracker of one run: `python -m latebloom.integrations.outlet wandb`.

Line by line as JSON, readings come in on standard input, and what became of them goes out on standard output. It is a
process of its own because of what trackers do to the one that uses them: they start threads and servers, wait for
networks, take signals, and print. Here they can hang or die, and the training does not notice.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from ..base.errors import LatebloomError, SpecError
from ..base.record import Event
from ..store.jsonl import revive
from .tracker import TrackedRun, Tracker

TRACKERS = {"wandb": "latebloom.integrations.wandb:Wandb", "mlflow": "latebloom.integrations.mlflow:Mlflow"}


def main() -> None:
    """Serve until standard input ends."""
    out = os.dup(1)
    os.dup2(2, 1)  # trackers print

    def tell(told: dict[str, Any]) -> None:
        os.write(out, json.dumps(told).encode() + b"\n")

    try:
        serve(tracker_named(sys.argv[1]), messages(), tell)
    except LatebloomError as error:
        tell({"failed": str(error)})
    except Exception as error:
        tell({"failed": f"{type(error).__name__}: {error}"})


def serve(tracker: Tracker, told: Iterator[dict[str, Any]], tell: Any) -> None:
    """Hand a tracker what is told, until there is nothing more.

    A training that dies says no last word; its tracker is told `crashed`.
    """
    tell({"ready": tracker.start(TrackedRun(**next(told)["start"]))})
    status = "crashed"
    for one in told:
        if "readings" in one:
            tracker.log(one["step"], revive(one["readings"]))
        elif "event" in one:
            tracker.event(Event(**revive(one["event"])))
        else:
            status = one["end"]
            break
    tracker.finish(status)
    tell({"done": status})


def messages() -> Iterator[dict[str, Any]]:
    """What comes in on standard input."""
    for line in sys.stdin:
        yield json.loads(line)


def tracker_named(name: str) -> Tracker:
    """The tracker that a name means: one of ours, or `package.module:Class` of anybody's.

    Raises:
        SpecError: There is no such tracker.
        MissingExtra: Its package is not installed.
    """
    module, colon, kind = TRACKERS.get(name, name).partition(":")
    if not colon:
        raise SpecError(f"there is no tracker {name!r}. There are: {', '.join(TRACKERS)}, or package.module:Class")
    found: Tracker = getattr(importlib.import_module(module), kind)()
    return found


if __name__ == "__main__":
    main()
