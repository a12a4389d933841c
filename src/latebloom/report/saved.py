"""Checkpoints in words: a run's list, one in full, several side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..analysis.bests import BestKept
from ..analysis.story import Story, tell
from ..store import Checkpoint, StoredRun
from .page import flat
from .summary import facts
from .text import visible

READINGS = ("train/accuracy", "val/accuracy", "train/loss", "val/loss")


def checkpoints_table(saved: Iterable[Checkpoint]) -> str:
    """One line per checkpoint: step, readings, size, when and why."""
    rows: list[tuple[str, ...]] = [("step", *READINGS, "MB", "saved at", "kept as")]
    for c in saved:
        readings = [_number(c.readings, name) for name in READINGS]
        rows.append((f"{c.step:,}", *readings, f"{c.size_bytes / 1e6:.1f}", c.saved_at[:19], ", ".join(c.labels)))
    return columns(rows, right=7) if len(rows) > 1 else "There are no checkpoints."


def bests_table(found: Sequence[BestKept], ways_back: Sequence[str]) -> str:
    """One line per reading: its best, what is kept of it, how it ended; then how to go back, if something was lost."""
    rows: list[tuple[str, ...]] = [("reading", "best", "at step", "kept at", "value there", "last", "")]
    for one in found:
        kept = (
            ("none", "") if one.checkpoint_step is None else (f"{one.checkpoint_step:,}", f"{one.checkpoint_value:.4g}")
        )
        lost = "degraded" if one.is_lost else ""
        rows.append((one.reading, f"{one.value:.4g}", f"{one.step:,}", *kept, f"{one.last:.4g}", lost))
    if len(rows) == 1:
        return "Nothing was read that could have a best."
    return "\n".join([columns(rows, right=6), *("\n" + visible(way) for way in ways_back)])


def checkpoint_page(run: StoredRun, step: int) -> str:
    """One checkpoint in full: where, performance, grokking status as known at that step, configuration."""
    story = tell(run)
    saved = next(c for c in story.checkpoints if c.step == step)
    known = [f"{event.kind} at step {event.step:,}" for event in story.events if event.known_at <= step]
    phase = next((span.phase for span in reversed(story.phases) if span.from_step <= step), "–")
    lines = [
        f"run        {story.name} ({story.id}), seed {story.seed}",
        f"step       {step:,} of {story.spec.get('steps', 0):,}, saved {saved.saved_at} as {', '.join(saved.labels)}",
        f"files      {saved.path}, {saved.size_bytes:,} bytes",
        f"phase      {phase}",
        f"known by then: {'; '.join(known) or 'nothing'}",
        *(f"  {name} = {value:.6g}" for name, value in saved.readings.items()),
        "configuration",
        *(f"  {key} = {value}" for key, value in flat(story.spec)),
    ]
    return "\n".join(visible(line) for line in lines)


def tensors_table(shapes: Mapping[str, tuple[tuple[int, ...], str]]) -> str:
    """One line per tensor: name, shape, type."""
    rows = [("tensor", "shape", "type"), *((n, " x ".join(map(str, s)) or "scalar", t) for n, (s, t) in shapes.items())]
    return columns(rows, right=0)


def compare_table(wanted: Sequence[tuple[StoredRun, int]]) -> str:
    """Checkpoints side by side: readings, crossings of their runs, and the settings that differ."""
    stories = [tell(run) for run, _ in wanted]
    saved = [next(c for c in s.checkpoints if c.step == step) for s, (_, step) in zip(stories, wanted, strict=True)]
    rows = [
        ("", *(f"{s.name} ({s.id[-6:]})" for s in stories)),
        ("step", *(f"{c.step:,}" for c in saved)),
        *((name, *(_number(c.readings, name) for c in saved)) for name in READINGS),
        *((what, *(facts(s)[place][1] for s in stories)) for place, (what, _, _) in enumerate(facts(stories[0]))),
        ("verdict", *(s.verdict.family.replace("_", " ") for s in stories)),
    ]
    different = [(key, *values) for key, values in _settings(stories).items() if len(set(values)) > 1]
    return columns(rows + ([("settings that differ", *[""] * len(stories))] if different else []) + different, right=0)


def columns(rows: Sequence[Sequence[str]], *, right: int) -> str:
    """Aligned text; the first `right` columns are right-aligned."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join(
        "  ".join(
            c.rjust(w) if n < right else c.ljust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in shown
    )


def _settings(stories: Sequence[Story]) -> dict[str, tuple[str, ...]]:
    tables = [dict(flat(story.spec)) for story in stories]
    keys = dict.fromkeys(key for table in tables for key in table)
    return {key: tuple(str(table.get(key, "–")) for table in tables) for key in keys}


def _number(readings: Mapping[str, float], name: str) -> str:
    return "–" if name not in readings else f"{readings[name]:.4g}"
