"""latebloom report [RUN|STUDY]... [--index] [--format html|markdown]."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import STORE

if TYPE_CHECKING:
    from ..store import Store, StoredRun

EXAMPLES = """\b
Examples:
  latebloom report                    the newest run
  latebloom report first second -o x  several, each in a folder of its own in x
  latebloom report --index            only the page that links what was written about runs and studies
  latebloom report --all --index      everything anew
  latebloom report my-study --format markdown   a written report of a study or a run, figures beside it
"""


@click.command(epilog=EXAMPLES)
@click.argument("wanted", metavar="[RUN|STUDY]...", nargs=-1)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "markdown"]),
    default="html",
    show_default=True,
    help="html is one page of a run; markdown a written report of a run or a study: abstract to appendix.",
)
@click.option("--all", "every", is_flag=True, help="Every run of the store.")
@click.option("--index", "is_index", is_flag=True, help="Also the page that links reports, comparisons and studies.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to; by default a run's report/, and for the index the store.",
)
@STORE
def command(wanted: tuple[str, ...], kind: str, every: bool, is_index: bool, out: Path | None, store: Path) -> None:
    """Write the page of each RUN, one HTML file that needs no network, and its figures; by default of the newest.

    As markdown, of a RUN or a STUDY, it is a written report filled from what is stored; what was not measured it says.
    """
    from ..base.errors import LatebloomError, SpecError
    from ..report.index import write_index
    from ..store import Store, StoredStudy, studies

    if every and wanted:
        raise click.UsageError("--all is every run; name none")
    shelf, known = Store(store), studies(store)
    told = [name for name in wanted if name in known]
    if told and kind != "markdown":
        raise SpecError(
            f"{told[0]!r} is a study: `latebloom report {told[0]} --format markdown` writes its report, "
            f"`latebloom compare {told[0]}` its comparison"
        )
    if kind == "markdown":
        from ..report.written.write import write_study

        for name in told:
            for path in write_study(StoredStudy(store, name), out / name if out and len(wanted) > 1 else out):
                click.echo(path)
        wanted = tuple(name for name in wanted if name not in told)
        if told and not wanted and not every:
            if is_index:
                click.echo(write_index(shelf, out))
            return
    runs = shelf.runs() if every else [_run(shelf, one, known) for one in wanted or ([] if is_index else ["latest"])]
    for run in runs:
        try:
            _write(run, kind, out / run.id if out and (is_index or every or len(runs) > 1) else out)
        except LatebloomError as error:
            if len(runs) == 1:
                raise
            click.echo(f"{run.id} was left out: {error}", err=True)
    if is_index:
        click.echo(write_index(shelf, out))


def _run(shelf: Store, wanted: str, known: Sequence[str]) -> StoredRun:
    from ..base.errors import StoreError

    try:
        return shelf.find(wanted)
    except StoreError as error:
        if near := difflib.get_close_matches(wanted, known, n=1, cutoff=0.8):
            raise StoreError(f"there is no run or study {wanted!r}. Did you mean the study {near[0]!r}?") from error
        raise


def _write(run: StoredRun, kind: str, folder: Path | None) -> None:
    from ..analysis.story import tell
    from ..report.write import write_report

    story = tell(run)
    if kind == "markdown":
        from ..report.written.write import write_run  # it compares, which needs scipy

        written = write_run(run, story, folder)
    else:
        written = write_report(run, story, folder).every
    for path in written:
        click.echo(path)
