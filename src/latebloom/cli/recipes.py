"""latebloom recipes [show NAME]."""

from __future__ import annotations

import json
import textwrap

import click

from ..recipes import about as about_of
from ..recipes import names
from ..report.text import visible
from .options import JSON


@click.group(invoke_without_command=True)
@JSON
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """The recipes shipped with latebloom: what each is about, where it comes from, what to expect of it."""
    if ctx.invoked_subcommand is not None:
        return
    abouts = {name: about_of(name) for name in names()}
    if as_json:
        click.echo(json.dumps({"schema": 1, "recipes": [{"name": name, **about} for name, about in abouts.items()]}))
        return
    for name, about in abouts.items():
        click.secho(name, bold=True)
        click.echo(_indented("  ", about["title"]))
        click.echo(_indented("    from    ", about["source"]))
        click.echo(_indented("    expect  ", about["expect"]))
    click.echo("\nlatebloom run NAME trains one; latebloom recipes show NAME prints all its settings.")


def _indented(head: str, text: str) -> str:
    return textwrap.fill(text, 100, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """NAME, a shipped recipe or a .yaml file, with every default written out; saved as a file it runs the same."""
    from ..spec import build, read_recipe, to_yaml

    recipe = read_recipe(name)
    for key, text in recipe.about.items():
        click.echo(f"# {visible(key)}: {visible(text)}")
    click.echo(to_yaml(build(recipe)), nl=False)
