"""latebloom measures [RUN[@STEP] KIND [key=value ...]]."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from .options import JSON, STORE, at_step


@click.command()
@click.argument("wanted", metavar="[RUN[@STEP]", required=False)
@click.argument("kind", metavar="KIND", required=False)
@click.argument("settings", metavar="[KEY=VALUE]...]", nargs=-1)
@STORE
@JSON
def command(wanted: str | None, kind: str | None, settings: tuple[str, ...], store: Path, as_json: bool) -> None:
    """What can be read while a run trains, and what it costs; or one measure, now, on a stored checkpoint.

    \b
    latebloom measures                                      all measures: readings, source, cost measured here
    latebloom measures latest@1000 sharpness iterations=50  one of them at a checkpoint; nothing is stored
    """
    if wanted is None:
        _list(as_json)
        return
    from ..base.errors import SpecError
    from ..lab.measuring import measured
    from ..spec.codec import assigned
    from ..store import Store

    if kind is None:
        raise SpecError(f"measures {wanted}: which one? e.g. `latebloom measures {wanted} gradient_norm`")
    stored, step = at_step(Store(store), wanted)
    found = measured(stored, step, kind, assigned(settings))
    if as_json:
        told = {"schema": 1, "run": stored.id, "step": step, "readings": found.readings}
        click.echo(json.dumps({**told, "seconds": found.seconds, "forward_passes": found.passes}))
        return
    width = max(map(len, found.readings), default=0)
    for name, value in found.readings.items():
        click.echo(f"{name:<{width}}  {value:.6g}")
    if not found.readings:
        click.echo("Nothing is defined here.")
    click.echo(f"step {step:,}, {found.seconds:.3g} s, {found.passes:.3g} forward passes over all examples", err=True)


def _list(as_json: bool) -> None:
    from ..lab.measuring import costs
    from ..measures import MEASURES

    cost = costs()
    rows = [
        {"kind": kind, **_told(measure), "forward_passes": None if passes is None else round(passes, 1)}
        for kind, measure in MEASURES.items()
        for passes in [cost[kind]]
    ]
    if as_json:
        click.echo(json.dumps({"schema": 1, "measures": rows}))
        return
    for row in rows:
        click.echo(f"{row['kind']}: {row['what']}")
        click.echo(f"  readings  {row['readings']}")
        click.echo(f"  source    {row['source'] or 'none: a definition'}")
        passes = row["forward_passes"]
        told = "not measured here" if passes is None else f"{passes:,g} forward passes over all examples"
        click.echo(f"  cost      {told}")
    click.echo(
        "Costs were measured now, on a small perceptron with default settings, as far as it has what is read; "
        "of larger networks they are lower."
    )


def _told(measure: type[Any]) -> dict[str, str]:
    """What a measure's file and class say about it: first sentences, and the source."""
    file = sys.modules[measure.__module__].__doc__ or ""
    _, _, source = file.partition("Source: ")
    return {
        "what": " ".join(file.split("\n\n")[0].split()),
        "readings": " ".join((measure.__doc__ or "").split("\n\n")[0].split()),
        "source": " ".join(source.split("\n\n")[0].split()),
    }
