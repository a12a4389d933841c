"""latebloom watch LOG."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from .diagnose import FLOOR, FORMAT, MAP, RUN, floors, mapped
from .options import JSON


@click.command()
@click.argument("path", metavar="LOG", type=click.Path(path_type=Path))
@MAP
@RUN
@FORMAT
@FLOOR
@click.option("--every", default=2.0, show_default=True, metavar="SECONDS", help="How often to look.")
@click.option("--until-quiet", type=float, metavar="SECONDS", help="End when nothing new came for so long.")
@JSON
def command(
    path: Path,
    mapping: tuple[str, ...],
    run: str | None,
    format_: str | None,
    floor: tuple[str, ...],
    every: float,
    until_quiet: float | None,
    as_json: bool,
) -> None:
    """Follow a LOG that grows: a line whenever the verdict, the phase or the events change. Ctrl-C ends it.

    The same rules as `latebloom diagnose`, over what is there so far. LOG may not exist yet. What was read is not read
    again where the format only appends: CSV, JSON Lines, text and TensorBoard.
    """
    from ..analysis.diagnosis import diagnose
    from ..report.diagnosis.words import event_text
    from ..report.forecast import chance_sentence
    from ..report.text import visible
    from ..store.ingest import GrowingLog

    growing, known, said = GrowingLog(path, mapped(mapping, run), format_), floors(floor), set[str]()
    told: tuple[str, str] | None = None
    before, heard = None, time.monotonic()
    while True:
        has_grown, log = growing.look()
        if has_grown:
            heard = time.monotonic()
        if log is not None and log is not before:
            before = log
            found = diagnose(log.curves, log.events, floor=known)
            step = max(int(curve.steps[-1]) for curve in log.curves.values() if len(curve.steps))
            now = found.verdict.family, found.phases[-1].phase if found.phases else ""
            events = [one for one in map(event_text, found.events) if one not in said]
            said.update(events)
            if now != told or events:
                if as_json:
                    click.echo(json.dumps({"step": step, **found.to_json()}, allow_nan=False))
                else:
                    for one in events:
                        click.echo(visible(f"  {one}"))
                    chance = chance_sentence(found.forecast, log.axis)
                    click.echo(visible(f"{log.axis} {step:,}: {now[1]}, {found.verdict.headline}{chance}"))
            told = now
        elif until_quiet is not None and time.monotonic() - heard > until_quiet:
            return
        time.sleep(every)
