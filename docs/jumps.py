"""What the page on jumps of the training loss takes from the committed explanation of one."""

from __future__ import annotations

import json
from pathlib import Path

from latebloom.analysis.jump import Explanation
from latebloom.report.jump import depends, fork_sentence, headline, replay_sentence

FILE = Path(__file__).parent / "findings" / "data" / "train-loss-jump.json"


def found() -> Explanation:
    """The explanation, as `latebloom jump --forks --json` printed it."""
    return Explanation.from_json(json.loads(FILE.read_text()))


def jump() -> str:
    """What jumped, and whether the replay is the run."""
    told = found()
    return f"{headline(told)} {replay_sentence(told.replay) if told.replay else ''}\n"


def explanations() -> str:
    """The seven, one row each."""
    rows = ["| | explanation | seen | verdict |", "|---|---|---|---|"]
    for one in found().findings:
        verdict = f"**{one.verdict}**" if one.verdict == "survives" else one.verdict
        rows.append(f"| ({one.letter}) | {one.claim} <br>*Killed by: {one.killed_by}* | {one.because} | {verdict} |")
    return "\n".join(rows) + "\n"


def forks() -> str:
    """What became of the jump with one thing changed."""
    told = found().forks
    rows = ["| changed | what became of the jump |", "|---|---|"]
    rows += [f"| {one.changed} | {fork_sentence(one)} |" for one in told]
    return "\n".join([*rows, "", depends(told)]) + "\n"
