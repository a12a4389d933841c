"""Claims on disk: a page for readers, or a file that can be judged again."""

from __future__ import annotations

from pathlib import Path

from ...analysis.reproduction import Reproduction
from ...base.errors import SpecError
from ...store import durable
from ..html import html
from . import words


def page(told: Reproduction) -> str:
    """The page of a reproduction."""
    return html(
        "claims/page.html.j2",
        told=told,
        title=told.about.get("title", told.name),
        source=told.about.get("source", ""),
        versions=words.versions(told.environments),
        counts=words.counts(told.judged),
        standing=words.standing(told),
        meanings=words.MEANINGS,
        seeds=words.seeds,
    )


def write_claims(told: Reproduction, path: Path) -> None:
    """Write them to a file, replaced whole: a page if its name ends in .html, all data if in .json.

    Raises:
        SpecError: It ends in something else.
        StoreError: It cannot be written.
    """
    if path.suffix not in (".html", ".json"):
        raise SpecError(f"out = {str(path)!r}; expected a name that ends in .html (a page) or .json (all data)")
    durable.replace(path, page(told).encode() if path.suffix == ".html" else told.to_file())
