"""When a run was at work: its segments, from start or resume to the last sign of life before the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Segment(NamedTuple):
    """One uninterrupted stretch of training."""

    began: str  # `started` or `resumed`
    at: str  # ISO 8601
    from_step: int
    to_step: int  # of the last journal entry that names a step
    seconds: float  # wall time until the last journal entry of the stretch


def segments(journal: Iterable[Mapping[str, Any]]) -> list[Segment]:
    """The stretches a journal tells of. Time between a stop and the next resume belongs to none.

    Args:
        journal: Entries {"at": ISO 8601, "what": ..., "step"?: int} in order; entries without a readable
            time count for their step only.
    """
    told: list[Segment] = []
    for entry in journal:
        what, at, step = entry.get("what"), _time(entry.get("at")), entry.get("step")
        if what == "notice":
            continue  # written while recovering: its time is that of the next segment
        if what in ("started", "resumed"):
            begins = step if isinstance(step, int) else 0
            told.append(Segment(str(what), str(entry.get("at", "")), begins, begins, 0.0))
        elif told:
            last = told[-1]
            began = _time(last.at)
            # A clock set back during a run must not make its time negative.
            seconds = max(last.seconds, _seconds(began, at)) if began and at else last.seconds
            reached = max(last.to_step, step) if isinstance(step, int) else last.to_step
            told[-1] = last._replace(to_step=reached, seconds=seconds)
    return told


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _seconds(began: datetime, ended: datetime) -> float:
    aware = began.tzinfo is not None and ended.tzinfo is not None
    # One aware and one naive time cannot be subtracted; both without their zone can.
    return ((ended - began) if aware else (ended.replace(tzinfo=None) - began.replace(tzinfo=None))).total_seconds()
