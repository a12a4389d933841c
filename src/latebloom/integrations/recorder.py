"""Any training loop: hand over what it measures, ask what it shows.

    with Recorder("metrics.jsonl") as recorder:
        for step in range(steps):
            ...
            recorder.log(step, train_acc=train_acc, test_acc=test_acc)
    recorder.verdict.headline

Tensors are taken without waiting for the device: they are copied where they are, and become numbers together, some time
later. Nothing that goes wrong here ends the loop; it is said once.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..base.errors import DataError, StoreError
from ..detect import EpochMetrics, GrokAnalysis, GrokDetector, Verdict
from .follower import Follower, Row, Stop
from .held import hold, release
from .row_log import RowLog

EVERY_S = 1.0  # how old what is known may be, while the loop logs
MOST_HELD = 1000  # rows that wait to become numbers
_ALONE = 20  # rows without a validation reading, after which one is asked for


def say_to_stderr(text: str) -> None:
    """Where a recorder speaks, unless it is told otherwise."""
    with suppress(OSError, ValueError):  # nobody there any more
        print(f"latebloom: {text}", file=sys.stderr)


class Recorder:
    """Records one training and says what it shows.

    Args:
        log: Also write every row here, as JSON Lines that `latebloom diagnose` and `latebloom watch` read. A file that
            is there already is gone on with.
        mapping: Our name -> yours, where the names do not say enough, e.g. {"val/accuracy": "acc_ema"}.
        stop: A stopping rule such as `latebloom.detect.AfterGeneralization()`, or a question about each analysis; ask
            `why_stop()` for the answer. The recorder itself never ends a loop.
        say: Told in sentences, each kind once: what the names are taken for, phases, recommendations, warnings.
            None: silence.

    Attributes:
        log_path: The file, if there is one.
    """

    def __init__(
        self,
        log: str | Path | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        stop: Stop | None = None,
        say: Callable[[str], None] | None = say_to_stderr,
    ) -> None:
        self.log_path = Path(log) if log is not None else None
        self._say = say
        self._said: set[str] = set()
        self._follower = Follower(mapping, stop)
        self._held: list[tuple[int, dict[str, Any]]] = []  # the last one is still open
        self._flushed_at = time.monotonic()
        self._closed_step: int | None = None
        self._alone = 0
        self._file: RowLog | None = None
        self._is_writable = True

    def log(self, step: int, readings: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Hand over what was measured at a step.

        Calls with the same step are one row. A step before the last one means that the training goes on from an earlier
        checkpoint: what was read from there on counts no more.

        Args:
            step: Updates or epochs done; never counted anew.
            readings: Numbers by name: Python's, NumPy's, or tensors with one element on any device.
            **named: More of them.

        Raises:
            DataError: The step is no whole number.
        """
        if isinstance(step, bool) or not hasattr(step, "__index__"):
            raise DataError(f"step = {step!r} is no whole number; give the number of updates or epochs done")
        step = step.__index__()
        given = {**(readings or {}), **named}
        row = {name: held for name, value in given.items() if (held := hold(value)) is not None}
        for name in given.keys() - row.keys():
            kind = type(given[name]).__name__
            self._tell(f"{name!r} is left out: {kind} is not a single number", f"number {name}")
        if not row:
            return
        if self._held and self._held[-1][0] == step:
            self._held[-1][1].update(row)
            return
        last = self._held[-1][0] if self._held else self._closed_step
        if step == last:
            self._tell(f"readings of step {step:,} came after it was judged; they are not used", "late")
            return
        if last is not None and step < last:
            self._closed_step = None
            self._tell(
                f"the steps went back from {last:,} to {step:,}: taken for a training that goes on from there. If your "
                "steps begin anew in every epoch, give a number that never does.",
                "back",
            )
        self._held.append((step, row))
        if len(self._held) > MOST_HELD or time.monotonic() - self._flushed_at > EVERY_S:
            self._flush(keep_open=True)

    @property
    def analysis(self) -> GrokAnalysis:
        """What is known after the last row. Asking completes it: readings of its step that come later are not used."""
        self._flush()
        return self._follower.analysis or GrokDetector().update(EpochMetrics(0, None, None))

    @property
    def verdict(self) -> Verdict:
        """What the training shows so far, with the numbers that decided. Completes the last row, as `analysis`."""
        self._flush()
        return self._follower.detector.verdict()

    def why_stop(self, before: int | None = None) -> str | None:
        """The reason to stop, if `stop` found one.

        Args:
            before: Look at rows of earlier steps only, since there may be more to come of this one. By default all are
                looked at, which completes the last row, as `analysis`.
        """
        self._flush(keep_open=before is not None and bool(self._held) and self._held[-1][0] >= before)
        return self._follower.why_stop

    @property
    def mapped(self) -> dict[str, str]:
        """Our readings, and the names they come under here. Completes the last row, as `analysis`."""
        self._flush()
        return dict(self._follower.names.theirs)

    @property
    def detector(self) -> GrokDetector:
        """The detector, for its events, summary and report. Completes the last row, as `analysis`."""
        self._flush()
        return self._follower.detector

    @property
    def rows(self) -> list[Row]:
        """What the detector was given: step, and numbers under your names. Completes the last row, as `analysis`."""
        self._flush()
        return [(step, dict(row)) for step, row in self._follower.rows]

    def state_dict(self) -> dict[str, Any]:
        """All that is known, as plain data for a checkpoint. The last row stays open."""
        self._flush(keep_open=True)
        still_open = [[step, release([row])[0]] for step, row in self._held]
        return {"version": 1, **self._follower.state_dict(), "open": still_open, "closed_step": self._closed_step}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from a saved state: what follows is then the same as without a stop.

        Raises:
            DataError: It is the state of a later version.
        """
        if saved.get("version") != 1:
            raise DataError(f"this is no state that this version reads: version {saved.get('version')!r}, expected 1")
        self._follower.load_state_dict(saved)
        self._held = [(int(step), dict(row)) for step, row in saved["open"]]
        self._closed_step = saved["closed_step"]
        self._introduce(silent=True)

    def be_quiet(self) -> None:
        """Say nothing and write nothing from here on: for the processes beside the first of a distributed training."""
        self._say, self._is_writable = None, False

    def close(self) -> None:
        """Judge what is left, say what the training shows, close the file. Again is fine."""
        self._flush()
        if self._follower.analysis is not None:
            self._tell(self._follower.detector.verdict().headline, "verdict")
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except StoreError as error:
            self._tell(f"the log may not survive a power cut: {error}", "file")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # ---- from what is held to what is known

    def _flush(self, keep_open: bool = False) -> None:
        self._flushed_at = time.monotonic()
        count = len(self._held) - keep_open
        if count <= 0:
            return
        ready, self._held = self._held[:count], self._held[count:]
        if not keep_open:
            self._closed_step = ready[-1][0]
        rows = release([row for _, row in ready])
        for (step, _), row in zip(ready, rows, strict=True):
            self._write(step, row)
            try:
                self._take(step, row)
            except Exception as error:  # a training of days must not end by what watches it
                self._tell(f"step {step:,} could not be judged: {type(error).__name__}: {error}", "trouble")

    def _take(self, step: int, row: dict[str, float]) -> None:
        follower = self._follower
        before = follower.analysis
        follower.take(step, row)
        self._introduce()
        now = follower.analysis
        if now is None:
            return
        if before is None or before.current_phase != now.current_phase:
            was = f"{before.current_phase.value} -> " if before else ""
            self._tell(f"step {step:,}: {was}{now.current_phase.value}", f"phase {step}")
        for text in (*now.recommendations, *now.warnings):
            self._tell(text, re.sub(r"[-+\d.,%]+", "#", text))
        if follower.why_stop is not None:
            self._tell(f"may stop: {follower.why_stop}", "stop")
        self._alone = 0 if any(name.startswith("val/") for name in follower.names.theirs) else self._alone + 1
        if self._alone == _ALONE:
            self._tell(
                "no validation reading has come yet, e.g. val_accuracy. Training readings never stand in for one: "
                "without it nothing is known of generalization.",
                "alone",
            )

    def _introduce(self, silent: bool = False) -> None:
        """Say once what each name is taken for."""
        names = self._follower.names
        found = [f"{theirs!r} is read as {ours}" for ours, theirs in names.theirs.items()]
        found += [f"{name!r} is recorded, not judged" for name in names.unjudged]
        new = [text for text in found if text not in self._said]
        self._said.update(new)
        if new and self._say is not None and not silent:
            self._say("; ".join(new))

    def _tell(self, text: str, kind: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            if self._say is not None:
                self._say(text)

    def _write(self, step: int, row: Mapping[str, float]) -> None:
        if self.log_path is None or not self._is_writable:
            return
        try:
            if self._file is None:
                self._file = RowLog(self.log_path, self._follower.names.mapping)
            self._file.append(step, row)
        except StoreError as error:
            self._is_writable = False
            self._tell(f"no more rows are written to {self.log_path}: {error}", "file")
