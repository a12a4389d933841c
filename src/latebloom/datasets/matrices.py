"""A matrix, or a stack of them, from a file: what numpy saved, or rows of numbers as text."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"
DECIMAL_COMMA = re.compile(r"\d,\d+[ \t]+[-+]?\d+,\d")  # 1,5 2,5
BETWEEN = re.compile(r"(?<=[\w.\]])[\s,]+(?=[-+\w.\[])")  # of numbers and rows in brackets


def read(path: Path) -> NDArray[Any]:
    """The array in a `.npy` file, mapped into memory, or in a `.npz` file of one array; or else text.

    A text has one row a line, between blanks or commas, or is a list of rows in brackets, as Python, JSON and numpy
    write it. Whole numbers are read as integers, of any size. What follows a # is left out. Nothing is unpickled.

    Raises:
        DataError: There is no such file, or it holds something else.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(len(NPY))
            file.seek(0)
            if begin == NPY:
                array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
                return array
            if begin.startswith(ZIP):
                return _only_one(file)
            text = "\n".join(line.split("#")[0] for line in file.read().decode("utf-8-sig").splitlines())
        return _of_text(text)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, ValueError, EOFError, SyntaxError, zipfile.BadZipFile, RecursionError, MemoryError) as error:
        raise DataError(
            f"{path} cannot be read: {error}. Expected a .npy or .npz file, or rows of numbers as text"
        ) from None


def _only_one(file: BinaryIO) -> NDArray[Any]:
    with np.load(file, allow_pickle=False) as arrays:
        if len(arrays.files) != 1:
            raise ValueError(f"it holds {len(arrays.files)} arrays ({', '.join(arrays.files[:8])}), not one")
        array: NDArray[Any] = arrays[arrays.files[0]]
        return array


def _of_text(text: str) -> NDArray[Any]:
    if "[" in text:
        try:
            told = ast.literal_eval(BETWEEN.sub(", ", text.strip()))
            return np.asarray(told)
        except (ValueError, SyntaxError):
            raise ValueError("what is in brackets is no list of rows of numbers, all as long as the first") from None
    if DECIMAL_COMMA.search(text):
        raise ValueError("it has commas inside of numbers or blanks beside commas; write 1.5, and one kind of gap")
    rows: list[list[int | float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if words := line.replace(",", " ").split():
            rows.append([_number(word, number) for word in words])
            if len(rows[-1]) != len(rows[0]):
                raise ValueError(f"line {number} has {len(rows[-1])} numbers, and the first row {len(rows[0])}")
    if not rows:
        raise ValueError("there is no number in it")
    return np.array(rows)


def _number(word: str, line: int) -> int | float:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    raise ValueError(f"line {line}: {word!r} is no number")
