"""latebloom resume RUN."""

from __future__ import annotations

from pathlib import Path

import click

from .options import JSON, QUIET, RUN, STORE


@click.command()
@RUN
@click.option("--steps", type=int, help="A larger number of steps in all.")
@STORE
@QUIET
@JSON
@click.option("--no-report", is_flag=True, help="Do not write figure and page at the end.")
def command(wanted: str, steps: int | None, store: Path, quiet: bool, as_json: bool, no_report: bool) -> None:
    """Go on with RUN (`latest`, a name, an id or a part of one) from its last good checkpoint."""
    from .. import lab
    from .train import finish, watching

    view, started = watching(quiet or as_json)
    run = lab.resume(wanted, steps=steps, store=store, listener=view, started=started)
    finish(run, as_json=as_json, report=not no_report)
