"""From columns under their names to curves under ours: the one place that decides what is what."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...base.errors import ChooseError, DataError
from ...base.record import Curve, Event
from .bare import is_few, settle
from .events import of_learning_rate
from .log import ForeignLog, some
from .names import Meaning, clean, meaning_of
from .order import Ordered, in_order
from .series import Raw, Series
from .units import is_share, without_blanks, without_exponential, without_percent
from .wide import one_run

_CONTROL = ("step", "run")  # keys of a mapping that name no curve
_KNOWN = ("train/", "val/")


def understand(path: Path, raw: Raw, mapping: Mapping[str, str]) -> ForeignLog:
    """The log of one run.

    Args:
        path: Where it was read, for messages.
        raw: Its columns.
        mapping: Our name -> theirs, for what somebody knows better than their names say.

    Raises:
        DataError: `mapping` names a column that is not there, or no column holds a number.
    """
    report = raw.report
    if not raw.series:
        raise DataError(
            f"{path} was read as {raw.format}, and no reading was found in it. {_left_out(raw)}"
            "Give a log with one reading per line, e.g. 'epoch 1 train_loss=0.5 val_loss=0.9', CSV or JSON."
        )
    raw.series = one_run(raw.series, mapping, report)
    series = {name: without_blanks(name, one, report) for name, one in raw.series.items()}
    names = _names(series, mapping, raw)
    curves, events = dict[str, Curve](), list(raw.events)
    mapped, seen = dict[str, str](), dict[int, Ordered]()
    resumed = dict[tuple[int, int], None]()
    turned = without_percent(names, series, raw) | without_exponential(names, series, raw)
    for ours, theirs in names.items():
        steps, values = series[theirs].steps, turned.pop(ours, series[theirs].values)
        if not np.isfinite(values).any():
            report.counts["columns without one finite number"] += 1
            continue
        ordered = _ordered(steps, values, seen)
        curves[ours] = Curve(ordered.steps, ordered.values)
        if ours != theirs:
            mapped[ours] = theirs
        if ours.startswith(_KNOWN) or len(names) <= 50:
            if ours.startswith(_KNOWN):
                report.counts["readings written over by later ones of the same step"] += ordered.void
            resumed |= dict.fromkeys(ordered.resumed)
            if ordered.sorted:
                report.notes.append(f"The rows of {theirs!r} stand in no order; they are sorted by step.")
    report.counts += type(report.counts)()  # forget what was counted as zero
    for at, reached in resumed:
        events.append(Event(at, "resume", at, {"reached": reached}))
        report.notes.append(f"At {raw.axis} {at:,} the log goes back, from {reached:,}: what was written later counts.")
    if "learning_rate" in curves:
        events += of_learning_rate(curves["learning_rate"])
    events.sort(key=lambda event: event.step)
    if not curves:
        raise DataError(
            f"{path} was read as {raw.format}; none of its columns has a finite number: {some(list(series))}."
        )
    return ForeignLog(
        path,
        raw.format,
        raw.axis,
        curves,
        events,
        mapped,
        report.converted,
        report.all_dropped(),
        report.notes,
        raw.meta,
    )


def _ordered(steps: Any, values: Any, seen: dict[int, Ordered]) -> Ordered:
    """`in_order`, with the steps of columns that share them looked at once."""
    before = seen.get(id(steps))
    if before is not None and before.steps is steps:
        return Ordered(steps, values, 0, [], False)
    ordered = in_order(steps, values)
    if ordered.steps is steps:
        seen[id(steps)] = ordered
    return ordered


def _names(series: Mapping[str, Series], mapping: Mapping[str, str], raw: Raw) -> dict[str, str]:
    """Our name -> theirs, of all columns: what they stand for, else their own names, cleaned."""
    names = _chosen(series, mapping, raw)
    taken = set(names.values())
    candidates = dict[str, list[tuple[Meaning, str]]]()
    bare = dict[str, Meaning]()
    for theirs in series:
        meaning = None if theirs in taken else meaning_of(theirs)
        if meaning is None:
            continue
        if meaning.measure == "perplexity":  # the last choice for a loss, of which it is the exponential
            meaning = meaning._replace(measure="loss", rank=(meaning.rank[0] + 100, *meaning.rank[1:]))
        if meaning.measure == "error" and not is_share(theirs, series[theirs].values, raw):
            meaning = meaning._replace(measure="loss")
        if not meaning.measure or (not meaning.split and meaning.measure in ("loss", "accuracy", "error")):
            bare[theirs] = meaning
        else:
            candidates.setdefault(_ours(meaning), []).append((meaning, theirs))
    known = {ours: max(len(series[theirs].steps) for _, theirs in found) for ours, found in candidates.items()}
    for theirs, meaning in settle(bare, series, known, raw).items():
        candidates.setdefault(_ours(meaning), []).append((meaning, theirs))
    for ours, found in candidates.items():
        if ours in names:
            continue
        most = max(len(series[theirs].steps) for _, theirs in found)
        found.sort(key=lambda one: (is_few(len(series[one[1]].steps), most), one[1] != ours, one[0].rank))
        names[ours] = found[0][1]
        taken.add(found[0][1])
        if len(found) > 1 and ours.startswith(_KNOWN):
            raw.report.notes.append(
                f"{ours} is read from {found[0][1]!r}; {some([theirs for _, theirs in found[1:]])} "
                f"could be it as well and {'keeps its own name' if len(found) == 2 else 'keep their own names'}."
            )
    for theirs in series:
        if theirs not in taken:
            own = clean(theirs)
            if own.lower().startswith("unnamed"):
                raw.report.counts["columns without a name"] += 1
                continue
            while own in names:
                own += "'"
            names[own] = theirs
    return names


def _chosen(series: Mapping[str, Series], mapping: Mapping[str, str], raw: Raw) -> dict[str, str]:
    """What `mapping` says, checked."""
    names = dict[str, str]()
    for ours, theirs in mapping.items():
        if ours in _CONTROL:
            continue
        fits = [name for name in series if name == theirs] or [
            name for name in series if name.lower().strip() == theirs.lower().strip()
        ]
        if len(fits) != 1:
            near = difflib.get_close_matches(theirs, list(series), 5, 0.5)
            raise ChooseError(
                f"--map {ours}={theirs}: there is no column {theirs!r}. "
                f"{'Did you mean ' + some(near) + '? ' if near else ''}There are: {some(list(series), 40)}."
            )
        names[ours] = fits[0]
    return names


def _ours(meaning: Meaning) -> str:
    if "/" in meaning.measure or "_" in meaning.measure:
        return meaning.measure
    measure = "accuracy" if meaning.measure == "error" else meaning.measure
    return f"{meaning.split or 'val'}/{measure}"  # a correlation or coverage is an evaluation, whatever it is called


def _left_out(raw: Raw) -> str:
    dropped = raw.report.all_dropped()
    return f"Left out: {'; '.join(dropped[:5])}. " if dropped else ""
