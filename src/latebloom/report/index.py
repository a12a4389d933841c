"""The way into a store: one page that links what was written about its runs and studies. It holds no run itself.

Links are relative, so that the folder can be moved or served as it is. The page is written whole each time.
"""

from __future__ import annotations

import os.path
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from ..base.errors import StoreError
from ..store import Store, StoredRun, StoredStudy, durable, studies
from .html import html
from .listing import COLUMNS, NUMBERS, row
from .sweep import label

WRITTEN = {
    "comparison": "comparison/comparison.html",
    "readings": "readings/readings.html",
    "phase diagram": "phases/phases.svg",
    "report": "report/report.md",
}
"""What can have been written about a study, by the name of its link."""


class Row(NamedTuple):
    """One run."""

    cells: dict[str, str]  # by column, as `latebloom list` has them
    href: str | None  # its report, if one was written


class Part(NamedTuple):
    """A study, or the runs that belong to none."""

    name: str
    standing: str  # in words
    links: dict[str, str]
    rows: list[Row]


def index_page(store: Store, folder: Path) -> str:
    """The page.

    Args:
        store: What it is about.
        folder: Where it will be; reports of runs are looked for in folders of their own there, then in those of the
            runs.
    """
    runs = {run.id: run for run in store.runs()}
    parts, planned, damage = list[Part](), set[str](), list[str]()
    for name in studies(store.root):
        try:
            study = StoredStudy(store.root, name)
        except StoreError as error:
            damage.append(str(error))
            continue
        planned |= {one.run for one in study.planned}
        parts.append(_study(study, runs, folder))
    single = [run for run in runs.values() if run.id not in planned]
    if single:
        parts.append(Part("Single runs", _standing(single, len(single)), {}, [_row(run, folder) for run in single]))
    return html(
        "index.html.j2",
        title=store.root.resolve().name,
        counts=Counter(run.status for run in runs.values()),
        parts=parts,
        damage=damage,
        columns=[name for name in COLUMNS if name != "id"],
        numbers=NUMBERS,
    )


def write_index(store: Store, folder: Path | None = None) -> Path:
    """Write the page, replaced whole, and return its path.

    Args:
        store: What it is about.
        folder: Where to write; made if missing. By default the store itself.

    Raises:
        StoreError: It cannot be written, or there is no store.
    """
    folder = store.root if folder is None else folder
    page = index_page(store, folder)
    durable.make_folder(folder)
    durable.replace(folder / "index.html", page.encode())
    return folder / "index.html"


def _study(study: StoredStudy, runs: Mapping[str, StoredRun], folder: Path) -> Part:
    begun = [(one, runs[one.run]) for one in study.planned if one.run in runs]
    links = {text: study.path / file for text, file in WRITTEN.items()}
    return Part(
        name=study.name,
        standing=_standing([run for _, run in begun], len(study.planned)),
        links={text: _href(path, folder) for text, path in links.items() if durable.exists(path)},
        rows=[_row(run, folder, label(one.label)) for one, run in begun],
    )


def _row(run: StoredRun, folder: Path, name: str | None = None) -> Row:
    cells = dict(zip(COLUMNS, row(run), strict=True)) | ({} if name is None else {"name": name})
    reports = folder / run.id / "report.html", run.path / "report" / "report.html"
    return Row(cells, next((_href(path, folder) for path in reports if durable.exists(path)), None))


def _standing(runs: Sequence[StoredRun], planned: int) -> str:
    """How many are done, how many generalized, and when half of those had."""
    finished = sum(run.status == "finished" for run in runs)
    told = [f"{finished:,} of {planned:,} finished"]
    for what, key in (("generalized", "generalized_step"), ("delay", "grokking_delay_steps")):
        if numbers := [number for run in runs if (number := _number(run.summary, key)) is not None]:
            count = f"{len(numbers):,} generalized, " if what == "generalized" else ""
            told.append(f"{count}median {'step' if count else what} {statistics.median(numbers):,.0f}")
    return ", ".join(told)


def _number(summary: Mapping[str, Any], key: str) -> int | None:
    value = summary.get(key)
    return value if isinstance(value, int) else None


def _href(path: Path, folder: Path) -> str:
    return quote(Path(os.path.relpath(path, folder)).as_posix())
