"""A written report on disk, with its figures beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...analysis.claims import AnyClaim, claims_of
from ...analysis.reproduction import SAME_EVERYWHERE, reproduction
from ...analysis.story import Story
from ...base.errors import DataError
from ...recipes import STUDIES, about, claims, names
from ...store import StoredRun, StoredStudy, durable
from ..charts.kept import kept_spectra
from ..charts.stills import stills
from ..claims.words import versions
from ..comparison.arms import arm_of
from ..comparison.compared import Compared, compared
from ..comparison.stored import of_study
from ..figures.draw import picture
from ..figures.picture import Picture
from .losses import WANTED
from .run import written_run
from .study import StudyTold, written_study
from .study_figures import SHOWN, study_figures

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
    gathered = of_study(study, readings=WANTED)
    if not gathered.outcomes:
        raise DataError(" ".join([f"{gathered.title}: there is no run to tell of.", *gathered.notes[:3]]))
    try:
        told: Compared | str = compared(gathered)
    except DataError as error:
        told = str(error)
    drawn = study_figures(study, gathered, told)
    planned: dict[str, list[Any]] = {}
    for one in study.planned:
        planned.setdefault(arm_of(one.label, one.spec), []).append(one.spec)
    runs = [run for one in study.planned if (run := study.run(one)) is not None]
    about, claims = published(study)
    result = StudyTold(
        study.name,
        study.created_at,
        about,
        study.study,
        planned,
        gathered,
        told,
        reproduction(study.name, about, claims, runs, command="", made_at="").judged if claims else (),
        versions({key: run.environment.get(key) for key in SAME_EVERYWHERE} for run in runs),
        {name: SHOWN[name] for name in drawn},
    )
    return _written(folder or study.path / "report", written_study(result), drawn)


def published(study: StoredStudy) -> tuple[dict[str, str], tuple[AnyClaim, ...]]:
    """What the study says about itself, or else its recipe, and what others claim of it, where it was shipped."""
    own, recipe = study.study.get("about") or {}, study.study.get("recipe")
    title = own.get("title")
    likely_first = sorted(names(STUDIES), key=lambda name: not study.name.startswith(name)) if title else []
    known = next(((name, STUDIES) for name in likely_first if about(name, STUDIES)["title"] == title), None)
    if not own and recipe in names():
        known = (str(recipe), "")
    if known is None:
        return {key: str(value) for key, value in own.items()}, ()
    found = claims(*known)
    found = claims(found, STUDIES) if isinstance(found, str) else found
    return {key: str(value) for key, value in (own or about(*known)).items()}, claims_of(found)


def _written(folder: Path, text: str, drawn: Mapping[str, Picture]) -> list[Path]:
    files = {FILE: text.encode(), **{f"{name}.png": one.png for name, one in drawn.items()}}
    durable.make_folder(folder)
    for name, data in files.items():
        durable.replace(folder / name, data)
    return [folder / name for name in files]
