"""What `run` and `resume` have in common: the live view before, the summary after."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from ..analysis.bests import bests, ways_back
from ..lab import Run
from ..report.summary import summary
from ..report.terminal import LiveView
from ..report.text import visible
from ..report.write import write_report
from ..store import StoredRun, durable


def watching(quiet: bool) -> tuple[LiveView, Callable[[StoredRun], None]]:
    """A live view, and what to say when the run exists."""

    def started(run: StoredRun) -> None:
        if quiet:
            return
        click.echo(f"run {run.id} in {run.path}", err=True)
        for entry in run.journal():
            if entry.get("what") == "notice":
                click.echo(f"note: {visible(str(entry.get('text', '')))}", err=True)

    return LiveView("quiet" if quiet else "auto"), started


def finish(run: Run, *, as_json: bool, report: bool, save_path: Path | None = None) -> None:
    """Report, print the summary, and end with the run's exit code."""
    assert run.outcome is not None
    story = run.story
    written: dict[str, object] = {}
    if report or save_path:
        paths = write_report(run.stored, story)
        written = {"Plot": paths.png, "Report": paths.page}
        if save_path:
            durable.replace(save_path, durable.read(paths.png))
            written["Plot"] = save_path
    if as_json:
        click.echo(json.dumps(story.to_json()))
    else:
        click.echo(summary(story, written))
        for way in ways_back(run.stored, bests(run.stored)):
            click.echo(f"\n{visible(way)}")
    if run.outcome.status == "interrupted":
        click.echo(f"{run.outcome.reason}; go on with: latebloom resume {run.stored.words}", err=True)
    sys.exit(run.outcome.exit_code)
