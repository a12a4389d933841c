"""A folder of logs as columns: one log in it, one file per curve or per set of examples, or a file or folder per run.

    seed0/metrics.csv, seed1/metrics.csv                    two runs, `seed0` and `seed1`
    adam_train_acc.csv, adam_val_acc.csv, sgd_...           two runs of two curves each
    train.csv, valid.csv                                    one run: the names say of which examples the readings are
    metrics/train_loss, metrics/val_loss                    one run, as MLflow keeps it
    metrics_epoch_0.json, metrics_epoch_1.json, ...         one run: a row in each file

What a file is called is read as the names of columns are; the words that are left over name the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ...base.errors import DataError, LatebloomError
from .. import durable
from .axis import along_axis
from .file import columns_of
from .json_lines import cells_of
from .lines import text_of, whole
from .log import Report, some
from .names import MEASURES, SPLITS, is_noise, meaning_of, split_of, words_of
from .numbers import read_numbers
from .runs import choose
from .series import Raw, Series
from .sniff import format_of
from .table import Table

T = TypeVar("T")
_LOGS = (
    *(".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".log", ".txt", ".out", ".dat", ".npz", ".npy"),
    *(".gz", ".bz2", ".xz", ".zip"),
)
_NO_LOGS = re.compile(
    r"\.|(?:requirements|environment|readme|license|vocab|tokenizer|package|setup|pyproject|conda)|"
    r".*(?:config|hparams|hyperparam|params|args|arguments|settings|metadata|summary|manifest|debug)\w*[-.\w]*$",
    re.IGNORECASE,
)
_MOST_DEPTH, _MOST_FILES = 6, 1000
_PLACES = {"metrics", "metric", "plots", "logs", "log", "files", "results", "scalars", "csv", "data", "static"}
_FIRST = ("metrics.csv", "trainer_state.json", "metrics.jsonl", "history.json", "training_history.json", "log.csv")
_VALUES = {"value", "values", "Value"}
_BESIDE = {"wall time", "timestamp", "time", "date"}
_FEWEST_ROWS = 3


def read_folder(folder: Path, mapping: Mapping[str, str], report: Report) -> Raw:
    """The columns of the run that `mapping` names as `run`, or of the only one.

    Raises:
        DataError: There is no log, or there are several runs and none was chosen.
    """
    files = _files(folder)
    if not files:
        raise DataError(f"{folder} holds no file that looks like a log, and no TensorBoard event files.")
    if (rows := _numbered(folder, files)) is not None:
        return _of_rows(folder, rows, mapping, report)
    if len(files) == 1:
        return columns_of(folder / files[0], format_of(folder / files[0]), mapping, report)
    runs, unread = _runs(folder, files, mapping)
    if not runs:
        raise DataError(f"{folder} holds {len(files):,} files, of which none is a log: {some(files)}.")
    run = choose(list(runs), mapping, str(folder)) if len(runs) > 1 else next(iter(runs))
    if len(runs) > 1:
        report.notes.append(f"Of {len(runs):,} runs, {run!r} is read.")
    if unread:
        report.dropped.append(f"{len(unread):,} files that were not used: {some(unread, 5)}")
    return _together(runs[run], report)


def _files(folder: Path) -> list[str]:
    """Files that may be logs, here and below, by their path from the folder."""
    found, open_ones = list[str](), [(folder, "", 0)]
    while open_ones:
        here, prefix, depth = open_ones.pop()
        inner = durable.folders(here)
        for name in durable.names(here):
            is_metric = "." not in name and "metrics" in (folder.name, *prefix.split("/"))  # MLflow: a file per metric
            if name not in inner and (is_metric or (name.lower().endswith(_LOGS) and not _NO_LOGS.match(name))):
                found.append(prefix + name)
        if depth < _MOST_DEPTH:
            open_ones += [(here / name, f"{prefix}{name}/", depth + 1) for name in inner if not name.startswith(".")]
        if len(found) > _MOST_FILES:
            raise DataError(f"{folder} holds more than {_MOST_FILES:,} files. Give the folder of one run.")
    return sorted(found)


def _runs(folder: Path, files: list[str], mapping: Mapping[str, str]) -> tuple[dict[str, dict[str, Raw]], list[str]]:
    """By run the columns of its files, as far as they are wanted, and the files that are not used."""
    runs, parts, unread = dict[str, str](), dict[str, dict[str, Raw]](), list[str]()
    last: dict[str, Raw] = {}  # of the whole runs only one is kept in memory
    for name in files:
        try:
            raw = _columns(folder / name, mapping)
        except LatebloomError as error:
            if "runs:" in str(error):
                raise DataError(f"{error} Or give the file alone: {folder / name}.") from None
            unread.append(name)
            continue
        raw.series = _named(raw.series, name)
        splits = {meaning.split for one in raw.series if (meaning := meaning_of(one)) and meaning.measure}
        run = _run_of(name, is_whole=splits >= {"train", "val"})
        if not splits or (splits >= {"train", "val"} and run in runs):
            unread.append(name)  # `history.json` beside `history.csv`
        elif splits >= {"train", "val"}:
            runs[run], last = name, {name: raw}
        else:
            parts.setdefault(run, {})[name] = raw
    if runs:
        unread += [name for raws in parts.values() for name in raws]
        known = [run for run, name in runs.items() if name in _FIRST]
        if len(known) == 1 and not any("/" in name for name in runs.values()):
            unread += [name for run, name in runs.items() if run not in known]
            runs = {known[0]: runs[known[0]]}
        runs = _short(runs)
        run = choose(list(runs), mapping, str(folder)) if len(runs) > 1 else next(iter(runs))
        if (name := runs[run]) not in last:
            last = {name: _columns(folder / name, mapping)}
            last[name].series = _named(last[name].series, name)
        return dict.fromkeys(runs, last), unread
    good = {run: raws for run, raws in parts.items() if {"train", "val"} <= _splits(raws)}
    everything = {name: raw for raws in parts.values() for name, raw in raws.items()}
    names = [(m.split, m.measure) for raw in everything.values() for one in raw.series if (m := meaning_of(one))]
    if not good and len(set(names)) == len(names) and everything:
        return {"": everything}, unread  # nothing is there twice: curves of one run, whatever else the names say
    return _short(good or parts), unread


def _columns(path: Path, mapping: Mapping[str, str]) -> Raw:
    """The columns of a file, which may hold nothing but the numbers of one."""
    report = Report()
    if path.suffix in ("", ".txt", ".csv", ".dat") and (found := read_numbers(path)) is not None:
        axis, series = found
        return Raw("numbers", axis, {"value": series}, report)
    kind, alone = format_of(path), {ours: theirs for ours, theirs in mapping.items() if ours != "run"}
    try:
        return columns_of(path, kind, alone, report)
    except DataError as error:
        if "run" not in mapping or "runs:" not in str(error):
            raise
        return columns_of(path, kind, mapping, Report())  # the run is one of those in the file


def _named(series: Mapping[str, Series], name: str) -> dict[str, Series]:
    """Columns under names that say all that the path of their file says."""
    words = [part for part in re.split(r"/|tag-", _stem(name)) if part]
    kept = {one: column for one, column in series.items() if one.lower() not in _BESIDE} if len(series) > 1 else series
    named = dict[str, Series]()
    for one, column in kept.items():
        meaning = meaning_of(one)
        if one in _VALUES or one.startswith("column "):
            full = next((f"{a}{words[-1]}" for a in _befores(words[:-1]) if meaning_of(f"{a}{words[-1]}")), one)
        elif meaning and meaning.measure and not meaning.split:
            full = next((f"{part}/{one}" for part in reversed(words) if _split_in(part)), one)
        else:
            full = one
        named[full if full not in named else one] = column
    return named


def _befores(words: list[str]) -> list[str]:
    """What may stand before the last word, best first: the examples that a folder names, else nothing."""
    return [f"{split}/" for part in reversed(words) if (split := _split_in(part))] + [""]


def _split_in(text: str) -> str:
    """The examples that a part of a path speaks of."""
    splits = {SPLITS[word] for word in words_of(text) if word in SPLITS}
    return splits.pop() if len(splits) == 1 else ""


def _run_of(name: str, *, is_whole: bool = False) -> str:
    """What is left of a path without the words that name curves."""
    *folders, last = _stem(name).split("/")
    kept = [part for part in folders if part.lower() not in _PLACES and not split_of(part)]
    last = last.split("-tag-")[0].removeprefix("run-") if "-tag-" in last else last
    if is_whole:
        return "/".join([*kept, last])
    left = [word for word in words_of(last) if word not in SPLITS and word not in MEASURES and not is_noise(word)]
    return "/".join([*kept, "_".join(left)] if left and left != ["metrics"] else kept)


def _short(runs: dict[str, T]) -> dict[str, T]:
    """Runs without the part of their names that all share: `seed0/metrics` and `seed1/metrics` are seed0 and seed1."""
    lasts = {run.rpartition("/")[2] for run in runs}
    if len(runs) > 1 and len(lasts) == 1 and all("/" in run for run in runs):
        return {run.rpartition("/")[0]: raws for run, raws in runs.items()}
    return runs


def _stem(name: str) -> str:
    while name.lower().endswith(_LOGS):
        name = name.rpartition(".")[0]
    return name


def _splits(raws: Mapping[str, Raw]) -> set[str]:
    return {meaning.split for raw in raws.values() for one in raw.series if (meaning := meaning_of(one))}


def _together(files: Mapping[str, Raw], report: Report) -> Raw:
    """The columns of several files as those of one run."""
    first = max(files.values(), key=lambda raw: max((len(one.steps) for one in raw.series.values()), default=0))
    joined = replace(first, series={}, report=report, events=[], percent=set())
    for name, raw in files.items():
        report.notes += [note for note in raw.report.notes if note not in report.notes]
        report.converted += raw.report.converted
        report.dropped += raw.report.dropped
        report.counts += raw.report.counts
        if raw.axis != first.axis:
            report.dropped.append(f"{name}, which counts by {raw.axis} and not by {first.axis} as the others do")
            continue
        joined.events += raw.events
        joined.percent |= raw.percent
        for one, column in raw.series.items():
            joined.series.setdefault(one, column)
    if len(files) > 1:
        joined.format = f"{len(files):,} files, {first.format}"
        report.notes.append(f"Read together as one run: {some(list(files))}.")
    return joined


def _numbered(folder: Path, files: list[str]) -> list[tuple[int, str]] | None:
    """Files of JSON that differ in a number: one row each."""
    groups = dict[str, list[tuple[int, str]]]()
    for name in files:
        if name.endswith(".json") and (found := re.search(r"(\d+)(?=[^\d/]*$)", name)):
            groups.setdefault(name[: found.start()] + "#" + name[found.end() :], []).append((int(found[1]), name))
    rows = max(groups.values(), key=len, default=[])
    return sorted(rows) if len(rows) >= _FEWEST_ROWS and _is_flat(folder / rows[0][1]) else None


def _is_flat(path: Path) -> bool:
    try:
        row = json.loads(text_of(whole(path)))
    except (ValueError, LatebloomError, RecursionError):
        return False
    cells = list(cells_of(row, Report())) if isinstance(row, dict) else []
    return not any(isinstance(one, list) and len(one) > 2 for one in row.values()) if cells else False


def _of_rows(folder: Path, rows: list[tuple[int, str]], mapping: Mapping[str, str], report: Report) -> Raw:
    table = Table()
    for number, name in rows:
        try:
            row = json.loads(text_of(whole(folder / name)))
        except (ValueError, LatebloomError, RecursionError):
            row = None
        if isinstance(row, dict):
            table.add_row([("epoch", float(number)), *((k, v) for k, v in cells_of(row, report) if k != "epoch")])
        else:
            report.counts["files that are no JSON, or not complete"] += 1
    axis, series = along_axis(table, mapping, report)
    report.notes.append(f"{len(rows):,} files with a number in their names are read as rows, from {rows[0][1]!r} on.")
    return Raw("JSON, a file per row", axis, series, report)
