"""latebloom checkpoints list | best | inspect | compare | rollback."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import JSON, RUN, STORE, at_step


@click.group()
def command() -> None:
    """Saved states of a run. A checkpoint is written RUN@STEP; RUN alone means its newest."""


@command.command("list", short_help="All checkpoints of RUN, and why each is kept.")
@RUN
@STORE
@JSON
def list_(wanted: str, store: Path, as_json: bool) -> None:
    """All checkpoints of RUN, with the readings at that step and why each is kept."""
    from ..report.saved import checkpoints_table
    from ..store import Store

    run = Store(store).find(wanted)
    saved = run.checkpoints()
    if as_json:
        rows = [{**c._asdict(), "path": str(c.path)} for c in saved]
        click.echo(json.dumps({"schema": 1, "run": run.id, "checkpoints": rows}))
    else:
        click.echo(checkpoints_table(saved))


@command.command(short_help="The best of every reading, what is kept of it, and the way back.")
@RUN
@STORE
@JSON
def best(wanted: str, store: Path, as_json: bool) -> None:
    """The best of every reading and the checkpoint kept of it; where one was lost, the command that goes back to it."""
    from ..analysis.bests import bests, ways_back
    from ..report.saved import bests_table
    from ..store import Store

    run = Store(store).find(wanted)
    found = bests(run)
    ways = ways_back(run, found)
    if as_json:
        from ..base.plain import plain

        click.echo(json.dumps({"schema": 1, "run": run.id, "bests": plain(found), "ways_back": ways}))
    else:
        click.echo(bests_table(found, ways))


@command.command(short_help="One checkpoint in full; its hashes are checked.")
@click.argument("wanted", metavar="RUN[@STEP] | FILE", default="latest")
@STORE
def inspect(wanted: str, store: Path) -> None:
    """One checkpoint: progress, performance, grokking status, configuration, tensors; its hashes are checked.

    A FILE of another program (.pt, .pth) is opened without running any code of it.
    """
    from ..engine.foreign import tensors_of
    from ..report.saved import checkpoint_page, tensors_table
    from ..store import Store

    if wanted.endswith((".pt", ".pth")):
        click.echo(tensors_table(tensors_of(Path(wanted))))
        return
    from ..engine.checkpoint import shapes

    run, step = at_step(Store(store), wanted)
    click.echo(checkpoint_page(run, step))
    click.echo(tensors_table(shapes(run.load(step))))


@command.command(short_help="Checkpoints side by side.")
@click.argument("wanted", metavar="RUN[@STEP]...", nargs=-1, required=True)
@STORE
def compare(wanted: tuple[str, ...], store: Path) -> None:
    """Checkpoints side by side: readings, crossings, and the settings in which they differ."""
    from ..report.saved import compare_table
    from ..store import Store

    shelf = Store(store)
    click.echo(compare_table([at_step(shelf, one) for one in wanted]))


@command.command(short_help="A new run from a checkpoint of RUN.")
@click.argument("wanted", metavar="RUN")
@click.argument("step", type=int)
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--name", help="Name of the new run.")
@STORE
def rollback(wanted: str, step: int, settings: tuple[str, ...], name: str | None, store: Path) -> None:
    """A new run that starts from RUN's checkpoint at STEP, with settings changed from there on; RUN stays as it is."""
    from ..lab import rollback as branch

    run = branch(wanted, step, settings, name=name, store=store)
    click.echo(run.id)
    click.echo(f"go on with: latebloom resume {run.stored.words}", err=True)
