"""Text logs as programs print them: lines, records of several lines, progress bars, tables, repeats."""

from __future__ import annotations

import re
from collections import Counter
from copy import copy

from ...base.record import Event
from .events import MOST_EVENTS, kind_of_line
from .log import Report
from .names import meaning_of, split_of
from .table import Table
from .text_cut import cut, float_of, is_ratio, whole_at
from .text_line import plain, segments
from .text_plan import Plan, plan_of
from .text_table import InnerTable

_MOST_PLANS = 20_000
_MOST_UNDECIDED = 100_000
_MOST_OTHERS = 300
_LONGEST = 10_000  # characters of a line that is looked at
_OFTEN = 20  # a line of one kind that declares more changes than this declares none
_HAS_DIGIT = re.compile(r"\d|\b(?:nan|inf)\b", re.IGNORECASE)

Readings = dict[str, float]


class TextReader:
    """Takes lines, fills a table. Position and readings may stand in different lines."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._table, self._unplaced = Table(), Table()
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._epoch: float | None = None
        self._step: float | None = None
        self._is_over = False  # after the end, sums are drawn: no readings until the next position
        self._section = ""
        self._inner_table = InnerTable()
        self._pending: Readings = {}  # without any position: a record ends where a name comes again
        self._batches: dict[float, Readings] = {}  # the last batch of each epoch
        self._batch_lines = 0
        self._undecided: list[tuple[float, float, Readings]] = []
        self._is_inner: bool | None = None  # steps start again with every epoch
        self._events: list[tuple[float | None, float | None, str, str]] = []
        self._event_kinds = Counter[str]()
        self._known: set[str] = set()  # names of readings
        self._others = 0  # of them, without a meaning

    def feed(self, lines: list[str]) -> None:
        """Take complete lines."""
        for line in lines:
            for part in segments(line):
                if len(part) > _LONGEST:
                    self.report.counts["lines too long to be about readings"] += 1
                elif _HAS_DIGIT.search(part):
                    self._line(plain(part))
                elif part and not part.isspace():
                    self._heading(plain(part))

    @property
    def table(self) -> Table:
        """What was found so far and is decided."""
        if self._table.count or self._undecided:
            return self._table
        if self._batches:
            return self._of_batches(Table())
        return self._unplaced

    def end(self) -> None:
        """Decide what was held back in the hope of more."""
        for epoch, step, readings in self._undecided:
            self._add(epoch, step, readings)
        self._undecided = []
        if self._table.count and self._batches:
            self._of_batches(self._table)
            self._batches = {}
        if self._pending and not self._table.count:
            self._unplaced.add_row(self._pending.items())
            self._pending = {}

    def ended(self, report: Report, rest: list[str]) -> TextReader:
        """What is read by now and some lines more, told in a report of its own; this reader goes on as before."""
        if not (rest or self._undecided or self._batches or self._pending):
            return self
        other = copy(self)
        other.report, other._table, other._unplaced = report, self._table.copy(), self._unplaced.copy()
        other._batches = {epoch: {**readings} for epoch, readings in self._batches.items()}
        other._plans, other._known, other._inner_table = {**self._plans}, {*self._known}, copy(self._inner_table)
        other._pending, other._undecided = {**self._pending}, [*self._undecided]
        other._events, other._event_kinds = [*self._events], Counter(self._event_kinds)
        other.feed(rest)
        other.end()
        return other

    def events(self, axis: str) -> list[Event]:
        """What was declared, placed on the axis that was chosen."""
        found = list[Event]()
        for epoch, step, kind, line in self._events:
            at = step if axis == "step" else epoch
            at = at if at is not None else epoch if epoch is not None else step
            if at is not None:
                found.append(Event(int(at), kind, int(at), {"line": line}))
        return found

    def _line(self, line: str) -> None:
        if (row := self._inner_table.row(line)) is not None:
            if row:
                self._table.percent |= self._inner_table.percent
                self._table.add_row(row.items())
            return
        parts = cut(line)
        key = tuple(parts[::2])
        plan = self._plans.get(key)
        if plan is None:
            if line.startswith("wandb:"):
                return
            if len(key) > 400 or self._inner_table.begins(line):
                return
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[key] = plan_of(key)
            for reading in plan.readings:
                for name in reading.names:
                    self._is_known(name, reading.percent and reading.how == "one")
        if plan.event:
            self._declare(plan.event, line)
        if plan.kind != "record":
            if plan.kind == "cached":
                self.report.counts["lines that repeat cached values"] += 1
            elif plan.kind == "end":
                self._is_over = True
            return
        self._record(plan, parts[1::2])

    def _record(self, plan: Plan, numbers: list[str]) -> None:
        epoch, step = whole_at(numbers, plan.epoch), whole_at(numbers, plan.step)
        readings = self._readings(plan, numbers)
        count, of = whole_at(numbers, plan.of), whole_at(numbers, plan.of + 1 if plan.of >= 0 else -1)
        batch = whole_at(numbers, plan.batch)
        if epoch is None and step is None and self._epoch is None:
            if count is not None:
                step, count = count, None
            elif plan.lead >= 0 and readings:
                step = whole_at(numbers, plan.lead)
        if epoch is not None:
            if epoch != self._epoch:
                self._section, self._step = "", None
            self._epoch = epoch
        if epoch is not None or step is not None:
            self._is_over = False
        if not readings:
            if step is not None:
                self._step = step if self._is_inner is False or self._epoch is None else self._step
            return
        if self._is_over:
            self.report.counts["readings after the end of training"] += len(readings)
            return
        is_of_epoch = count == epoch and -1 < plan.of < plan.epoch  # `3/200 * Epoch 3 (train): ...`
        is_batch = batch is not None or (
            count is not None and self._epoch is not None and count != of and not is_of_epoch
        )
        if is_batch and self._epoch is not None:
            self._batch_lines += 1
            self._batches.setdefault(self._epoch, {}).update(readings)
        elif step is not None and self._epoch is not None:
            self._with_both(self._epoch, step, readings)
        else:
            if step is not None:
                self._step = step
            if self._epoch is None and self._step is None:
                self._place(readings)
            else:
                self._add(self._epoch, self._step if self._is_inner is not True else None, readings)

    def _with_both(self, epoch: float, step: float, readings: Readings) -> None:
        """A line with an epoch and a step: of a batch, if steps start again with every epoch."""
        if self._is_inner is None:
            if self._undecided and epoch > self._undecided[-1][0]:
                self._is_inner = step <= self._undecided[-1][1]
            elif len(self._undecided) >= _MOST_UNDECIDED:
                self._is_inner = False
            if self._is_inner is None:
                self._step = step
                self._undecided.append((epoch, step, readings))
                return
            for one in self._undecided:
                self._with_both(*one)
            self._undecided = []
        if self._is_inner:
            self._batch_lines += 1
            self._batches.setdefault(epoch, {}).update(readings)
        else:
            self._step = step
            self._add(epoch, step, readings)

    def _readings(self, plan: Plan, numbers: list[str]) -> Readings:
        found: Readings = {}
        for how, at, names, percent, is_bare in plan.readings:
            if how == "one" and not (is_bare and self._section):
                if names[0] not in found and names[0] in self._known:
                    value = float_of(numbers[at[0]])
                    found[names[0]] = value / 100 if percent else value
                continue
            values = [float_of(numbers[place]) for place in at]
            if how == "ratio" or (how == "pair" and is_ratio(numbers, at)):
                names = (names[0].removeprefix("train "),) if how == "pair" else names
                is_bare = is_bare or how == "pair"
                values = [values[0] / values[1] if is_ratio(numbers, at) and values[1] else values[0]]
                percent = percent and not is_ratio(numbers, at)
            elif how == "largest":
                values = [max(values)]
            for name, value in zip(names, values, strict=False):
                if is_bare and self._section:
                    name = f"{self._section} {name}"
                if self._is_known(name, percent):
                    found.setdefault(name, value / 100 if percent else value)
        return found

    def _is_known(self, name: str, percent: bool) -> bool:
        """Whether a name is kept: those with a meaning, and the first of the others."""
        if name not in self._known:
            if meaning_of(name) is None:
                if self._others >= _MOST_OTHERS:
                    return False
                self._others += 1
            self._known.add(name)
        if percent:
            self._table.percent.add(name)
            self._unplaced.percent.add(name)
        return True

    def _add(self, epoch: float | None, step: float | None, readings: Readings) -> None:
        table = self._table
        row = table.count
        if epoch is not None:
            table.add(row, "epoch", epoch)
        if step is not None:
            table.add(row, "step", step)
        for name, value in readings.items():
            table.add(row, name, value)
        table.count += 1

    def _place(self, readings: Readings) -> None:
        if self._pending.keys() & readings.keys():
            self._unplaced.add_row(self._pending.items())
            self._pending = {}
        self._pending |= readings

    def _of_batches(self, table: Table) -> Table:
        """Batches are no epochs: only what no other line tells is taken, from the last batch of each."""
        known, missing = set(table.numbers), set[str]()
        for epoch, readings in self._batches.items():
            rest = {name: value for name, value in readings.items() if name not in known and meaning_of(name)}
            missing |= rest.keys()
            if rest:
                table.add_row([("epoch", epoch), *rest.items()])
        self.report.counts["lines about single batches"] = self._batch_lines
        if missing:
            named = ", ".join(repr(name) for name in sorted(missing))
            self.report.notes.append(f"Only lines about single batches have {named}: the last of each epoch is taken.")
        table.percent |= self._unplaced.percent
        return table

    def _heading(self, line: str) -> None:
        """A line without a number."""
        if self._inner_table.begins(line):
            return
        if "resum" in line.lower() and kind_of_line(line):
            self._declare("resumed", line)
        if len(line) <= 40 and (split := split_of(re.sub(r"[^A-Za-z ]", " ", line))):
            self._section = split

    def _declare(self, kind: str, line: str) -> None:
        if self._epoch is None and self._step is None and not self._table.count:
            return
        same = re.sub(r"[\d.]+", "#", line)[:200]
        self._event_kinds[same] += 1
        if self._event_kinds[same] <= _OFTEN and len(self._events) < MOST_EVENTS:
            self._events.append((self._epoch, self._step, kind, " ".join(line.split())[:200]))
