"""latebloom jump RUN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import JSON, QUIET, RUN, STORE

if TYPE_CHECKING:
    from ..analysis.jump import Explanation


@click.command(
    epilog="""\b
Examples:
  latebloom run train-loss-jump && latebloom jump --forks
  latebloom jump latest --step 1700 --plot jump.png
  latebloom jump latest --json > jump.json && latebloom jump jump.json
"""
)
@RUN
@click.option("--step", type=int, help="Where the jump is; by default the largest rise of the training loss.")
@click.option("--forks", is_flag=True, help="Also train the stretch with one thing changed at a time.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write a figure (.png, .svg).")
@STORE
@QUIET
@JSON
def command(
    wanted: str, step: int | None, forks: bool, plot: Path | None, store: Path, quiet: bool, as_json: bool
) -> None:
    """Why did the training loss jump? RUN's stretch around the jump, trained once more and read at every step.

    Seven explanations, each with the observation that kills it: the averaging, an optimizer kick, curvature, lost
    weight norm, a few examples, unequal measures, something that was changed. The replay starts at the checkpoint
    before the jump and is compared with what is stored, bit for bit. Nothing is written. Instead of RUN, a file that
    --json printed is told again.
    """
    from ..base.errors import SpecError
    from ..report.jump import jump_text
    from ..store import durable

    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise SpecError(f"--plot writes .png or .svg, not {plot.suffix!r}")
    if wanted.endswith(".json"):
        found = _told(Path(wanted))
    else:
        from ..lab.jump import explain_jump

        say = (lambda text: None) if quiet or as_json else (lambda text: click.echo(text, err=True))
        found = explain_jump(wanted, step, forks=forks, store=store, say=say)
    if plot is not None:
        from ..report.figures.jump import picture

        drawn = picture(found)
        durable.replace(plot, drawn.png if plot.suffix == ".png" else drawn.svg)
    click.echo(json.dumps(found.to_json(), allow_nan=False) if as_json else jump_text(found))
    if plot is not None:
        click.echo(str(plot), err=as_json)


def _told(path: Path) -> Explanation:
    from ..analysis.jump import Explanation
    from ..base.errors import DataError
    from ..store import durable

    try:
        return Explanation.from_json(json.loads(durable.read(path)))
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}") from None
