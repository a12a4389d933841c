"""latebloom show RUN."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import JSON, RUN, STORE


@click.command()
@RUN
@STORE
@JSON
def command(wanted: str, store: Path, as_json: bool) -> None:
    """RUN in words: how it stands, phases, checkpoints, verdict."""
    from ..analysis.bests import bests, ways_back
    from ..analysis.story import tell
    from ..report.summary import run_page
    from ..report.text import visible
    from ..store import Store

    stored = Store(store).find(wanted)
    story = tell(stored)
    click.echo(json.dumps(story.to_json()) if as_json else run_page(story))
    for way in [] if as_json else ways_back(stored, bests(stored)):
        click.echo(f"\n{visible(way)}")
