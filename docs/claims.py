"""What the findings pages take from reproductions: claim by claim what was published, what was found, the verdict."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from latebloom.analysis.claims import VERDICTS, Judged
from latebloom.analysis.reproduction import Reproduction, read_reproduction
from latebloom.report.claims.words import counts, seeds, standing, versions

DATA = Path(__file__).parent / "findings" / "data"


@cache
def found(name: str) -> Reproduction | None:
    """A reproduction from `docs/findings/data`, judged again from the readings in it; None as long as there is none."""
    path = DATA / f"claims-{name}.json"
    return read_reproduction(path) if path.exists() else None


def table(name: str, *options: str) -> str:
    """All claims, and where the numbers come from."""
    file = "-".join([name, *(option.partition(" ")[2] for option in options)])
    told = found(file)
    if told is None:
        words = " ".join(["latebloom reproduce", name, *options])
        return f"Not measured here yet: `{words}` trains and judges it.\n"
    rows = ["| claim | published | found here | verdict |", "|---|---|---|---|", *map(_row, told.judged)]
    notes = [f"* {_cell(note)}" for note in told.notes]
    return "\n".join([*rows, "", *notes, *([""] if notes else []), _ran(file, told), ""])


def _row(one: Judged) -> str:
    verdict = f"**{one.verdict}**" if one.verdict in VERDICTS[:2] else one.verdict
    told = ", ".join(part for part in (verdict, seeds(one)) if part)
    return f"| {_cell(one.says)} <br>*{_cell(one.source)}* | {_cell(one.published)} | {_cell(one.found)} | {told} |"


def _cell(text: str) -> str:
    """Text as a table can hold it."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;").replace("\n", " ")


def _ran(name: str, told: Reproduction) -> str:
    file = f"claims-{name}.json"
    ran_on = "; ".join(versions(told.environments))
    return (
        f"{counts(told.judged)}, {standing(told)}; `{told.command}`, {told.made_at}; {ran_on}. All "
        f"verdicts follow from [{file}](data/{file}): `latebloom reproduce docs/findings/data/{file}`."
    )
