"""The group of verbs, and what becomes of errors."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import traceback

import click

from ..base.errors import LatebloomError
from ..report.text import visible

VERBS = {
    "run": "Train a recipe, watch it, report on it.",
    "resume": "Go on with a stopped run, to the same bits.",
    "sweep": "Train many runs: values multiplied out.",
    "study": "Shipped studies, and how yours stand.",
    "list": "All runs of the store.",
    "show": "One run in words.",
    "diagnose": "What anybody's training log shows.",
    "watch": "The same of a log that grows.",
    "forecast": "How likely it is to generalize soon.",
    "jump": "Why the training loss jumped.",
    "compare": "Does it happen sooner? Arms, intervals.",
    "phases": "The phase diagram of a study.",
    "reproduce": "Published claims: found, held or not.",
    "report": "Write reports, and an index of them.",
    "recipes": "What can be run as shipped.",
    "measures": "What can be read, and what it costs.",
    "spectra": "Eigenvalues of weights: tails, traps.",
    "mheight": "Exact m-heights of linear codes.",
    "checkpoints": "List, inspect, compare, roll back.",
    "data": "Data sets: list, fetch, draw codes.",
    "doctor": "Whether this machine is fit to train on.",
}

EXIT_CODES = """\b
Exit codes:
  0        done
  1        a failure we did not foresee; of a sweep: some runs diverged or were given up
  2        wrong usage, recipe or data
  3        a package is missing
  4        the training diverged
  5        the store refused
  128 + n  stopped by signal n (130 Ctrl-C, 143 SIGTERM); go on with `latebloom resume`
"""


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, or an error that names the nearest one."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], VERBS, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line per verb, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
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
        sys.exit(app(prog_name="latebloom", standalone_mode=False) or 0)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        usage = [*context.get_usage().splitlines(), f"Try '{context.command_path} --help'.", ""] if context else []
        _fail([*usage, f"Error: {error.format_message()}"], error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except LatebloomError as error:
        _fail([f"{type(error).__name__}: {line}" for line in str(error).splitlines()], error.exit_code)
    except Exception as error:
        missing = getattr(error, "name", None) or ""
        if isinstance(error, ModuleNotFoundError) and not missing.startswith("latebloom"):
            _fail([f"The package {missing!r} is missing: pip install {missing}"], 3)
        _fail([f"{type(error).__name__}: {error}", "This should not happen. `latebloom --debug ...` shows where."], 1)


def _fail(lines: list[str], exit_code: int) -> None:
    """Say what went wrong, and end. Whoever asks for it sees where."""
    if os.environ.get("LATEBLOOM_DEBUG"):
        traceback.print_exc()
    for line in lines:
        click.echo(visible(line), err=True)
    sys.exit(exit_code)
