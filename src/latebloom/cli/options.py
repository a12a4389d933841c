"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..store.layout import default_root

if TYPE_CHECKING:
    from ..store import Store, StoredRun


STORE = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_root,
    show_default="$LATEBLOOM_STORE or ./runs",
    help="Folder of runs.",
)
QUIET = click.option("--quiet", "-q", is_flag=True, help="No progress.")
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
TENSORBOARD = click.option(
    "--tensorboard",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write event files below DIR, for `tensorboard --logdir DIR`.",
)
TRACK = click.option(
    "--track",
    "trackers",
    multiple=True,
    metavar="TRACKER",
    help="Also tell wandb (offline unless WANDB_MODE says otherwise), mlflow, tensorboard or package.module:Class.",
)
RUN = click.argument("wanted", metavar="RUN", default="latest")


def at_step(store: Store, wanted: str) -> tuple[StoredRun, int]:
    """The run and step that `RUN@STEP` means; without `@STEP` the newest checkpoint."""
    from ..base.errors import StoreError

    name, at, step = wanted.rpartition("@")
    run = store.find(name or "latest" if at else wanted)
    steps = [checkpoint.step for checkpoint in run.checkpoints()]
    if not steps:
        raise StoreError(f"run {run.id} has no checkpoint")
    if not at:
        return run, steps[-1]
    number = step.replace(",", "").replace("_", "")
    if not number.isdigit() or int(number) not in steps:
        raise StoreError(f"run {run.id} has no checkpoint {step!r}; it has {', '.join(map(str, steps))}")
    return run, int(number)
