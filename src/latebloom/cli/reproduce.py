"""latebloom reproduce [NAME | FILE.json]."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .sweep import sweeping

if TYPE_CHECKING:
    from ..analysis.reproduction import Reproduction

EXAMPLES = """\b
Examples:
  latebloom reproduce                                     what can be reproduced
  latebloom reproduce deep-grokking --seeds 0             train what is missing, then judge every claim
  latebloom reproduce deep-grokking --sizes 2000 --max-steps 20000
  latebloom reproduce deep-grokking --no-train            judge the runs that are there, finished or not
  latebloom reproduce deep-grokking -o claims.html        also as a page; claims.json has all data
  latebloom reproduce claims.json                         judge such a file again

A run is never trained twice, whichever command trained it. A claim about steps that no run has seen is "not
testable here", never refuted.
"""


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False)
@click.argument("settings", nargs=-1, metavar="[KEY=VALUES]...")
@click.option("--sizes", metavar="N,N", help="Sizes of the training set, short for task.train_size=N,N.")
@click.option("--seeds", metavar="A..B", help="Seeds, short for seed=A..B.")
@click.option("--max-steps", type=click.IntRange(1), metavar="N", help="Train no further, short for steps=N.")
@click.option("--no-train", is_flag=True, help="Judge what is there.")
@click.option("--convention", metavar="RULE", help="Fit tail exponents anew by another tool's rule, e.g. median-xmin.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a page (.html), or all data (.json).",
)
@sweeping
def command(
    name: str | None,
    settings: tuple[str, ...],
    sizes: str | None,
    seeds: str | None,
    max_steps: int | None,
    no_train: bool,
    convention: str | None,
    out: Path | None,
    dry_run: bool,
    store: Path,
    as_json: bool,
    **how: Any,
) -> None:
    """Claim by claim: what was published, what is found here, and whether it held."""
    if name is None:
        _list(as_json)
        return
    short = {"task.train_size": sizes, "seed": seeds, "steps": max_steps}
    changes = [*settings, *(f"{key}={value}" for key, value in short.items() if value is not None)]
    exit_code = 0
    if name.endswith(".json"):
        from ..analysis.reproduction import read_reproduction

        told = read_reproduction(Path(name))
    else:
        told, exit_code = _reproduced(
            name, changes, no_train=no_train, convention=convention, dry_run=dry_run, store=store, **how
        )
    from ..report.claims.words import claims_text
    from ..report.claims.write import write_claims

    if exit_code > 128:
        click.echo("stopped; the same command goes on", err=True)
    if out is not None:
        write_claims(told, out)
        click.echo(out, err=True)
    click.echo(json.dumps(told.to_json(), allow_nan=False) if as_json else claims_text(told))
    sys.exit(exit_code)


def _list(as_json: bool) -> None:
    from .. import recipes

    found = [
        (name, kind, claims)
        for kind in ("", recipes.STUDIES)
        for name in recipes.names(kind)
        if (claims := recipes.claims(name, kind))
    ]
    if as_json:
        rows = [{"name": name, "kind": kind or "recipe", "claims": claims} for name, kind, claims in found]
        click.echo(json.dumps({"schema": 1, "reproducible": rows}))
        return
    for name, kind, claims in found:
        click.secho(name, bold=True)
        count = f"see {claims}" if isinstance(claims, str) else f"{len(claims)} claim{'s' * (len(claims) != 1)}"
        click.echo(f"  {recipes.about(name, kind)['title']} ({count})")
    click.echo("\nlatebloom reproduce NAME trains what is missing and judges the claims.")


def _reproduced(
    name: str,
    changes: list[str],
    *,
    no_train: bool,
    convention: str | None,
    dry_run: bool,
    store: Path,
    workers: int | None,
    engine: str,
    address: str | None,
    retry: bool,
    tensorboard: Path | None,
    trackers: tuple[str, ...],
    quiet: bool,
) -> tuple[Reproduction, int]:
    """The claims, judged after training, and the exit code of the sweep."""
    from ..lab.reproduce import judged, meant, outstanding, train
    from ..report.sweep import SweepView, plan_text

    one = meant(name, changes, root=store)
    missing = [] if no_train else outstanding(one)
    if dry_run:
        click.echo(plan_text(one.study.name, [trial.label for trial in missing], every=True))
        sys.exit(0)
    swept = None
    if missing:
        from ..lab.engines import engine_of

        if not quiet:
            click.echo(plan_text(one.study.name, [trial.label for trial in missing]), err=True)
        hands = engine_of(engine, workers, address)
        swept = train(
            one, engine=hands, listener=SweepView(quiet=quiet), retry=retry, tensorboard=tensorboard, trackers=trackers
        )
    return judged(one, convention), swept.exit_code if swept else 0
