"""latebloom list."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..report.listing import runs_table
from ..store import Store
from .options import JSON, STORE


@click.command()
@STORE
@JSON
def command(store: Path, as_json: bool) -> None:
    """All runs of the store, newest first."""
    runs = Store(store).runs()
    if not as_json:
        click.echo(runs_table(runs))
        if not runs:
            click.echo(f"looked in {store}; `latebloom run demo` makes one, in about a minute", err=True)
        return
    rows = [
        {"id": r.id, "name": r.name, "status": r.status, "step": r.step, "seed": r.seed, "created_at": r.created_at}
        | {"spec_hash": r.spec_hash, "parent": r.parent, "summary": r.summary, "damage": r.damage}
        for r in runs
    ]
    click.echo(json.dumps({"schema": 1, "runs": rows}))
