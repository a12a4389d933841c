"""From what a JSON file, a NumPy archive or a torch file holds to the columns of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...base.errors import ChooseError, DataError
from .axis import along_axis
from .json_lines import cells_of
from .json_tree import Listed, Path, Tree
from .lengths import along_lengths
from .log import Report, some
from .names import axis_of, meaning_of, split_of
from .runs import choose
from .series import Raw
from .table import Table

_NAMELESS = "values"  # the name of a file's only list
_RUN_MEANS = "train_runtime"  # Hugging Face's last row: its train_loss is the mean of the whole run


def raw_of(tree: Tree, format_: str, mapping: Mapping[str, str], report: Report, where: str) -> Raw:
    """The columns of the run that `mapping` names, or of the only one.

    Raises:
        DataError: There is no curve, or there are several runs and none was chosen.
    """
    rows = _best_rows(tree, mapping)
    runs = _runs_of(tree.lists)
    known = {run: sum(_is_known(name) for name in lists) for run, lists in runs.items()}
    if rows is not None and _known_of(tree.rows[rows]) >= max([*known.values(), 1]):
        return _of_rows(tree, rows, format_, mapping, report)
    good = [run for run, count in known.items() if count and count >= 0.5 * max(known.values())]
    if "run" not in mapping and known.get("", 0) > 1:
        good = [""]  # what stands below is about the same run
    if any(ours not in ("run", "step") for ours in mapping) and not good:
        good = list(runs)
    if not good:
        if rows is not None:
            return _of_rows(tree, rows, format_, mapping, report)
        raise (ChooseError if tree.lists else DataError)(_nothing(tree, where, report))
    chosen = choose(good, mapping, where)
    left = [run for run in runs if run != chosen and runs[run]]
    if len(good) > 1:
        report.notes.append(f"Of {len(good):,} runs, {chosen!r} is read.")
    elif left:
        report.counts["lists in other places of the file"] += sum(len(runs[run]) for run in left)
    lists = dict(runs[chosen])
    for run in left:  # steps are often kept one level up
        if chosen == run or chosen.startswith(f"{run}/") or run == "":
            lists |= {name: one for name, one in runs[run].items() if axis_of(name) and name not in lists}
    axis, series = along_lengths(lists, tree.meta, mapping, report)
    return Raw(format_, axis, series, report, meta=tree.meta)


def _runs_of(lists: Mapping[Path, Listed]) -> dict[str, dict[str, Listed]]:
    """Lists by run: the part of a path that names a measure is the name, the rest is the run."""
    runs = dict[str, dict[str, Listed]]()
    for path, listed in lists.items():
        if len(listed.values) < 2:
            continue
        start, end = _name_in(path)
        if start and split_of(path[start - 1]):
            start -= 1  # the steps of training, beside its losses
        run = "/".join([*path[:start], *path[end:]])
        runs.setdefault(run, {})["/".join(path[start:end]) or _NAMELESS] = listed
    return runs


def _name_in(path: Path) -> tuple[int, int]:
    """Where in a path the name is: the shortest part with a whole meaning, the last of these; else the last word."""
    halves = None
    for length in (1, 2, 3):
        for start in range(len(path) - length, -1, -1):
            meaning = meaning_of("/".join(path[start : start + length]))
            if meaning and ((meaning.split and meaning.measure) or "_" in meaning.measure):
                return start, start + length
            if meaning and halves is None:
                halves = start, start + length
    return halves or (max(0, len(path) - 1), len(path))


def _is_known(name: str) -> bool:
    meaning = meaning_of(name)
    return meaning is not None and "_" not in meaning.measure


def _known_of(rows: list[dict[str, Any]]) -> int:
    names = set[str]()
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        names |= {name for name, cell in cells_of(row, Report()) if not isinstance(cell, str)}
    return sum(_is_known(name) for name in names)


def _best_rows(tree: Tree, mapping: Mapping[str, str]) -> Path | None:
    """Of several lists of rows the one that knows most; the chosen run's, if there is one."""
    found = {path: rows for path, rows in tree.rows.items() if len(rows) > 1}
    if len(found) <= 1:
        return next(iter(found), None)
    ranked = {path: _known_of(rows) for path, rows in found.items()}
    most = max(ranked.values())
    best = [path for path, known in ranked.items() if known == most]
    if len(best) > 1:
        shared = {path[-1:] for path in best}
        names = {"/".join(path[:-1] if len(shared) == 1 and len(path) > 1 else path): path for path in best}
        if len(names) == len(best):
            return names[choose(list(names), mapping, "The file")]
    return max(best, key=lambda path: len(found[path]))


def _of_rows(tree: Tree, path: Path, format_: str, mapping: Mapping[str, str], report: Report) -> Raw:
    others = sum(1 for other in tree.rows if other != path)
    if others:
        report.counts["other lists of rows in the file"] += others
    is_trainer = path[-1:] == ("log_history",)
    table = Table()
    for row in tree.rows[path]:
        if _RUN_MEANS in row:
            report.counts[f"rows with {_RUN_MEANS!r}, whose train_loss is the mean of the whole run"] += 1
            continue
        table.add_row(cells_of(row, report))
    axis, series = along_axis(table, mapping, report)
    return Raw("Hugging Face trainer_state.json" if is_trainer else format_, axis, series, report, meta=tree.meta)


def _nothing(tree: Tree, where: str, report: Report) -> str:
    single = [name for name, value in tree.meta.items() if isinstance(value, (int, float))]
    lists = [path[-1] if path else _NAMELESS for path in tree.lists]
    if lists:
        return (
            f"{where} holds no list that is known to be a loss or an accuracy. It holds: {some(lists)}. "
            f"Name one: --map 'val/accuracy={lists[0]}'."
        )
    if single:
        return (
            f"{where} holds single values, no curve: {some(single)}. It is a summary; the log of the run is elsewhere "
            "(W&B: the history or output.log; Hugging Face: trainer_state.json)."
        )
    left = report.all_dropped()
    return f"{where} holds no number that could be a reading." + (f" Left out: {'; '.join(left[:5])}." if left else "")
