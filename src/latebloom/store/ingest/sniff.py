"""What kind of file a log is, by its first bytes and lines; its name is not trusted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

from ...base.errors import DataError
from .delimited import delimiter_of, is_remark, number_in, split
from .lines import head, text_of
from .long_form import is_long
from .names import axis_of, meaning_of
from .text_cut import NUMBER
from .text_line import plain
from .wandb import is_export

Format = Literal["tensorboard", "csv", "jsonl", "json", "npz", "text"]
FORMATS: tuple[Format, ...] = ("tensorboard", "csv", "jsonl", "json", "npz", "text")

_NOT_LOGS = {
    b"\x89HDF": "an HDF5 file; export the curves as CSV or JSON",
    b"\x89PNG": "a picture; the numbers behind it are needed",
    b"\xff\xd8\xff": "a picture; the numbers behind it are needed",
    b"%PDF": "a PDF; the numbers behind its figures are needed",
    b"PAR1": "a Parquet file; export it as CSV: pandas.read_parquet(...).to_csv(...)",
    b":W&B": "a binary log of W&B; run 'wandb sync' and export the curves as CSV, or read the output.log beside it",
    b"SQLite format 3": "a SQLite database, as MLflow keeps; export the metrics as CSV",
    b"version https://git-lfs": "only a pointer to a file kept by Git LFS; fetch it with 'git lfs pull'",
    b"7z\xbc\xaf": "an archive; unpack it",
    b"<!DOCTYPE": "a web page; download the file itself ('Raw' on GitHub)",
    b"<html": "a web page; download the file itself ('Raw' on GitHub)",
}
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_OLD_PICKLE = re.compile(
    rb"\((?:[dlt]p?\d*\n|i__)|c(?:numpy|builtins|__builtin__|collections|keras|torch|pandas)[\w.]*\n"
)
_LINES = 40
_NAMES = 1000  # looked at; one that is known suffices
_SURE = (",", "\t", ";")


def format_of(path: Path) -> Format:
    """The format of a file.

    Raises:
        DataError: It is empty, a pickle, or known to be no log.
        DamageError: It is missing or no regular file.
    """
    if "tfevents" in path.name:
        return "tensorboard"
    begin = head(path)
    if begin[257:262] == b"ustar":
        raise DataError(f"{path} is a tar archive: unpack it and give the file or the folder.")
    if not begin.strip():
        raise DataError(f"{path} is empty. If the run has only begun, try again later.")
    for magic, what in _NOT_LOGS.items():
        if begin[: len(magic)].lower() == magic.lower():
            raise DataError(f"{path} is no log but {what}.")
    if is_torch(begin):
        raise DataError(
            f"{path} was written by torch.save; it is read with torch, as weights only: see `read_torch_log`."
        )
    if begin.startswith(_PICKLES) or _OLD_PICKLE.match(begin):
        raise DataError(
            f"{path} is a pickle, which is a program: it is not run. Ask its author for the curves as JSON, CSV or "
            "npz, or convert it yourself where you trust it."
        )
    if begin.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY")):
        return "npz"
    return _of_text(begin)


def is_torch(begin: bytes) -> bool:
    """Whether a file begins as those of `torch.save` do."""
    return begin.startswith(b"PK\x03\x04") and (b"/data.pkl" in begin[:300] or b"data.pkl" in begin[26:64])


def _of_text(begin: bytes) -> Format:
    text = text_of(begin).lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")) and (found := _of_json(text)):
        return found
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if len(lines) > 1:
        lines = lines[:-1]  # the last one may be incomplete
    sample = [line for line in lines[: 10 * _LINES] if not is_remark(line)][:_LINES]
    remarks = [line for line in lines[: 10 * _LINES] if line.strip() and is_remark(line)]
    return "csv" if len(sample) > 1 and _is_table(sample, remarks) else "text"


def _of_json(text: str) -> Format | None:
    """JSON, JSON Lines, or None for a text that only begins with a bracket: `[12] loss 0.5`, `{'loss': 0.5}`."""
    first, _, rest = text.partition("\n")
    try:
        value = json.loads(first.strip().rstrip(","))
    except (ValueError, RecursionError):
        begins = text[:200].replace(" ", "").replace("\n", "").replace("\r", "")
        if begins[1:2] == "'" and "':[" in begins:
            return "json"  # lists under names, as Python prints them
        if begins[1:2] in ('"', "{", "[", "]", "}") or (
            begins[0] == "[" and begins[1:2] in "-0123456789" and "]" not in begins
        ):
            return "json" if not rest.lstrip().startswith('{"') or not first.startswith('{"') else "jsonl"
        return None
    if not isinstance(value, dict | list):
        return None
    if isinstance(value, list) and rest.strip() and not rest.lstrip().startswith(("[", "{")):
        return None
    return "jsonl" if rest.strip() and isinstance(value, dict) else "json"


def _known(names: list[str]) -> int:
    return sum(axis_of(name) is not None or meaning_of(name) is not None for name in names if not NUMBER.search(name))


def _is_table(lines: list[str], remarks: list[str]) -> bool:
    delimiter = delimiter_of(lines)
    if delimiter is None:
        return False
    names = split(lines[0], delimiter)
    body = [split(line, delimiter) for line in lines[1:]]
    cells = [cell for row in body for cell in row]
    numbers = sum(not cell or number_in(cell, delimiter) is not None for cell in cells)
    if any(number_in(name, delimiter) is not None for name in names if name):
        if remarks and _known(split(remarks[-1].lstrip("#/% "), delimiter)) > 1:
            return True
        return numbers >= 0.8 * len(cells) and delimiter != "" and plain(lines[0]) == lines[0]
    if is_export(names) or (is_long(names) and len(names) > 2 and numbers >= 0.2 * len(cells)):
        return True
    known = _known(names[:_NAMES])
    fits = sum(len(row) == len(names) for row in body)
    if not known and delimiter in _SURE and fits == len(body) and numbers >= 0.95 * len(cells):
        return True  # whatever the columns are called, it is a table
    return known >= 1 and numbers >= (0.5 if known > 1 else 0.6) * len(cells) and fits >= 0.5 * len(body)
