"""A training as it goes: a panel on a terminal, plain lines elsewhere. Progress goes to stderr, never to stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO

from .sparkline import Sparkline
from .summary import duration
from .text import visible

REDRAW_S = 0.25
EVENTS_SHOWN = 4
SHOWN = ("train/accuracy", "val/accuracy", "train/loss", "val/loss", "train/r2", "val/r2")
PHASE_COLOURS = {
    "warmup": "white",
    "memorizing": "blue",
    "plateau": "yellow",
    "transition": "magenta",
    "generalized": "green",
    "degrading": "red",
}


class LiveView:
    """What a trainer feeds while it trains; `update` costs microseconds unless something is due to be shown."""

    def __init__(
        self,
        mode: Literal["auto", "panel", "lines", "quiet"] = "auto",
        *,
        every_s: float = 5.0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is shown before `start`.

        Args:
            mode: `auto` is a panel on a terminal and lines elsewhere.
            every_s: Fewest seconds between two lines.
            stream: Where to show; stderr if not given.
            clock: Seconds that only grow; tests hand in their own.
        """
        self._stream = sys.stderr if stream is None else stream
        self._mode = mode if mode != "auto" else "panel" if self._stream.isatty() else "lines"
        self._wait_s = REDRAW_S if self._mode == "panel" else every_s
        self._clock = clock
        self._due = float("inf")
        self._live: Any = None
        self._events: list[str] = []
        self._now: tuple[int, Mapping[str, float], str, float, float | None] = (0, {}, "", 0.0, None)

    def start(self, title: str, total_steps: int, *, may_end_sooner: bool = False) -> None:
        """Begin to show a run of this many steps, or of at most as many."""
        self._left = "at most {} left" if may_end_sooner else "{} left"
        self._title, self._total = visible(title, 60), max(total_steps, 1)
        self._sparklines = [Sparkline(total_steps), Sparkline(total_steps)]
        self._events = []
        self._due = self._clock()
        if self._mode == "panel":
            from rich.console import Console
            from rich.live import Live

            # Drawn from update(), not from a thread: nothing runs beside the training.
            self._live = Live(console=Console(file=self._stream), auto_refresh=False, transient=False)
            self._live.start()
        elif self._mode == "lines":
            self._write(f"{self._title}: {total_steps:,} steps")

    def recall(self, step: int, readings: Mapping[str, float]) -> None:
        """An evaluation from before a resumed run was stopped: belongs to the curves, but shows nothing."""
        self._now = (step, {**self._now[1], **readings}, *self._now[2:])
        for sparkline, name in zip(self._sparklines, SHOWN, strict=False):
            if name in readings:
                sparkline.add(step, readings[name])

    def update(
        self, step: int, readings: Mapping[str, float], phase: str, steps_per_s: float, seconds_left: float | None
    ) -> None:
        """The state after `step`; `readings` are those read at it: all, some or none."""
        readings = {**self._now[1], **readings} if readings else self._now[1]
        self._now = (step, readings, phase, steps_per_s, seconds_left)
        if self._mode == "quiet":
            return
        if self._mode == "panel":
            for sparkline, name in zip(self._sparklines, SHOWN, strict=False):
                if name in readings:
                    sparkline.add(step, readings[name])
        if self._clock() >= self._due:
            self._show()

    def event(self, text: str) -> None:
        """Something worth a line of its own, e.g. `memorized at step 1,150`."""
        if self._mode == "lines":
            self._write(visible(text))
        elif self._mode == "panel":
            self._events = [*self._events, visible(text, 100)][-EVENTS_SHOWN:]
            if self._live is not None:
                self._show()

    def stop(self) -> None:
        """Show the last state and leave the terminal as it was; again is fine."""
        if self._due == float("inf"):
            return
        self._show()
        self._due = float("inf")
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show(self) -> None:
        self._due = self._clock() + self._wait_s
        if self._live is not None:
            self._live.update(self._panel(), refresh=True)
        elif self._mode == "lines":
            self._write(self._line())

    def _line(self) -> str:
        step, readings, phase, steps_per_s, seconds_left = self._now
        shown = "  ".join(f"{name} {_reading(name, readings)}" for name in SHOWN if name in readings)
        return f"step {step:,}/{self._total:,}  {visible(phase)}  {shown}  {self._pace(steps_per_s, seconds_left)}"

    def _panel(self) -> Any:
        from rich.panel import Panel
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        step, readings, phase, steps_per_s, seconds_left = self._now
        curves = Table.grid(padding=(0, 2))
        curves.add_row("", "accuracy", "", Text("accuracy over log steps", style="dim"))
        for name, colour, sparkline in zip(("train", "val"), ("blue", "red"), self._sparklines, strict=True):
            accuracy, loss = (_reading(kind, readings) for kind in (f"{name}/accuracy", f"{name}/loss"))
            # Bars in a text, not markup: nothing a run is called can style the terminal.
            curves.add_row(
                name, accuracy.rjust(8), f"loss {loss}".ljust(15), Text(str(sparkline), colour, overflow="crop")
            )
        pace = Table.grid(padding=(0, 2))
        pace.add_row(
            ProgressBar(total=self._total, completed=min(step, self._total), width=24),
            f"{step:,} / {self._total:,}",
            self._pace(steps_per_s, seconds_left),
        )
        rows = Table.grid()
        rows.add_row(curves)
        rows.add_row(pace)
        for text in self._events:
            rows.add_row(Text(text))
        title = Text.assemble((self._title, "bold"), "  ", (visible(phase), PHASE_COLOURS.get(phase, "")))
        return Panel(rows, title=title, title_align="left", width=min(88, self._live.console.width))

    def _pace(self, steps_per_s: float, seconds_left: float | None) -> str:
        left = "" if seconds_left is None else f", {self._left.format(duration(seconds_left))}"
        return f"{steps_per_s:,.1f} steps/s{left}"

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def _reading(name: str, readings: Mapping[str, float]) -> str:
    if name not in readings:
        return "–"
    return f"{readings[name]:.1%}" if name.endswith("accuracy") else f"{readings[name]:.3g}"
