"""Labelled linear codes on disk: for each split and code two arrays to be mapped into memory, and a manifest.

    FOLDER/manifest.json                     settings, counts, and the SHA-256 of every other file; written last
    FOLDER/train/n9-k4/matrices.npy          P of [I | P], (N, k, n - k), float32 or int8
    FOLDER/train/n9-k4/heights.npy           h_m in column m = 0 ... n - k, (N, n - k + 1), float64
    FOLDER/train/n9-k4-m2/...                where each matrix is for one m alone

The matrix is what splits are made of: every height of a matrix is in the split of the matrix, and two splits share
none, not even up to signs and the order of rows and columns.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError

FORMAT = "latebloom linear codes 1"
MANIFEST = "manifest.json"

Group = tuple[int, int, int]  # n, k, m


class Shard(NamedTuple):
    """The labelled matrices of one split and code."""

    split: str
    n: int
    k: int
    m: int | None  # None: for every m
    matrices_Nkr: NDArray[Any]  # float32 or int8
    heights_Nm: NDArray[np.float64]
    rejected: int = 0  # drawn and replaced, for a height that was infinite

    @property
    def folder(self) -> str:
        """Where it lies below the data set."""
        return f"{self.split}/n{self.n}-k{self.k}" + ("" if self.m is None else f"-m{self.m}")


def write(folder: Path, shards: Iterable[Shard], groups: Iterable[Group], settings: Mapping[str, Any]) -> Path:
    """Write a data set, one shard after the other, and return its manifest.

    Args:
        folder: A new or empty folder, or one where this was interrupted.
        shards: In any order; never more than one is held.
        groups: The (n, k, m) that the data set is for.
        settings: How the matrices were drawn, as JSON can say it; kept in the manifest.

    Raises:
        DataError: The folder is not empty or cannot be written, or two splits share a matrix.
    """
    told: dict[str, Any] = {"format": FORMAT, "settings": dict(settings), "groups": [list(g) for g in groups]}
    told |= {"shards": [], "files": {}}
    seen: dict[tuple[int, int], dict[str, set[bytes]]] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{MANIFEST}"
        if any(folder.iterdir()) and not unfinished.exists():
            raise DataError(f"{folder} is not empty; expected a new folder")
        unfinished.touch()
        for shard in shards:
            _refuse_leaks(shard, seen.setdefault((shard.n, shard.k), {}))
            (folder / shard.folder).mkdir(parents=True, exist_ok=True)
            for name, array in (("matrices", shard.matrices_Nkr), ("heights", shard.heights_Nm)):
                content = _npy(array)
                path = f"{shard.folder}/{name}.npy"
                (folder / path).write_bytes(content)
                told["files"][path] = hashlib.sha256(content).hexdigest()
            told["shards"].append(
                {
                    **{"split": shard.split, "n": shard.n, "k": shard.k, "m": shard.m},
                    **{"matrices": len(shard.matrices_Nkr), "rejected": shard.rejected},
                    "infinite": [int(count) for count in np.isinf(shard.heights_Nm).sum(axis=0)],
                }
            )
        unfinished.write_bytes((json.dumps(told, indent=1) + "\n").encode())
        return unfinished.replace(folder / MANIFEST)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}") from None


@dataclass(frozen=True)
class LinearCodes:
    """A data set on disk."""

    folder: Path
    settings: dict[str, Any]
    groups: tuple[Group, ...]
    shards: tuple[dict[str, Any], ...]  # split, n, k, m, matrices, rejected, infinite (counts by m)
    files: dict[str, str] = field(repr=False)  # name -> SHA-256

    @property
    def splits(self) -> tuple[str, ...]:
        """Their names, in the order written."""
        return tuple(dict.fromkeys(shard["split"] for shard in self.shards))

    def group(self, split: str, n: int, k: int, m: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Matrices (N, k, n - k) and their h_m (N,), mapped into memory, read-only.

        Row i is the same matrix for every m, unless the data set was drawn for each m by itself.

        Raises:
            DataError: The data set has no such group, or a file is missing or damaged.
        """
        if (n, k, m) not in self.groups or split not in self.splits:
            known = ", ".join("({}, {}, {})".format(*group) for group in self.groups)
            raise DataError(f"no {split} ({n}, {k}, {m}) in {self.folder}; it has {' '.join(self.splits)} of {known}")
        [own] = {shard["m"] for shard in self.shards if (shard["n"], shard["k"]) == (n, k) and shard["m"] in (None, m)}
        place = Shard(split, n, k, own, np.empty(0), np.empty(0)).folder
        return self._array(f"{place}/matrices.npy"), self._array(f"{place}/heights.npy")[:, m]

    def prove(self) -> None:
        """Compare every file with the manifest.

        Raises:
            DataError: One is not as it was written.
        """
        for name, digest in self.files.items():
            try:
                found = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
            except OSError as error:
                raise DataError(f"{self.folder / name} cannot be read: {error.strerror}") from None
            if found != digest:
                raise DataError(f"{self.folder / name} is not as it was written: SHA-256 {found[:16]}..., not {digest}")

    def _array(self, name: str) -> NDArray[Any]:
        try:
            array: NDArray[Any] = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{self.folder / name} cannot be read: {error}") from None
        return array


def read(folder: Path) -> LinearCodes:
    """A data set that `write` wrote. Only its manifest is read now.

    Raises:
        DataError: The folder holds no finished data set.
    """
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        if told["format"] != FORMAT:
            raise DataError(f"{folder} is {told['format']!r}; expected {FORMAT!r}")
        groups = tuple((int(n), int(k), int(m)) for n, k, m in told["groups"])
        return LinearCodes(folder, told["settings"], groups, tuple(told["shards"]), told["files"])
    except FileNotFoundError:
        raise DataError(f"{folder} has no {MANIFEST}: it is no data set, or was not finished") from None
    except (KeyError, TypeError):
        raise DataError(f"{folder / MANIFEST} is no manifest of labelled codes") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / MANIFEST} cannot be read: {error}") from None


def _refuse_leaks(shard: Shard, seen: dict[str, set[bytes]]) -> None:
    """Remember the matrices of a shard, and refuse them if another split has any of them.

    Magnitudes in order are the same for all images of a matrix under signs and orders of its rows and columns.

    Raises:
        DataError: It has.
    """
    magnitudes = np.sort(np.abs(shard.matrices_Nkr).reshape(len(shard.matrices_Nkr), -1), axis=1)
    own = {row.tobytes() for row in magnitudes}
    for split, others in seen.items():
        if split != shard.split and (shared := len(own & others)):
            raise DataError(
                f"{shared} of the {len(magnitudes)} [{shard.n}, {shard.k}] matrices of {shard.split} are in {split} "
                "too, up to signs and order of their entries: so few matrices cannot be drawn without leaks. Allow "
                "larger entries."
            )
    seen.setdefault(shard.split, set()).update(own)


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()
