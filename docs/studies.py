"""What the findings pages take from published studies: the tables of a comparison, and what was run."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import cache
from pathlib import Path

from latebloom.analysis.conclusion import spoken
from latebloom.analysis.contrast import Contrast
from latebloom.analysis.phases import phase_diagram
from latebloom.analysis.published import PublishedRun, PublishedStudy, read_published
from latebloom.detect.stopping.collapsed import GONE
from latebloom.report.comparison import words
from latebloom.report.comparison.compared import Compared, compared
from latebloom.report.comparison.stored import of_study
from latebloom.report.figures.phases import cell_text

DATA = Path(__file__).parent / "findings" / "data"


@cache
def study(name: str) -> PublishedStudy:
    """A published study from `docs/findings/data`."""
    return read_published(DATA / f"{name}.json")


def is_published(name: str) -> bool:
    """Whether there is a file of this study."""
    return (DATA / f"{name}.json").exists()


def drawn(table: Callable[..., str], name: str, *args: str) -> Callable[[], str]:
    """A part of a document, or what to run as long as the study is not published."""

    def draw() -> str:
        if not is_published(name):
            return f"Not measured here yet: `latebloom study run {name}` trains it.\n"
        return table(name, *args).rstrip("\n") + "\n"

    return draw


@cache
def comparison(name: str, event: str = "generalized", baseline: str | None = None) -> Compared:
    """The comparison that `latebloom compare` makes of the same file."""
    return compared(of_study(study(name), event=event), baseline=baseline)


def tables(name: str, event: str = "generalized", baseline: str | None = None) -> str:
    """Arms, contrasts, warnings, and where the numbers come from."""
    told = comparison(name, event, baseline)
    horizon = told.comparison.horizon_steps
    rows = [
        f"| arm | {spoken(event)} by {horizon:,} | median step | mean step, at most {horizon:,} (95 %) "
        "| training fitted at | lost |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for arm in told.comparison.arms:
        times, fit = arm.event, arm.fit.median_steps if arm.fit else None
        rows.append(
            f"| {told.names[arm.arm]} | {times.happened} of {arm.n} | {_steps(times.median_steps)} "
            f"| {words.mean_step(arm)} | {_steps(fit)} | {arm.lost} |"
        )
    rows += ["", contrasts(name, event, baseline)]
    warnings = [f"* {text}" for text in told.comparison.warnings]
    return "\n".join([*rows, "", *warnings, "", ran(name), ""])


def contrasts(name: str, event: str = "generalized", baseline: str | None = None) -> str:
    """Every other arm against the baseline."""
    told = comparison(name, event, baseline)
    rows = _head(f"{spoken(event)}, against {told.names[told.comparison.baseline]}")
    return "\n".join([*rows, *(_contrast(told.names[one.arm], one) for one in told.comparison.contrasts)])


def duels(name: str, *pairs: str) -> str:
    """Some arms, each against its own baseline, `arm|baseline`; Holm corrects for the whole comparison of that one."""
    rows = _head("generalized, against")
    for arm, baseline in (pair.split("|") for pair in pairs):
        told = comparison(name, "generalized", baseline)
        (one,) = (one for one in told.comparison.contrasts if told.names[one.arm] == arm)
        rows.append(_contrast(f"{arm}, against {baseline}", one))
    return "\n".join(rows)


def collapses(name: str) -> str:
    """By arm, how many finished runs have lost their weights (see rule `collapsed`), and where their loss stands."""
    one = study(name)
    rows = [
        "| arm | runs | weights gone | weight norm at first, at the end | training loss at the end, of these |",
        "|---|---:|---:|---:|---:|",
    ]
    arms: dict[str, list[PublishedRun]] = {}
    for planned in one.planned:
        run = one.run(planned)
        if run is not None and run.status == "finished":
            arms.setdefault(str(planned.label["arm"]), []).append(run)
    for arm, runs in arms.items():
        norms = [run.curves()["weight_norm/l2"].values for run in runs]
        gone = [run for run, norm in zip(runs, norms, strict=True) if norm[-1] <= GONE * norm.max()]
        first, last, losses = (
            [norm[0] for norm in norms],
            [norm[-1] for norm in norms],
            [run.curves()["train/loss"].values[-1] for run in gone],
        )
        told = f"{min(losses):.4f} to {max(losses):.4f}" if losses else ""
        span = f"{statistics.median(first):.1f}, {min(last):.2g} to {max(last):.2g}"
        rows.append(f"| {arm} | {len(runs)} | {len(gone)} | {span} | {told} |")
    return "\n".join(rows)


def phases(name: str, x_key: str, y_key: str) -> str:
    """The phase diagram of a study as a table, large y on top, and where the numbers come from."""
    one = study(name)
    diagram = phase_diagram([(planned.label, one.run(planned)) for planned in one.planned], x_key, y_key)
    cells = {(cell.x, cell.y): cell_text(cell).replace("\n", "<br>") for cell in diagram.cells}
    rows = [f"| {y_key} \\ {x_key} | " + " | ".join(f"{x:g}" for x in diagram.xs) + " |"]
    rows.append("|---:" * (len(diagram.xs) + 1) + "|")
    rows += [
        f"| **{y:g}** | " + " | ".join(cells.get((x, y), "") for x in diagram.xs) + " |" for y in reversed(diagram.ys)
    ]
    return "\n".join([*rows, "", ran(name, "phases", "findings/data"), ""])


def ran(name: str, verb: str = "compare", folder: str = "data") -> str:
    """The command, the versions and the seeds of a study, and where its file is, seen from the document."""
    one = study(name)
    runs = [run for run in map(one.run, one.planned) if run is not None]
    seeds = sorted({run.seed for run in runs})
    machines = {e["fingerprint"]["processor"] for e in one.environments}
    versions = {
        f"torch {e['fingerprint']['torch']}, latebloom {e['latebloom']}, Python {e['python']}" for e in one.environments
    }
    return (
        f"{len(runs)} of {len(one.planned)} planned runs, seeds {seeds[0]} to {seeds[-1]}; `{one.command}`, exported "
        f"{one.exported_at}; {', '.join(sorted(machines))}, one thread a run, {'; '.join(sorted(versions))}. "
        f"All numbers come from [{name}.json]({folder}/{name}.json): `latebloom {verb} docs/findings/data/{name}.json`."
    )


def _head(what: str) -> list[str]:
    return [f"| {what} | times as soon (95 %) | p | p after Holm | runs | conclusion |", "|---|---:|---:|---:|---|---|"]


def _contrast(arm: str, one: Contrast) -> str:
    ratio = "–" if one.ratio is None else f"{one.ratio:.2f} ({one.low:.2f} to {one.high:.2f})"
    ratio += ", up to the horizon" if one.is_restricted and one.ratio is not None else ""
    return f"| {arm} | {ratio} | {_p(one.p)} | {_p(one.p_holm)} | {words.runs(one)} | {one.conclusion} |"


def _steps(step: float | None) -> str:
    return "not reached" if step is None else f"{step:,.0f}"


def _p(p: float | None) -> str:
    return "–" if p is None else f"{p:.3g}"
