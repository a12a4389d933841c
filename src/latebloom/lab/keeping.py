"""Which steps are saved, why, and which of them are kept. Decides nothing that a weight depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..engine import Moment, State
from ..spec import Checkpoints

FOREVER = ("milestone", "event:", "final", "branch", "unreadable")


class Keeper:
    """Follows one run's checkpoints.

    Args:
        spec: What the run wants to be kept.
        saved: Labels by step of the checkpoints that exist already.
    """

    def __init__(self, spec: Checkpoints, saved: Mapping[int, Iterable[str]]) -> None:
        self.spec = spec
        self.saved = {step: tuple(labels) for step, labels in saved.items()}

    def labels(self, moment: Moment) -> list[str]:
        """Why this moment's state is to be saved; empty when it is not."""
        step, labels = moment.step, list[str]()
        if step and self.spec.every is not None and step % self.spec.every == 0:
            labels.append("every")
        if step and self.spec.milestones.due(step):
            labels.append("milestone")
        labels += [f"event:{event.kind}" for event in moment.events if event.kind in self.spec.events]
        labels += moment.best if step else []
        return labels + ["final"] * (moment.reason is not None)

    def kept(self, state: State) -> set[int]:
        """The steps whose checkpoints stay."""
        newest = set(sorted(self.saved)[-self.spec.latest :])
        forever = {step for step, labels in self.saved.items() if any(label.startswith(FOREVER) for label in labels)}
        best = {found["step"] for name, found in state.detectors.items() if name.startswith("best:")}
        return newest | forever | (best & set(self.saved))
