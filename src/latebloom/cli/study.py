"""latebloom study [show NAME | run NAME | export NAME]."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import JSON, STORE
from .sweep import ONLY, VALUES, sweeping, train


@click.group(invoke_without_command=True)
@STORE
@JSON
@click.pass_context
def command(ctx: click.Context, store: Path, as_json: bool) -> None:
    """Studies: what is shipped, and how those of the store stand."""
    if ctx.invoked_subcommand is not None:
        ctx.default_map = {ctx.invoked_subcommand: {"store": store, "as_json": as_json}}  # as if said after it
        return
    from ..recipes import STUDIES, about, names
    from ..store import StoredStudy, studies

    stored = {name: StoredStudy(store, name) for name in studies(store)}
    finished = {
        name: sum(run is not None and run.status == "finished" for run in map(study.run, study.planned))
        for name, study in stored.items()
    }
    if as_json:
        rows = [{"name": n, "runs": len(s.planned), "finished": finished[n]} for n, s in stored.items()]
        click.echo(json.dumps({"schema": 1, "studies": rows, "shipped": names(STUDIES)}))
        return
    for name in names(STUDIES):
        click.secho(name, bold=True)
        click.echo(f"  {about(name, STUDIES)['title']}")
    click.echo("\nlatebloom study run NAME trains one, as far as it is not trained yet.")
    for name, study in stored.items():
        at_work = ", being trained" if study.is_swept() else ""
        click.echo(f"in {store}: {name}, {finished[name]} of {len(study.planned)} runs finished{at_work}")


@command.command()
@click.argument("name")
@STORE
@JSON
def show(name: str, store: Path, as_json: bool) -> None:
    """Every run of a study of the store: label, status, what came of it."""
    from ..analysis.standing import Attempts
    from ..report.sweep import plan_text, runs_text
    from ..store import StoredStudy

    study, attempts = StoredStudy(store, name), Attempts()
    for entry in study.journal():
        attempts.hear(entry)
    if as_json:
        found = [(one, study.run(one)) for one in study.planned]
        runs = [
            {"run": one.run, "label": one.label, "status": run.status if run else "waiting"}
            | {"given_up": attempts.given_up.get(one.run), "summary": run.summary if run else {}}
            for one, run in found
        ]
        click.echo(json.dumps({"schema": 1, "study": name, "runs": runs}))
        return
    click.echo(plan_text(name, [one.label for one in study.planned]))
    click.echo(runs_text(study, attempts.given_up))


@command.command(epilog=VALUES)
@click.argument("name")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUES]...")
@ONLY
@sweeping
def run(name: str, settings: tuple[str, ...], **options: object) -> None:
    """Train a shipped study, as it is or with other values, e.g. seed=0..2. The same as `latebloom sweep NAME`."""
    from ..spec import study_named

    train(study_named(name, settings), **options)  # type: ignore[arg-type]


@command.command()
@click.argument("name")
@click.option(
    "--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write; by default NAME.json."
)
@click.option("--reading", "readings", multiple=True, help="Hold this reading, too, to six digits, e.g. val/loss.")
@STORE
def export(name: str, out: Path | None, readings: tuple[str, ...], store: Path) -> None:
    """A study as one small file: plan, versions, every run's scores. `latebloom compare FILE` reads it."""
    import time

    from ..analysis.published import publish
    from ..store import StoredStudy, durable

    study, out = StoredStudy(store, name), out or Path(f"{name}.json")
    data = publish(study, f"latebloom sweep {name}", time.strftime("%Y-%m-%d", time.gmtime()), readings)
    durable.replace(out, data)
    click.echo(f"{out} ({len(data) / 1e3:,.0f} kB)")
