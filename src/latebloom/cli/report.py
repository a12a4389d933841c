"""latebloom report RUN."""

from __future__ import annotations

from pathlib import Path

import click

from .options import RUN, STORE


@click.command()
@RUN
@STORE
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to write to.")
def command(wanted: str, store: Path, out: Path | None) -> None:
    """Write RUN's figure (PNG, SVG) and its page, one HTML file that needs no network."""
    from ..analysis.story import tell
    from ..report.write import write_report
    from ..store import Store

    run = Store(store).find(wanted)
    for path in write_report(run, tell(run), out):
        click.echo(path)
