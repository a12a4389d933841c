"""One explanation of a jump after looking: the observation that would kill it, what was observed, and the verdict."""

from __future__ import annotations

from typing import Literal, NamedTuple

Outcome = Literal["survives", "refuted", "not testable here"]


class Finding(NamedTuple):
    """One explanation and what became of it."""

    letter: str
    claim: str
    killed_by: str  # the observation that would refute it
    verdict: Outcome
    because: str  # what was observed, with the number that decided
    numbers: dict[str, float | int | str | None]

    @classmethod
    def untested(cls, letter: str, claim: str, killed_by: str, why: str) -> Finding:
        """One that nothing here can decide."""
        return cls(letter, claim, killed_by, "not testable here", why, {})
