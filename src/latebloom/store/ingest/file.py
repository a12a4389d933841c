"""One file as columns, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import json_tree, wandb
from .axis import along_axis
from .delimited import DelimitedReader
from .event_folder import read_events
from .json_lines import JsonLinesReader
from .json_runs import raw_of
from .json_whole import read_json
from .lines import Lines, chunks
from .log import Report
from .names import meaning_of
from .npz import read_npz
from .series import Raw
from .sniff import Format
from .text import TextReader

Reader = DelimitedReader | JsonLinesReader | TextReader


def columns_of(path: Path, kind: Format, mapping: Mapping[str, str], report: Report) -> Raw:
    """Every column of one run in a file, or in a folder of event files.

    Raises:
        DataError: Nothing can be read, or there are several runs and `mapping` names none.
    """
    reader = reader_for(kind, report)
    if reader is not None:
        lines = Lines()
        for piece in chunks(path):
            reader.feed(lines.feed(piece))
        reader.feed(lines.rest())
        reader.end()
        if lines.too_long:
            report.counts["lines too long to be read"] += lines.too_long
        return _named_by_file(raw_of_reader(reader, mapping, report), path)
    if kind == "tensorboard":
        return read_events(path, mapping, report)
    if kind == "npz":
        return raw_of(json_tree.grow([read_npz(path, report)], report), "NumPy archive", mapping, report, str(path))
    values = read_json(path, report)
    if (printed := _notebook(values)) is not None:
        text = TextReader(report)
        text.feed(printed)
        text.end()
        raw = raw_of_reader(text, mapping, report)
        raw.format = "Jupyter notebook, what it printed"
        return raw
    return raw_of(json_tree.grow(values, report), "JSON", mapping, report, str(path))


def reader_for(kind: Format, report: Report, sample: int = 20) -> Reader | None:
    """A reader that takes lines; None for formats that are read as a whole."""
    match kind:
        case "csv":
            return DelimitedReader(report, sample)
        case "jsonl":
            return JsonLinesReader(report)
        case "text":
            return TextReader(report)
    return None


def raw_of_reader(reader: Reader, mapping: Mapping[str, str], report: Report) -> Raw:
    """What a reader has collected, along its axis."""
    table = reader.table
    axis, series = along_axis(table, mapping, report)
    raw = Raw("text", axis, series, report, percent=set(table.percent))
    if isinstance(reader, TextReader):
        raw.events = reader.events(axis)
        single = [name for name, one in series.items() if len(one.steps) < 2 and not is_reading(name)]
        raw.series = {name: one for name, one in series.items() if name not in single}
        if single:
            report.counts["numbers with names that come only once"] += len(single)
    elif isinstance(reader, JsonLinesReader):
        raw.format, raw.meta = "JSON Lines", reader.meta
    else:
        raw.format = "CSV, as Keras writes it" if {"loss", "val_loss"} <= {name.lower() for name in series} else "CSV"
        if wandb.is_export([*table.numbers]):
            raw.format, raw.series = "CSV exported from W&B", wandb.one_run(series, mapping, report)
        if reader.remarks:
            raw.meta = {"remarks": reader.remarks[:50]}
    return raw


def is_reading(name: str) -> bool:
    """Whether a name stands for a measure."""
    meaning = meaning_of(name)
    return meaning is not None and bool(meaning.measure)


def _named_by_file(raw: Raw, path: Path) -> Raw:
    """TensorBoard downloads a curve as `Wall time,Step,Value`; only the name of the file says which one."""
    name = path.name.split(".csv")[0].rsplit("tag-", 1)[-1]
    if set(raw.series) == {"Wall time", "Value"} and is_reading(name):
        raw.series[name] = raw.series.pop("Value")
        raw.report.notes.append(f"'Value' is taken for {name!r}, which the file is called.")
    return raw


def _notebook(values: list[Any]) -> list[str] | None:
    """The lines that a notebook printed; None if this is none."""
    if len(values) != 1 or not isinstance(values[0], dict) or "nbformat" not in values[0]:
        return None
    printed = list[str]()
    for cell in values[0].get("cells") or []:
        for output in (cell.get("outputs") or []) if isinstance(cell, dict) else []:
            text = output.get("text") if isinstance(output, dict) else None
            if isinstance(text, list):
                text = "".join(one for one in text if isinstance(one, str))
            if isinstance(text, str):
                printed += text.split("\n")
    return printed
