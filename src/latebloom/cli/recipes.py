"""latebloom recipes [show NAME]."""

from __future__ import annotations

import click


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """The recipes shipped with latebloom: name, and what each is about."""
    if ctx.invoked_subcommand is not None:
        return
    from ..spec import read_recipe, recipe_names

    names = recipe_names()
    for name in names:
        about = read_recipe(name).get("about") or {}
        click.echo(f"{name.ljust(max(map(len, names)))}  {about.get('title', '')}")


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """NAME with every default written out, and what it claims."""
    from ..spec import build, read_recipe, to_yaml

    recipe = read_recipe(name)
    for key, text in (recipe.get("about") or {}).items():
        click.echo(f"# {key}: {text}")
    click.echo(to_yaml(build(recipe)), nl=False)
