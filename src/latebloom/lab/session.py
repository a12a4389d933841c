"""One stretch of training, from here to whatever ends it, written to the store as it goes."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ..base.component import did_you_mean
from ..base.errors import DivergedError, LatebloomError
from ..detect import DelayDetector, verdict
from ..engine import Moment, State, pack, train, why_over
from ..spec import RunSpec
from ..store import RunWriter
from ..store.checkpoints import steps
from ..tasks import Split
from .event_files import EventFiles
from .keeping import Keeper
from .signals import Interruption
from .trackers import Trackers

STATE_EVERY_S = 5.0  # how old the status that `list` shows may be
LATER = ("train/batch_loss",)  # read from the second evaluation on
BY_LAYER = ("esd/", "feature_rank/", "effective_rank/", "linear_probe/")  # by the dozen: in the log, not in the status


class Listener(Protocol):
    """Who wants to watch; see `latebloom.report.terminal.LiveView`."""

    def start(self, title: str, total_steps: int, *, may_end_sooner: bool = False) -> None:
        """The stretch begins; a stopping rule may end it before its last step."""

    def recall(self, step: int, readings: Mapping[str, float]) -> None:
        """An evaluation from before the run was stopped; called after `start`, oldest first."""

    def update(
        self, step: int, readings: Mapping[str, float], phase: str, steps_per_s: float, seconds_left: float | None
    ) -> None:
        """A step was taken."""

    def event(self, text: str) -> None:
        """Something became known."""

    def stop(self) -> None:
        """The stretch is over."""


class Outcome(NamedTuple):
    """How a stretch ended."""

    status: str  # `finished` or `interrupted`
    reason: str
    exit_code: int  # 0, or 128 + the signal's number


class Session:
    """Trains one run until it is done, interrupted or broken."""

    def __init__(
        self, writer: RunWriter, spec: RunSpec, split: Split, state: State, listener: Listener | None = None
    ) -> None:
        self.writer, self.spec, self.split, self.state, self.listener = writer, spec, split, state, listener
        self.detector: DelayDetector = spec.detector
        saved = writer.run.checkpoints()
        labels = dict.fromkeys(steps(writer.run.path), ("unreadable",)) | {c.step: c.labels for c in saved}
        self.keeper = Keeper(spec.checkpoints, labels)
        self.read_now = next((c.readings for c in saved if c.step == state.step), {})  # readings of this very step
        self.past = list(writer.run.records())  # what a resumed run had read before
        self.readings: dict[str, float] = {}  # the last of each name
        for _, readings in self.past:
            self._remember(readings)
        self.event_files = EventFiles(writer, self.past)
        self.trackers = Trackers(writer, state.step, listener.event if listener else None)
        self.status = "running"

    def run(self) -> Outcome:
        """Train.

        Raises:
            DivergedError: The training left the finite numbers. The state before that is saved.
            StoreError: The disk refused. What was saved before is intact.
        """
        began, first_step = time.monotonic(), self.state.step
        limit_s, shown_at = self.spec.wall_time_limit_s, began
        self._show("running")
        if self.listener:
            may_end_sooner = self.spec.stopping.kind != "never"
            title = f"{self.spec.name}  seed {self.spec.seed}"
            self.listener.start(title, self.spec.steps, may_end_sooner=may_end_sooner)
            for step, readings in self.past:
                self.listener.recall(step, readings)
        try:
            with Interruption() as interruption:
                for moment in train(self.spec, self.split, self.state):
                    now = time.monotonic()
                    self._keep(moment)
                    if self.listener:
                        per_s = (moment.step - first_step) / (now - began) if now > began else 0.0
                        left_s = (self.spec.steps - moment.step) / per_s if per_s else None
                        self.listener.update(moment.step, moment.readings, self._phase(), per_s, left_s)
                    if moment.reason is not None:
                        return self._end("finished", moment.reason, 0)
                    if (signal := interruption.asked) is not None:
                        return self._end("interrupted", f"asked to stop by {signal.name}", 128 + signal)
                    if limit_s is not None and now - began > limit_s:
                        return self._end("interrupted", f"the wall-clock limit of {limit_s:g} s is reached", 0)
                    if now - shown_at > STATE_EVERY_S:
                        shown_at = now
                        self._show("running")
            return self._end("finished", why_over(self.spec, self.state) or "", 0)  # nothing was left to do
        except DivergedError as error:
            raise self._diverged(error) from None
        except LatebloomError as error:
            self._try_to_show("failed", str(error))
            raise
        except KeyboardInterrupt:
            self._try_to_show("interrupted", "stopped at once, by Ctrl-C")
            raise
        except BaseException as error:
            self._try_to_show("failed", f"{type(error).__name__}: {error}", traceback.format_exc())
            raise
        finally:
            self.event_files.close()
            self.trackers.close(self.status)
            if self.listener:
                self.listener.stop()

    def _keep(self, moment: Moment) -> None:
        """Write down a moment: readings and events first, then the state they belong to."""
        self.read_now = moment.readings
        if moment.readings or moment.arrays:
            self._remember(moment.readings)
            self.writer.append(moment.step, moment.readings, moment.events, moment.arrays)
            rate = self.spec.optimizer.learning_rate * self.spec.schedule.factor(max(1, moment.step))
            readings = {**moment.readings, "learning_rate": rate}
            self.event_files.append(moment.step, readings)
            self.trackers.log(moment.step, readings, moment.events)
        for event in moment.events if self.listener else ():
            assert self.listener is not None
            self.listener.event(f"{event.kind} at step {event.step:,}, known at step {event.known_at:,}")
        if labels := self.keeper.labels(moment):
            self._save(labels)
        if moment.step == 0:
            self._tell_unread(moment.readings)

    def _tell_unread(self, read: Mapping[str, float]) -> None:
        """Readings that somebody waits for and nobody takes: most likely a slip of the pen."""
        rules = [self.spec.stopping, *getattr(self.spec.stopping, "rules", ())]
        asked = {f"stopping: {rule.kind}": getattr(rule, "reading", None) for rule in rules}
        asked |= {f"checkpoints.best: {one.reading}": one.reading for one in self.spec.checkpoints.best}
        for where, name in asked.items():
            if name is not None and name not in read and name not in LATER:
                text = f"{where} waits for {name!r}, which was not read at step 0.{did_you_mean(name, read)}"
                self.writer.note("notice", text=text)
                if self.listener:
                    self.listener.event(text)

    def _remember(self, readings: Mapping[str, float]) -> None:
        self.readings |= {name: value for name, value in readings.items() if not name.startswith(BY_LAYER)}

    def _save(self, labels: list[str]) -> dict[str, bytes]:
        blobs = pack(self.state)
        if self.state.step not in self.keeper.saved:
            self.writer.save(self.state.step, blobs, labels=labels, readings=self.read_now)
            self.keeper.saved[self.state.step] = tuple(labels)
            kept = self.keeper.kept(self.state)
            if set(self.keeper.saved) - kept:
                self.writer.keep(kept)
                self.keeper.saved = {step: self.keeper.saved[step] for step in kept}
        return blobs

    def _end(self, status: str, reason: str, exit_code: int) -> Outcome:
        blobs = self._save([status])
        self.writer.note("stopped", step=self.state.step, status=status, reason=reason, state_sha256=digest(blobs))
        self._show(status, reason)
        return Outcome(status, reason, exit_code)

    def _diverged(self, error: DivergedError) -> DivergedError:
        """Keep the last finite state, say where it is, and what to do."""
        step = self.state.step
        try:
            self._save(["before divergence"])
            kept = step
        except DivergedError:  # the step in hand had spoilt the weights already
            kept = max(self.keeper.saved, default=0)
        advice = "Lower optimizer.learning_rate, or take loss.precision=float64."
        text = f"{error}. The run is stopped; its last finite state, of step {kept:,}, is kept. {advice}"
        self.writer.note("stopped", step=step, status="diverged", reason=str(error))
        self._show("diverged", str(error))
        return DivergedError(text)

    def _show(self, status: str, reason: str = "") -> None:
        summary: dict[str, Any] = {"phase": self._phase(), **self.readings}
        summary |= verdict(self.detector, self.state.detectors["grokking"], self.state.step).columns()
        self.writer.state(status, self.state.step, reason, summary)
        self.status = status

    def _try_to_show(self, status: str, reason: str, trace: str = "") -> None:
        """Leave word of a failure, unless that fails too: the first error is the one to see."""
        try:
            self.writer.note("stopped", step=self.state.step, status=status, reason=reason, traceback=trace)
            self._show(status, reason)
        except LatebloomError:
            return

    def _phase(self) -> str:
        return self.detector.phase(self.state.detectors["grokking"])


def digest(blobs: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) of a packed state: equal for equal bits."""
    whole = hashlib.sha256()
    for name in sorted(blobs):
        whole.update(name.encode() + b"\0" + hashlib.sha256(blobs[name]).digest())
    return whole.hexdigest()
