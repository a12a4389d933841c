"""What the page on jumps of the training loss takes from the committed explanations."""

from __future__ import annotations

import json
from pathlib import Path

from latebloom.analysis.jump import Explanation
from latebloom.report.jump import depends, fork_sentence, headline, replay_sentence

DATA = Path(__file__).parent / "findings" / "data"


def found(name: str) -> Explanation:
    """An explanation, as `latebloom jump --forks --json` printed it."""
    return Explanation.from_json(json.loads((DATA / f"{name}.json").read_text()))


def jump(name: str) -> str:
    """What jumped, and whether the replay is the run."""
    told = found(name)
    return f"{headline(told)} {replay_sentence(told.replay) if told.replay else ''}\n"


def explanations(name: str) -> str:
    """The seven, one row each."""
    rows = ["| | explanation | seen | verdict |", "|---|---|---|---|"]
    for one in found(name).findings:
        verdict = f"**{one.verdict}**" if one.verdict == "survives" else one.verdict
        rows.append(f"| ({one.letter}) | {one.claim} <br>*Killed by: {one.killed_by}* | {one.because} | {verdict} |")
    return "\n".join(rows) + "\n"


def forks(name: str) -> str:
    """What became of the jump with one thing changed."""
    told = found(name).forks
    rows = ["| changed | what became of the jump |", "|---|---|"]
    rows += [f"| {one.changed} | {fork_sentence(one)} |" for one in told]
    return "\n".join([*rows, "", depends(told)]) + "\n"


def brief(name: str) -> str:
    """What jumped, what was seen of each explanation that survives, and what the forks say."""
    told = found(name)
    seen = [f"* ({one.letter}) survives: {one.because}" for one in told.surviving]
    gone = [f"* ({one.letter}) refuted: {one.because}" for one in told.findings if one.verdict == "refuted"]
    return "\n".join([jump(name), *seen, *gone, "", depends(told.forks)]) + "\n"
