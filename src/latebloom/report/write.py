"""A report on disk: one page that explains itself, and the figure for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..analysis.story import Story
from ..store import StoredRun, durable
from .figures.draw import picture
from .page import page


class Paths(NamedTuple):
    """Where the parts of a report are."""

    page: Path  # report.html, whole without the others
    png: Path
    svg: Path


def write_report(run: StoredRun, story: Story, folder: Path | None = None) -> Paths:
    """Write page and figures, each replaced whole.

    Args:
        run: The run told of.
        story: Its story.
        folder: Where to write; made if missing. By default `report` in the run's folder.

    Raises:
        StoreError: It cannot be written.
    """
    folder = run.path / "report" if folder is None else folder
    durable.make_folder(folder)
    paths = Paths(folder / "report.html", folder / "curves.png", folder / "curves.svg")
    drawn = picture(story)
    durable.replace(paths.page, page(story, drawn.svg).encode())
    durable.replace(paths.png, drawn.png)
    durable.replace(paths.svg, drawn.svg)
    return paths
