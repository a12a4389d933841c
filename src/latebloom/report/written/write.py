"""A written report on disk, with its figures beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...analysis.story import Story
from ...base.errors import DataError
from ...store import StoredRun, StoredStudy, durable
from ..charts.kept import kept_spectra
from ..charts.stills import stills
from ..comparison.compared import compared
from ..comparison.figures import figures
from ..comparison.stored import of_study
from ..figures.draw import picture
from ..figures.picture import Picture
from .run import written_run
from .study import StudyTold, written_study

FILE = "report.md"


def write_run(run: StoredRun, story: Story, folder: Path | None = None) -> list[Path]:
    """Write the report of a run, each file replaced whole; returns the paths, the text first.

    Args:
        run: The run told of.
        story: Its story.
        folder: Where to write; made if missing. By default `report` in the run's folder.

    Raises:
        StoreError: It cannot be written.
    """
    drawn = {"curves": picture(story), **stills(story, kept_spectra(run, story))}
    return _written(folder or run.path / "report", written_run(story, list(drawn)), drawn)


def write_study(study: StoredStudy, folder: Path | None = None) -> list[Path]:
    """The same for a study, as it stands; by default in `report` in its folder.

    Raises:
        DataError: No run has begun, or none can be told of.
        StoreError: It cannot be written.
    """
    gathered = of_study(study, readings=["*"])
    if not gathered.outcomes:
        raise DataError(" ".join([f"{gathered.title}: there is no run to tell of.", *gathered.notes[:3]]))
    drawn: dict[str, Picture] = {}
    try:
        told = compared(gathered)
        drawn = figures(told)._asdict()
        result = StudyTold(study.name, study.created_at, study.study, len(study.planned), gathered, told)
    except DataError as error:
        result = StudyTold(study.name, study.created_at, study.study, len(study.planned), gathered, str(error))
    return _written(folder or study.path / "report", written_study(result), drawn)


def _written(folder: Path, text: str, drawn: Mapping[str, Picture]) -> list[Path]:
    files = {FILE: text.encode(), **{f"{name}.png": one.png for name, one in drawn.items()}}
    durable.make_folder(folder)
    for name, data in files.items():
        durable.replace(folder / name, data)
    return [folder / name for name in files]
