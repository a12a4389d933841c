"""latebloom resume RUN."""

from __future__ import annotations

from pathlib import Path

import click

from .options import JSON, QUIET, RUN, STORE


@click.command(
    epilog="""\b
Examples:
  latebloom resume latest --steps 20000
  latebloom resume latest --from 4000 optimizer.learning_rate=3e-4
"""
)
@RUN
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--steps", type=int, help="A larger number of steps in all.")
@click.option(
    "--from",
    "step",
    type=int,
    metavar="STEP",
    help="A new run from this checkpoint, with KEY=VALUE changed; RUN stays.",
)
@STORE
@QUIET
@JSON
@click.option("--no-report", is_flag=True, help="Do not write figure and page at the end.")
def command(
    wanted: str,
    settings: tuple[str, ...],
    steps: int | None,
    step: int | None,
    store: Path,
    quiet: bool,
    as_json: bool,
    no_report: bool,
) -> None:
    """Go on with RUN (`latest`, a name, an id or a part of one) from its last good checkpoint.

    With --from, a new run goes on from an earlier checkpoint of RUN, with settings changed from there on.
    """
    from .. import lab
    from ..base.errors import SpecError
    from .train import finish, watching

    if settings and step is None:
        raise SpecError(
            f"a run goes on with the settings it has; to change {', '.join(settings)}, name the checkpoint to go on "
            "from: --from STEP"
        )
    if step is not None:
        budget = [] if steps is None else [f"steps={steps}"]  # of the branch, which may be shorter
        wanted, steps = lab.rollback(wanted, step, [*settings, *budget], store=store).id, None
    view, started = watching(quiet or as_json)
    run = lab.resume(wanted, steps=steps, store=store, listener=view, started=started)
    finish(run, as_json=as_json, report=not no_report)
