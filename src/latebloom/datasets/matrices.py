"""A matrix, or a stack of them, from a file: what `numpy.save` wrote, or rows of numbers as text."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError


def read(path: Path) -> NDArray[Any]:
    """The array in a `.npy` file, mapped into memory, or else one row a line, between blanks or commas.

    Whole numbers in a text are read as integers. Nothing is unpickled.

    Raises:
        DataError: There is no such file, or it holds something else.
    """
    try:
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
                return array
            file.seek(0)
            lines = [line.split("#")[0].replace(",", " ") for line in file.read().decode().splitlines()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an empty file: told below
            rows = np.loadtxt(lines, dtype=str, ndmin=2)
        try:
            return rows.astype(np.int64)
        except (ValueError, OverflowError):
            return rows.astype(np.float64)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}. Expected a .npy file, or rows of numbers as text") from None
