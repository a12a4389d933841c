"""How a study stands: what is done, what is under way, what was given up and why."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..store import Planned


class Progress(NamedTuple):
    """How a study stands."""

    total: int
    finished: int
    diverged: int
    given_up: dict[str, str]  # run -> why
    running: list[Planned]
    waiting: int

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train."""
        return not self.running and not self.waiting


class Attempts:
    """What the journal says about attempts that did not finish their run."""

    def __init__(self) -> None:
        self.given_up: dict[str, str] = {}
        self._last: dict[str, tuple[int, int]] = {}  # run -> newest checkpoint, attempts that ended there

    def hear(self, entry: dict[str, Any]) -> None:
        """One entry, in order."""
        match entry["what"]:
            case "attempt":
                step, count = self._last.get(entry["run"], (-1, 0))
                self._last[entry["run"]] = (entry["step"], count + 1 if entry["step"] <= step else 1)
            case "given_up":
                self.given_up[entry["run"]] = entry["reason"]
            case "retry":
                for run in entry.get("runs", [*self.given_up, *self._last]):  # an early version meant all of them
                    self.given_up.pop(run, None)
                    self._last.pop(run, None)

    def fruitless(self, run: str) -> int:
        """Attempts in a row that saved nothing new."""
        return self._last.get(run, (-1, 0))[1]
