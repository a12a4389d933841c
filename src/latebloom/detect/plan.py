"""What a `Watch` looks at, worked out once."""

from __future__ import annotations

from sys import float_info

from .pair import side
from .replay import State
from .scale import Scale
from .trace import is_lost

LOSS_FIT, LOSS_DONE = 0.05, 0.10  # share of the uninformed loss: fitted, generalized
PER_CENT_FROM = 1.01  # no accuracy is larger, whatever it was rounded to
TRAIN, VAL = 1, 2  # flags
LOWEST, _HIGHEST = -float_info.max, float_info.max


class Plan:
    """What a `Watch` looks at, worked out once. Plain attributes: fields of components take ten times as long."""

    __slots__ = ("fit_at", "generalized_at", "held", "looks", "norm", "train", "val")

    def __init__(self, gauges: dict[str, Scale], norm: str | None, fit_at: float, generalized_at: float) -> None:
        self.train, self.val, self.norm = gauges.get("train"), gauges.get("val"), norm
        self.fit_at, self.generalized_at = fit_at, generalized_at
        self.held = [  # readings that can degrade
            (place, one)
            for place, one in gauges.items()
            if place == "val" or (place != "train" and not one.is_loss and not one.reading.startswith("train"))
        ]
        self.looks = []
        for place, one in gauges.items():
            is_share = one.unit == 1.0 and one.kind in ("accuracy", "coverage")
            self.looks.append(
                (
                    *(place, one, {"train": TRAIN, "val": VAL}.get(place, 0), one.reading, one.jump),
                    PER_CENT_FROM if is_share else _HIGHEST,  # the highest value that is no per cent
                    one.is_loss and place != "train" and side(one.reading) != "train",  # whether it can descend
                )
            )

    def settle(self, traces: dict[str, State]) -> None:
        """Floors and targets, in place, once a first reading is known.

        Knowing nothing scores the same on both sets: by the validation loss, by the lower of the accuracies.
        """
        train, val = traces.get("train"), traces.get("val")
        if train and val and self.train and self.val and self.train.kind == self.val.kind:
            start = val["start"] if self.val.is_loss else min(train["start"], val["start"])
            for trace, one in ((train, self.train), (val, self.val)):
                if one.floor is None:
                    trace["start"] = start
        if train and self.train:
            train["target"] = self.train.goal(train["start"], self.fit_at, LOSS_FIT)
        if val and self.val:
            val["target"] = self.val.goal(val["start"], self.generalized_at, LOSS_DONE)

    def lost(self, state: State) -> list[str]:
        """The places whose readings are degraded now."""
        lost: list[str] = []
        ease = 0.5 if state["phase"] == "degradation" else 1.0  # what was lost is back when half of it is
        for place, one in self.held:
            trace = state["traces"].get(place)
            if trace is not None and is_lost(trace, one, ease):
                lost.append(place)
        return lost
