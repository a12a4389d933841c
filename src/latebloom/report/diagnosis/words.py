"""A diagnosis in words: the verdict first, then what it rests on, and what became of the log's columns."""

from __future__ import annotations

from collections.abc import Iterable

from ...analysis.diagnosis import Diagnosis
from ...base.record import Event
from ...store.ingest import ForeignLog
from ..forecast import forecast_lines
from ..html import number
from ..text import visible

MOST_EVENTS = 12
MOST_PHASES = 12


def diagnosis_text(log: ForeignLog, found: Diagnosis) -> str:
    """For `latebloom diagnose`."""
    sections = [
        ("", [found.verdict.headline, found.verdict.refuted_by]),
        ("judged by", found.why),
        ("chance of generalizing", forecast_lines(found.forecast, log.axis)),
        ("best", [f"{name} {number(best['value'])} at {log.axis} {best['step']:,}" for name, best in bests(found)]),
        ("phases", some([span_text(span) for span in found.phases], MOST_PHASES)),
        ("events", some([event_text(event) for event in found.events], MOST_EVENTS)),
        ("the numbers that decided", evidence_lines(found)),
        ("the log", log_lines(log)),
    ]
    lines = [f"{log.path.name or log.path}: {found.verdict.family.replace('_', ' ').upper()}"]
    for title, rows in sections:
        lines += ["", *([title] if title else [])] if rows else []
        lines += [f"  {row}" if title else row for row in rows]
    return "\n".join(visible(line) for line in lines)


def bests(found: Diagnosis) -> list[tuple[str, dict[str, float | int]]]:
    """The best of every reading, validation first."""
    return sorted(found.bests.items(), key=lambda one: (not one[0].startswith("val/"), one[0]))


def span_text(span: tuple[int, int, str]) -> str:
    """A phase and its steps."""
    begin, end, phase = span
    return f"{phase:<12} {begin:>12,} to {end:,}"


def event_text(event: Event) -> str:
    """An event, when it became known, and its evidence."""
    told = ", ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in event.evidence.items())
    known = f", known at {event.known_at:,}" if event.known_at != event.step else ""
    return f"{event.kind.replace('_', ' ')} at {event.step:,}{known}" + (f": {told}" if told else "")


def evidence_lines(found: Diagnosis) -> list[str]:
    """Every number of the verdict that is known."""
    known = [(name, value) for name, value in found.verdict.evidence.items() if value is not None]
    return [f"{name.replace('_', ' '):<32} {shown(value)}" for name, value in known]


def log_lines(log: ForeignLog) -> list[str]:
    """What was taken for what, and what was left out."""
    axis = "readings are counted, for nothing says at which step they were taken"
    mapped = [f"{ours} is {theirs!r}" for ours, theirs in log.mapped.items()]
    return [
        f"read as {log.format}; " + (axis if log.axis == "line" else f"the axis counts {log.axis}s"),
        *some(mapped, 16),
        *log.converted,
        *log.notes,
        *(f"left out: {one}" for one in log.dropped),
    ]


def shown(value: object) -> str:
    """A number in few digits, anything else as it is."""
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def some(rows: Iterable[str], most: int) -> list[str]:
    """The first rows, and how many more there are."""
    rows = list(rows)
    return rows if len(rows) <= most else [*rows[: most - 1], f"and {len(rows) - most + 1:,} more"]
