"""The group of verbs, and what becomes of errors.

Exit codes: 0 done; 1 a failure we did not foresee; 2 wrong usage, recipe or data; 3 an optional dependency is missing;
4 the training diverged; 5 the store refused; 128 + n stopped by signal n (130 Ctrl-C, 143 SIGTERM), resumable.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from ..base.errors import LatebloomError

VERBS = {
    "run": "Train a recipe, watch it, report on it.",
    "resume": "Go on with a stopped run, to the same bits.",
    "list": "All runs of the store.",
    "show": "One run in words.",
    "report": "Write a run's figure and page.",
    "recipes": "What can be run as shipped.",
    "checkpoints": "List, inspect, compare, roll back.",
    "doctor": "Whether this machine is fit to train on.",
}


class Verbs(click.Group):
    """Imports a verb when it is called, so that help and completion are instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order a newcomer needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or None."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f".{cmd_name}", __package__)
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line per verb, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="latebloom")
def app(debug: bool) -> None:
    """A laboratory for delayed generalization (grokking).

    \b
    latebloom run demo                                   watch a network grok, in about a minute
    latebloom run modular-division seed=1 optimizer.weight_decay=0.3
    latebloom list
    """
    if debug:
        os.environ["LATEBLOOM_DEBUG"] = "1"


def main() -> None:
    """Entry point of the `latebloom` command."""
    try:
        app(prog_name="latebloom")
    except LatebloomError as error:
        if os.environ.get("LATEBLOOM_DEBUG"):
            raise
        for line in str(error).splitlines():
            click.echo(f"{type(error).__name__}: {line}", err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if os.environ.get("LATEBLOOM_DEBUG") or (error.name or "").startswith("latebloom"):
            raise
        click.echo(f"The package {error.name!r} is missing: pip install {error.name}", err=True)
        sys.exit(3)
