"""latebloom run RECIPE [key=value ...]."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .aliases import assignments, refuse_short_names, short_names, with_aliases
from .options import JSON, QUIET, STORE, TENSORBOARD, TRACK

SETTINGS = """\b
Every setting can be given as KEY=VALUE, values as in YAML:
  latebloom run demo seed=2 optimizer.kind=sgd batch.size=null
  latebloom recipes show demo                     all keys, with the values in force
"""


def _in_a_folder(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Refuse before the training what would fail after it."""
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder {str(value.parent)!r}; make it first")
    return value


@click.command(epilog=f"{SETTINGS}\n\b\n{short_names()}")
@click.argument("recipe")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@STORE
@TENSORBOARD
@TRACK
@QUIET
@JSON
@click.option("--dry-run", is_flag=True, help="Print the whole recipe as it would run, and stop.")
@click.option("--no-report", is_flag=True, help="Do not write figure and page at the end.")
@click.option(
    "--save-path",
    "--save_path",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_in_a_folder,
    help="Also write the figure here (PNG).",
)
@click.option("--multi-task", "--multi_task", is_flag=True, hidden=True)
@with_aliases
def command(
    recipe: str,
    settings: tuple[str, ...],
    store: Path,
    tensorboard: Path | None,
    trackers: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    dry_run: bool,
    no_report: bool,
    save_path: Path | None,
    multi_task: bool,
    **aliases: Sequence[str],
) -> None:
    """Train RECIPE, a shipped one (see `latebloom recipes`) or a .yaml file, with some settings changed."""
    from .. import lab, spec
    from .train import finish, watching

    mixed = spec.read_recipe(recipe).settings.get("task", {}) if multi_task else None
    refuse_short_names(settings)
    overrides = [*settings, *assignments(aliases, mixed)]
    if dry_run:
        planned = lab.rehearse(spec.build(spec.read_recipe(recipe), overrides), store)
        click.echo(spec.to_yaml(planned), nl=False)
        return
    view, started = watching(quiet or as_json)
    where: dict[str, Any] = {"store": store, "tensorboard": tensorboard, "trackers": trackers}
    run = lab.run(recipe, overrides, listener=view, started=started, **where)
    finish(run, as_json=as_json, report=not no_report, save_path=save_path)
