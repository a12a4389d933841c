"""Claims in words: each with what was published, what was found, and the verdict; then how many of which."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...analysis.claims import VERDICTS, Judged
from ...analysis.reproduction import Reproduction
from ..text import visible

WIDTH = 110
MARGIN = 19  # the longest verdict, and two spaces
MEANINGS = {
    "held": "what was published, with what was granted, was found in every run that can tell",
    "did not hold": "something else was found in every run that can tell; a step that was not reached counts only "
    "once the run was watched beyond the published one",
    "undecided": "the runs disagree, the evaluations are too far apart, or chance explains it",
    "not testable here": "no such run, no such reading, or not watched that far",
}


def claims_text(told: Reproduction) -> str:
    """Everything that a reader needs, in lines of at most `WIDTH`."""
    lines = [visible(told.about.get("title", told.name)), *_folded("from", told.about.get("source", ""), 0), ""]
    for one in told.judged:
        lines += [*_claim(one), ""]
    lines += [counts(told.judged), standing(told)]
    for note in told.notes:
        lines += _wrapped(f"Note: {note}", "")
    return "\n".join(lines)


def counts(judged: list[Judged]) -> str:
    """`12 claims: 5 held, 3 did not hold, 1 undecided, 3 not testable here`."""
    verdicts = [one.verdict for one in judged]
    told = [f"{verdicts.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in verdicts]
    return f"{len(judged)} claim{'s' * (len(judged) != 1)}: {', '.join(told)}"


def seeds(one: Judged) -> str:
    """`1 seed`, `3 seeds`; empty if no run could tell."""
    return f"{len(one.seeds)} seed{'s' * (len(one.seeds) != 1)}" if one.seeds else ""


def standing(told: Reproduction) -> str:
    """`from 3 runs, seeds 0 to 2, watched until step 20,000 to 100,000`."""
    if not told.runs:
        return "from no run"
    outcomes = [run.outcome for run in told.runs]
    numbers, ends = [one.seed for one in outcomes], [one.last_step for one in outcomes]
    return (
        f"from {len(outcomes)} run{'s' * (len(outcomes) != 1)}, {_span('seed', numbers)}, "
        f"watched until {_span('step', ends)}"
    )


def versions(environments: Iterable[Mapping[str, Any]]) -> list[str]:
    """On what the runs were trained, each machine with its versions once."""
    lines = []
    for one in environments:
        machine = one.get("fingerprint") or {}
        parts = [str(machine.get("processor") or "unknown processor"), f"torch {machine.get('torch') or 'unknown'}"]
        parts += [f"latebloom {one['latebloom']}"] if one.get("latebloom") else []
        parts += [f"Python {one['python']}"] if one.get("python") else []
        lines.append(", ".join(parts))
    return list(dict.fromkeys(lines))


def _span(word: str, numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    if low == high:
        return f"{word} {low:,}"
    return f"seeds {low} to {high}" if word == "seed" else f"{word} {low:,} to {high:,}"


def _claim(one: Judged) -> Iterator[str]:
    first, *rest = _wrapped(one.says, " " * MARGIN)
    yield one.verdict.upper().ljust(MARGIN) + first.lstrip()
    yield from rest
    yield from _folded("published", f"{one.published}   [{one.source}]")
    yield from _folded("found", one.found + (f"   [{seeds(one)}]" if one.seeds else ""))
    if one.because:
        yield from _folded("limits", one.because)


def _folded(word: str, text: str, margin: int = MARGIN) -> list[str]:
    head = " " * margin + word.ljust(11)
    return _wrapped(text, " " * len(head), head)


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        visible(text), WIDTH, initial_indent=indent if first is None else first, subsequent_indent=indent
    ) or [""]
