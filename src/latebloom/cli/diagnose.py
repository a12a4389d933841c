"""latebloom diagnose LOG."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .forecast import MODEL, opened_model
from .options import JSON

if TYPE_CHECKING:
    from ..analysis.diagnosis import Diagnosis
    from ..store.ingest import ForeignLog

MAP = click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Which column is what, e.g. val/accuracy=acc_test; step=THEIRS names the axis.",
)
RUN = click.option(
    "--run", metavar="NAME", help="Which of several runs in the log: its name, or a part that only it has."
)
FORMAT = click.option(
    "--format", "format_", help="tensorboard, csv, jsonl, json, npz or text, if it is not recognised."
)
FLOOR = click.option(
    "--floor",
    multiple=True,
    metavar="READING=VALUE",
    help="What an uninformed predictor has, e.g. val/accuracy=0.1 or loss=2.3. By default it is estimated.",
)


@click.command(
    epilog="""\b
Examples:
  latebloom diagnose metrics.csv
  latebloom diagnose lightning_logs/version_0/metrics.csv --plot diagnosis.html
  latebloom diagnose tensorboard_folder --json
  latebloom diagnose sweep.csv --run seed=1
  latebloom diagnose train.log --map val/accuracy=top1 --floor accuracy=0.01
"""
)
@click.argument("path", metavar="LOG", type=click.Path(path_type=Path))
@MAP
@RUN
@FORMAT
@FLOOR
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write a page (.html) or figure (.png, .svg)."
)
@MODEL
@JSON
def command(
    path: Path,
    mapping: tuple[str, ...],
    run: str | None,
    format_: str | None,
    floor: tuple[str, ...],
    plot: Path | None,
    model: Path | None,
    as_json: bool,
) -> None:
    """What a training LOG shows: grokking or not, with the numbers that decided and what would refute it.

    LOG is a TensorBoard folder, a W&B export, CSV, JSON, JSON Lines, a Lightning, Hugging Face or Keras log, .npz, .pt
    or plain text, packed or not; or a folder of such files. What was understood of it is printed with the verdict.
    """
    from ..analysis.diagnosis import diagnose
    from ..report.diagnosis.words import diagnosis_text
    from ..store import durable

    log = opened(path, mapped(mapping, run), format_)
    found = diagnose(log.curves, log.events, floor=floors(floor), model=opened_model(model))
    if plot is not None:
        durable.replace(plot, drawn(log, found, plot.suffix))
    if as_json:
        report = {"path": str(log.path), "format": log.format, "axis": log.axis, "mapped": log.mapped}
        report |= {"converted": log.converted, "dropped": log.dropped, "notes": log.notes}
        click.echo(json.dumps({**found.to_json(), "log": report}, allow_nan=False))
        return
    click.echo(diagnosis_text(log, found))
    if plot is not None:
        click.echo(f"\n{plot}")


def mapped(given: tuple[str, ...], run: str | None) -> dict[str, str]:
    """What the reader of the log is told: `--map`, and `--run` among it."""
    return pairs(given, "--map", "OURS=THEIRS") | ({} if run is None else {"run": run})


def opened(path: Path, mapping: dict[str, str], format_: str | None) -> ForeignLog:
    """The log; torch is loaded only for files that it wrote."""
    from ..base.errors import DataError
    from ..store import durable
    from ..store.ingest import is_torch, read_log

    if not path.exists():
        raise DataError(f"there is no log {path}. Give the file, or the folder of TensorBoard's event files.")
    if format_ is None and path.is_file() and is_torch(b"".join(durable.read_chunks(path, 0, 512))):
        from ..lab.torch_log import read_torch_log

        return read_torch_log(path, mapping=mapping)
    return read_log(path, mapping=mapping, format=format_)


def floors(given: tuple[str, ...]) -> dict[str, float]:
    """`READING=VALUE` as numbers."""
    from ..base.errors import SpecError

    try:
        read = {name: float(value) for name, value in pairs(given, "--floor", "READING=VALUE").items()}
    except ValueError as error:
        raise SpecError(f"--floor: {error}; expected READING=VALUE, e.g. loss=2.3") from None
    for name, value in read.items():
        if not math.isfinite(value) or (value >= 1 and "acc" in name.lower()):
            raise SpecError(f"--floor {name}={value:g}: expected what knowing nothing scores, e.g. 0.1 for 10 classes")
    return read


def pairs(given: tuple[str, ...], option: str, form: str) -> dict[str, str]:
    """`NAME=VALUE` texts as a table."""
    from ..base.errors import SpecError

    if wrong := [one for one in given if not all(one.partition("="))]:
        raise SpecError(f"{option} {wrong[0]!r}: expected {form}")
    return {name: value for name, _, value in (one.partition("=") for one in given)}


def drawn(log: ForeignLog, found: Diagnosis, suffix: str) -> bytes:
    """The page, or the figure alone."""
    from ..base.errors import SpecError
    from ..report.diagnosis.figure import diagnosis_picture
    from ..report.diagnosis.page import diagnosis_page

    if suffix in (".html", ".htm"):
        return diagnosis_page(log, log.curves, found).encode()
    if suffix not in (".png", ".svg"):
        raise SpecError(f"--plot writes .html, .png or .svg, not {suffix!r}")
    picture = diagnosis_picture(log.path.name, log.axis, log.curves, found)
    return picture.png if suffix == ".png" else picture.svg
