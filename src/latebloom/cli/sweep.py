"""latebloom sweep RECIPE|STUDY.yaml [key=values ...]."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import JSON, QUIET, STORE, TENSORBOARD, TRACK

if TYPE_CHECKING:
    from ..spec import Study

VALUES = """\b
Values of an axis; every combination of all axes is one run:
  seed=0..9                                 whole numbers, both ends included
  optimizer.weight_decay=0.01,0.1,1         a list
  'optimizer.weight_decay=log(0.01,1,5)'    5 values, evenly spaced on a log scale; lin(0,1,5) on a straight one
  'interventions=[],[grokfast_ema]'         lists and tables as in YAML; a shell needs the quotes
  'zip(optimizer.learning_rate=1e-3,2e-3; optimizer.weight_decay=1,0.5)'      moving together

The plan is printed first. The same command goes on with the same study; a finished run is never trained again.
"""


ONLY = click.option(
    "--only",
    multiple=True,
    metavar="KEY=VALUES",
    help="Of the plan train these runs and leave the rest for later, e.g. arm=baseline,ema; repeatable.",
)


def sweeping(command: click.decorators.FC) -> click.decorators.FC:
    """The options of everything that trains a study."""
    for option in (
        click.option(
            "--workers",
            type=click.IntRange(1),
            help="Runs at a time; by default one per core, or as many as a cluster has room for.",
        ),
        click.option("--engine", type=click.Choice(["local", "ray"]), default="local", help="Where the runs train."),
        click.option("--address", help="With --engine ray: the cluster, e.g. 10.0.0.1:6379."),
        click.option("--retry", is_flag=True, help="Try again what was given up."),
        click.option("--dry-run", is_flag=True, help="Print every run of the plan, and stop."),
        STORE,
        TENSORBOARD,
        TRACK,
        QUIET,
        JSON,
    ):
        command = option(command)
    return command


@click.command(epilog=VALUES)
@click.argument("recipe")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUES]...")
@click.option("--name", help="Name of the study; by default made of recipe and axes.")
@ONLY
@sweeping
def command(recipe: str, settings: tuple[str, ...], name: str | None, **options: object) -> None:
    """Train many runs of RECIPE, one for each combination of values, or those of a study, shipped or a .yaml file."""
    from ..spec import study_named

    train(study_named(recipe, settings, name), **options)  # type: ignore[arg-type]


def train(
    study: Study,
    *,
    workers: int | None,
    engine: str,
    address: str | None,
    retry: bool,
    only: tuple[str, ...],
    dry_run: bool,
    store: Path,
    tensorboard: Path | None,
    trackers: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Print the plan, train it, say how it ended, and end with the sweep's exit code."""
    from ..report.sweep import SweepView, plan_text, runs_text, standing
    from ..spec import chosen, plan

    trials = plan(study)
    if any(trial.spec.weights for trial in trials):
        from ..lab.weights import pinned  # loads torch

        trials = pinned(trials, store)
    labels = [trial.label for trial in trials]
    now = chosen(trials, only)
    if dry_run:
        runs = [{"label": trial.label, "key": trial.key} for trial in now]
        told = json.dumps({"schema": 1, "study": study.name, "runs": runs})
        click.echo(told if as_json else plan_text(study.name, [trial.label for trial in now], every=True))
        return
    if not quiet:
        click.echo(plan_text(study.name, labels), err=True)
        if only:
            click.echo(f"  now {len(now):,} of them: {', '.join(only)}", err=True)
    from .. import lab
    from ..lab.engines import engine_of

    swept = lab.sweep(
        study,
        engine=engine_of(engine, workers, address),
        store=store,
        listener=SweepView(quiet=quiet),
        retry=retry,
        only=only,
        tensorboard=tensorboard,
        trackers=trackers,
        trials=trials,
    )
    progress = swept.progress
    if as_json:
        counts = {"total": progress.total, "finished": progress.finished, "diverged": progress.diverged}
        counts["waiting"] = progress.waiting
        given_up = progress.given_up
        click.echo(json.dumps({"schema": 1, "study": study.name, **counts, "given_up": given_up}))
    else:
        click.echo(runs_text(swept.study, progress.given_up))
        left = f"; {len(labels) - len(now):,} more are planned" if only else ""
        click.echo(f"study {study.name}: {standing(progress)}{left}")
        click.echo(f"next: latebloom compare {study.name}")
    if swept.exit_code > 128:
        click.echo("stopped; the same command goes on with it", err=True)
    sys.exit(swept.exit_code)
