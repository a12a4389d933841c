"""latebloom run RECIPE [key=value ...]."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .aliases import ALIASES
from .options import JSON, QUIET, STORE


def _with_aliases(function: Callable[..., Any]) -> Callable[..., Any]:
    """One option per alias, in both spellings."""
    for alias, key in reversed(ALIASES.items()):
        names = {f"--{alias}", f"--{alias.replace('-', '_')}"}
        function = click.option(*sorted(names), f"set_{alias.replace('-', '_')}", help=f"Sets {key}.", metavar="VALUE")(
            function
        )
    return function


@click.command()
@click.argument("recipe")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@_with_aliases
@STORE
@QUIET
@JSON
@click.option("--dry-run", is_flag=True, help="Print the whole recipe as it would run, and stop.")
@click.option("--no-report", is_flag=True, help="Do not write figure and page at the end.")
@click.option("--save-path", "--save_path", type=click.Path(path_type=Path), help="Also write the figure here (PNG).")
def command(
    recipe: str,
    settings: tuple[str, ...],
    store: Path,
    quiet: bool,
    as_json: bool,
    dry_run: bool,
    no_report: bool,
    save_path: Path | None,
    **aliases: str | None,
) -> None:
    """Train RECIPE (a shipped one, see `latebloom recipes`, or a .yaml file) with KEY=VALUE settings changed."""
    from .. import lab, spec
    from .train import finish, watching

    given = [
        f"{ALIASES[name.removeprefix('set_').replace('_', '-')]}={value}" for name, value in aliases.items() if value
    ]
    overrides = [*settings, *given]
    if dry_run:
        click.echo(spec.to_yaml(spec.build(spec.read_recipe(recipe), overrides)), nl=False)
        return
    view, started = watching(quiet or as_json)
    run = lab.run(recipe, overrides, store=store, listener=view, started=started)
    finish(run, as_json=as_json, report=not no_report, save_path=save_path)
