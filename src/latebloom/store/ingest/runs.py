"""Several runs in one log: found, named, and one of them chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ChooseError
from .log import Report
from .long_form import codes_of
from .names import axis_of, words_of
from .table import Rows, Table, Values

KEYS = {  # columns of numbers that tell runs apart
    *(
        "seed",
        "run",
        "trial",
        "arm",
        "wd",
        "lr",
        "config",
        "fold",
        "frac",
        "fraction",
        "p",
        "modulus",
        "model",
        "prime",
    ),
    *("optimizer", "op", "operation", "task", "experiment", "condition", "width", "depth", "alpha", "replicate", "id"),
    *("decay", "rate", "dim", "dropout", "scale", "noise", "lambda", "beta", "size", "job", "replica", "variant"),
}
_MOST_RUNS = 500
_SHUFFLED = 0.1  # with more steps back than this share the rows are in no order
_AS_FAR = 0.95  # a stretch that went so far as the one after it was a run of its own, not a failed start


def choose(runs: Sequence[str], mapping: Mapping[str, str], where: str) -> str:
    """The run that `mapping` names as `run`, or the only one.

    Raises:
        ChooseError: There are several and none was named, or the one named is not among them.
    """
    wanted = mapping.get("run")
    if wanted is None:
        if len(runs) == 1:
            return runs[0]
        raise ChooseError(f"{where} holds {len(runs):,} runs: {_listed(runs)}. Choose one: --run '{runs[0]}'.")
    for fits in (lambda run: run == wanted, lambda run: wanted in run.split("/"), lambda run: wanted in run):
        found = [run for run in runs if fits(run)]
        if len(found) == 1:
            return found[0]
    raise ChooseError(f"{where} holds no one run {wanted!r}. It holds: {_listed(runs)}.")


def one_run(
    table: Table,
    columns: Mapping[str, tuple[Rows, Values]],
    steps: Rows,
    known: NDArray[np.bool_],
    used: set[str],
    mapping: Mapping[str, str],
    report: Report,
) -> NDArray[np.bool_] | None:
    """The rows of one run; None if there is only one.

    Runs are told apart by columns such as `seed`, or by steps that begin again and get as far as before. Columns that
    are `used` already, to tell what numbers are, tell no runs apart.
    """
    names = [name for name in columns if len(columns[name][0]) and axis_of(name) is None]
    if not names:
        return None
    rows = max((columns[name][0] for name in names), key=len)
    rows = rows[known[rows]]
    along = steps[rows]
    collisions = int((np.diff(along) <= 0).sum())
    if not collisions:
        return None
    keys = _keys(table, columns, rows, along, collisions, used)
    if keys:
        codes, shown = codes_of(table, keys, columns)
        runs = [shown[code] for code in dict.fromkeys(codes[rows].tolist())]
        if len(runs) > 1:
            chosen = choose(runs, mapping, f"The log, by {', '.join(keys)},")
            report.notes.append(f"Of {len(runs):,} runs, {chosen!r} is read.")
            return np.asarray(codes == shown.index(chosen), np.bool_)
    return _stretch(table, rows, along, mapping, report)


def _keys(
    table: Table, columns: Mapping[str, tuple[Rows, Values]], rows: Rows, along: Rows, collisions: int, used: set[str]
) -> list[str]:
    """The fewest columns that tell runs apart: within each combination of their values, steps rise."""
    words = [name for name, one in table.words.items() if 1 < len(one.places) <= _MOST_RUNS and not one.is_prose]
    numbers = [
        name
        for name, (at, values) in columns.items()
        if set(words_of(name)) & KEYS and len(at) >= 0.9 * table.count and 1 < len(np.unique(values)) <= _MOST_RUNS
    ]
    keys = [name for name in [*words, *numbers] if name not in used]

    def left(names: list[str]) -> int:
        codes = codes_of(table, names, columns)[0][rows]
        order = np.argsort(codes, kind="stable")
        same = np.diff(codes[order]) == 0
        firsts = along[order][np.flatnonzero(np.concatenate([[True], ~same]))]
        if np.median(firsts) > along.min() + 0.05 * np.ptp(along):
            return collisions  # a run that was resumed with another setting is one run
        return int((same & (np.diff(along[order]) <= 0)).sum())

    if not keys or left(keys) > 0.1 * collisions:
        return []
    for name in list(keys):
        without = [key for key in keys if key != name]
        if without and left(without) <= 0.1 * collisions:
            keys = without
    return keys


def _stretch(
    table: Table, rows: Rows, along: Rows, mapping: Mapping[str, str], report: Report
) -> NDArray[np.bool_] | None:
    starts = np.flatnonzero((np.diff(along) < 0) & (along[1:] <= along[0])) + 1
    if not len(starts) or (np.diff(along) < 0).mean() > _SHUFFLED:
        return None
    bounds = [0, *starts.tolist(), len(along)]
    reached = [int(along[start:end].max()) for start, end in pairwise(bounds)]
    lengths = np.diff(bounds)
    is_run = [
        reach >= _AS_FAR * reached[-1] and length >= 0.5 * lengths[-1] and length >= 3
        for reach, length in zip(reached[:-1], lengths[:-1].tolist(), strict=True)
    ]
    if not any(is_run):
        return None
    runs = [str(place + 1) for place, kept in enumerate([*is_run, True]) if kept]
    where = f"The log, whose steps begin again {len(starts):,} times,"
    chosen = int(choose(runs, mapping, where)) - 1
    report.notes.append(f"Of {len(runs):,} runs one after the other, number {chosen + 1} is read.")
    first = int(rows[bounds[chosen]])
    end = int(rows[bounds[chosen + 1]]) if chosen + 1 < len(bounds) - 1 else table.count
    keep = np.zeros(table.count, np.bool_)
    keep[first:end] = True
    return keep


def _listed(runs: Sequence[str], most: int = 20) -> str:
    return ", ".join(map(repr, runs[:most])) + (f" and {len(runs) - most:,} more" if len(runs) > most else "")
