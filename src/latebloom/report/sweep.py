"""A study in words: its plan before, its runs while they train, how it stands after."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from ..analysis.standing import Progress
from ..store import Planned, StoredRun, StoredStudy
from .summary import duration
from .text import visible

REDRAW_S = 1.0
LINES_EVERY_S = 30.0
SHOWN_RUNS = 16


def label(of: Mapping[str, Any]) -> str:
    """`arm=l1 seed=3`, keys by their last word."""
    return visible(" ".join(f"{key.rpartition('.')[2]}={value}" for key, value in of.items()), 80)


def plan_text(name: str, labels: Sequence[Mapping[str, Any]], *, every: bool = False) -> str:
    """What will be trained: how many runs, along which axes, and on request each of them."""
    axes: dict[str, dict[str, None]] = {}
    for one in labels:
        for key, value in one.items():
            axes.setdefault(key, {})[str(value)] = None
    lines = [f"study {visible(name)}: {len(labels):,} run{'s' * (len(labels) != 1)}"]
    lines += [f"  {visible(key)}: {visible(', '.join(values), 200)}   ({len(values)})" for key, values in axes.items()]
    lines += [f"  {number:>5,}  {label(one)}" for number, one in enumerate(labels, 1)] if every else []
    return "\n".join(lines)


def standing(progress: Progress) -> str:
    """`12 of 50 finished, 1 diverged, 2 running, 35 waiting`."""
    parts = [f"{progress.finished:,} of {progress.total:,} finished"]
    parts += [f"{progress.diverged:,} diverged"] if progress.diverged else []
    parts += [f"{len(progress.given_up):,} given up"] if progress.given_up else []
    parts += [f"{len(progress.running):,} running"] if progress.running else []
    parts += [f"{progress.waiting:,} waiting"] if progress.waiting else []
    return ", ".join(parts)


def result(run: StoredRun | None) -> str:
    """What a run has come to, in a few words."""
    if run is None:
        return "not started"
    told = run.summary
    generalized, memorized = told.get("generalized_step"), told.get("memorized_step")
    if isinstance(generalized, int):
        return f"generalized at {generalized:,}"
    reached = f"memorized at {memorized:,}" if isinstance(memorized, int) else "not memorized"
    return f"{reached}, not generalized by {run.step:,}"


def runs_text(study: StoredStudy, given_up: Mapping[str, str]) -> str:
    """Every run of a study with its state; those given up with the reason."""
    rows = []
    for one in study.planned:
        run = study.run(one)
        status = "given up" if one.run in given_up else run.status if run else "waiting"
        told = given_up.get(one.run, "").splitlines()
        rows.append((one.run, label(one.label), status, visible(told[0], 120) if told else result(run)))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]) for row in rows
    )


class SweepView:
    """A sweep as it goes: a table on a terminal, lines elsewhere. To stderr, never to stdout."""

    def __init__(
        self, *, quiet: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._quiet, self._clock = quiet, clock
        self._live: Any = None
        self._done_before: int | None = None
        self._due = 0.0

    def start(self, study: StoredStudy, slots: int) -> None:
        """The sweep begins, or goes on."""
        self._study, self._slots, self._began = study, slots, self._clock()
        self._last: list[str] = []
        if not self._quiet and self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(file=self._stream), auto_refresh=False)
            self._live.start()

    def update(self, progress: Progress) -> None:
        """Some time has passed."""
        over = progress.finished + progress.diverged + len(progress.given_up)
        if self._done_before is None:
            self._done_before = over
        if self._quiet or self._clock() < self._due:
            return
        self._due = self._clock() + (REDRAW_S if self._live else LINES_EVERY_S)
        head = f"{standing(progress)}{self._left(progress, over - self._done_before)}"
        if self._live:
            self._live.update(self._table(progress, head), refresh=True)
        else:
            self._write(head)

    def ended(self, planned: Planned, run: StoredRun | None, text: str) -> None:
        """An attempt ended."""
        line = f"{label(planned.label)}: {visible(text, 160)}" + (f", {result(run)}" if text == "finished" else "")
        self._last = [*self._last, line][-4:]
        if not self._quiet and not self._live:
            self._write(line)

    def stopping(self) -> None:
        """Somebody asked to stop."""
        told = "stopping: the runs are being saved"
        if self._live:
            self._live.update(told, refresh=True)
        elif not self._quiet:
            self._write(told)

    def stop(self) -> None:
        """The sweep is over."""
        if self._live:
            self._live.stop()
            self._live = None

    def _left(self, progress: Progress, done: int) -> str:
        if not done:
            return ""
        each_s = (self._clock() - self._began) / done
        return f", about {duration(each_s * (progress.waiting + len(progress.running) / 2))} left"

    def _table(self, progress: Progress, head: str) -> Any:
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        rows = Table.grid(padding=(0, 2))
        for one in progress.running[:SHOWN_RUNS]:
            run = self._study.run(one)
            phase = str(run.summary.get("phase", "")) if run else "starting"
            accuracy = run.summary.get("val/accuracy") if run else None
            rows.add_row(
                Text(label(one.label)),
                Text(f"{run.step if run else 0:,}", justify="right"),
                Text(visible(phase)),
                Text(f"val {accuracy:.1%}" if isinstance(accuracy, float) else ""),
            )
        whole = Table.grid()
        whole.add_row(Text(head))
        whole.add_row(rows)
        for line in self._last:
            whole.add_row(Text(line, "dim"))
        return Panel(whole, title=Text(visible(self._study.name, 80), "bold"), title_align="left")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
