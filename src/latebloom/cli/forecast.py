"""latebloom forecast [show [FILE] | collect STUDY... | fit CORPUS]."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import JSON, STORE

if TYPE_CHECKING:
    from ..detect.forecast import Model

FILE = click.Path(path_type=Path, dir_okay=False)
MODEL = click.option(
    "--forecast",
    "model",
    type=FILE,
    metavar="FILE",
    help="Chances of generalizing by this model, from `latebloom forecast fit`, instead of the shipped one.",
)


@click.group(
    epilog="""\b
On your own runs:
  latebloom forecast collect my-study another-study --out corpus.json
  latebloom forecast fit corpus.json --out mine.json
  latebloom diagnose metrics.csv --forecast mine.json
"""
)
def command() -> None:
    """How likely a run is to generalize soon: what the shipped chances are worth, and chances from your own runs.

    `latebloom diagnose` and `watch` tell the chances of a log.
    """


@command.command()
@click.argument("path", metavar="[FILE]", type=FILE, required=False)
@JSON
def show(path: Path | None, as_json: bool) -> None:
    """The card of a model: what it was made from, and how good it was on runs that it had not seen."""
    from ..report.forecast import card_text

    model = opened_model(path)
    click.echo(json.dumps({"schema": 1, **model.card, "refused": model.refused}) if as_json else card_text(model))


@command.command()
@click.argument("studies", metavar="STUDY...", nargs=-1, required=True)
@click.option("--out", "-o", type=FILE, default="corpus.json", show_default=True, help="File to write.")
@STORE
def collect(studies: tuple[str, ...], out: Path, store: Path) -> None:
    """The curves of the finished runs of stored STUDIES as one corpus."""
    import time

    from ..analysis.forecast.corpus import collect as collected
    from ..store import StoredStudy, durable

    trained = "; ".join(f"latebloom study run {name}" for name in studies)
    data = collected([StoredStudy(store, name) for name in studies], trained, time.strftime("%Y-%m-%d", time.gmtime()))
    durable.replace(out, data)
    click.echo(f"{out} ({len(data) / 1e3:,.0f} kB)")


@command.command()
@click.argument("corpus", type=FILE)
@click.option(
    "--elsewhere", multiple=True, type=FILE, metavar="CORPUS", help="Judge the chances by these runs, too; not learned."
)
@click.option("--seed", default=0, show_default=True, help="Decides folds and resamples.")
@click.option("--out", "-o", type=FILE, default="forecast.json", show_default=True, help="File to write.")
def fit(corpus: Path, elsewhere: tuple[Path, ...], seed: int, out: Path) -> None:
    """Calibrate chances on a CORPUS, judge them on what was held out, and write both."""
    from ..analysis.forecast.corpus import read_corpus
    from ..analysis.forecast.fit import fit as fitted
    from ..analysis.forecast.fit import model_bytes
    from ..report.forecast import card_text
    from ..store import durable

    model = fitted(read_corpus(corpus), [read_corpus(one) for one in elsewhere], seed)
    durable.replace(out, model_bytes(model))
    click.echo(card_text(model))
    click.echo(f"\n{out}")


def opened_model(path: Path | None) -> Model:
    """The model in a file, or the shipped one."""
    from ..base.errors import DataError
    from ..detect.forecast import model_of, shipped
    from ..store import durable

    if path is None:
        return shipped()
    try:
        return model_of(json.loads(durable.read(path)), str(path))
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None
