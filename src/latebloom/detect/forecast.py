"""How likely a run is to generalize soon, from where it stands now; or why nothing can be said.

    P(validation holds its target by 2, 4 and 10 times the current step | the curves so far)

The chances were calibrated on runs of our own, on small tasks (`docs/forecast.md` is the model's card); `latebloom
forecast fit` calibrates on yours. There is never a word about "ever". Nothing is said, with the reason, where the
calibration does not reach: before the training set is fitted and validation moves, after generalization, with too few
readings, for curves unlike those calibrated on, for horizons that the corpus did not observe.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from ..base.errors import DataError
from .chances import HORIZONS, Chances
from .replay import State
from .signs import signs
from .watch import Watch

SHIPPED = "forecast.json"
KIND, SCHEMA = "latebloom forecast", 1
FEWEST_READINGS = 10
MOVED = 0.1  # progress of validation
NOT_MOVED = (
    "validation has not moved yet: the median of its last 3 readings is less than a tenth of the way, and until then "
    "curves do not tell"
)
NO_KIND = "the chances were calibrated on accuracies or losses, read on both sets"
TOO_SPARSE = "there are too few readings since half the current step to tell where the curves are going"

SIGNS: dict[str, tuple[str, ...]] = {
    "accuracy and loss": ("age", "val_progress", "val_slope", "val_loss", "val_loss_slope"),
    "accuracy": ("age", "val_progress", "val_slope"),
    "loss": ("age", "val_loss", "val_loss_slope"),
}
"""What each kind of log is judged by; in the last, generalizing is a matter of the loss, too (see `watch`)."""


class Chance(NamedTuple):
    """Of one horizon."""

    factor: float  # times the current step
    by_step: int
    probability: float | None  # None: not told
    why_not: str | None  # why not


class Forecast(NamedTuple):
    """How likely a run is to generalize soon."""

    step: int  # now
    chances: tuple[Chance, ...]  # by horizon, ascending; empty if nothing can be said
    why_not: str | None  # why nothing can be said
    judged_by: str | None  # a key of `SIGNS`
    signs: dict[str, float]  # what it rests on

    def at(self, factor: float) -> float | None:
        """The probability of one horizon; None if it is not told."""
        return next((one.probability for one in self.chances if one.factor == factor), None)


class Model(NamedTuple):
    """Chances for each kind of log that a corpus could calibrate, and what is known of their worth."""

    chances: dict[str, Chances]  # by the keys of `SIGNS`
    refused: dict[str, str]  # why there is none for a kind of log
    card: dict[str, Any]  # what it was made from, and how good it was on runs it had not seen

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        chances = {name: one.plain() for name, one in self.chances.items()}
        return {"kind": KIND, "schema": SCHEMA, "chances": chances, "refused": self.refused, "card": self.card}


def model_of(plain: Any, where: str) -> Model:
    """The model that JSON data tells.

    Raises:
        DataError: It is none, or of a later version.
    """
    if not isinstance(plain, dict) or plain.get("kind") != KIND:
        raise DataError(f"{where} is no forecast model; `latebloom forecast fit` makes one")
    try:
        if plain["schema"] > SCHEMA:
            raise DataError(f"{where} has schema {plain['schema']}; this version reads up to {SCHEMA}. Upgrade it.")
        chances = {name: Chances.from_plain(one) for name, one in plain["chances"].items()}
        return Model(chances, plain["refused"], plain["card"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{where} is a damaged forecast model ({error!r}); `latebloom forecast fit` makes one"
        ) from None


@cache
def shipped() -> Model:
    """The model that comes with this version."""
    text = resources.files(__package__).joinpath(SHIPPED).read_text(encoding="utf-8")
    return model_of(json.loads(text), SHIPPED)


def forecast(watch: Watch, state: State, model: Model | None = None) -> Forecast:
    """What can be said of a run after its last reading. Changes nothing; takes a fraction of a millisecond.

    Args:
        watch: The watch that follows the run.
        state: Its state.
        model: By default the one that comes with this version.
    """
    step, found = state["step"] or 0, signs(watch, state)
    kind = kind_of(watch, found)
    if (why_not := not_yet(watch, state)) is not None:
        return Forecast(step, (), why_not, kind, found)
    model = shipped() if model is None else model
    if kind is None or kind not in model.chances:
        return Forecast(step, (), model.refused.get(kind or "", NO_KIND), kind, found)
    chances = model.chances[kind]
    if not found.keys() >= set(chances.signs):
        return Forecast(step, (), TOO_SPARSE, kind, found)
    row = chances.row(found)
    if chances.distance(row)[0] > chances.farthest:
        name, value, low, high = chances.strangest(found)
        why_not = (
            f"the curves are unlike those the chances were calibrated on, most of all {name.replace('_', ' ')}: "
            f"{value:.3g}, there {low:.3g} to {high:.3g}"
        )
        return Forecast(step, (), why_not, kind, found)
    told = [
        Chance(factor, round(factor * step), p, None)
        if found["age"] <= oldest
        else Chance(factor, round(factor * step), None, _too_late(found["age"], oldest))
        for factor, p, oldest in zip(
            HORIZONS, chances.probabilities(row)[0].tolist(), chances.oldest_K.tolist(), strict=True
        )
    ]
    return Forecast(step, tuple(told), None, kind, found)


def kind_of(watch: Watch, found: Mapping[str, float]) -> str | None:
    """Which kind of log it is, by what the watch judges and what else is read; None: none that is known."""
    judged = {one.kind for one in (watch.train, watch.val) if one is not None}
    for name, of in SIGNS.items():
        if judged == {name.split()[0]} and found.keys() >= {one for one in of if not one.endswith("_slope")}:
            return name
    return None


def not_yet(watch: Watch, state: State) -> str | None:
    """Why no model can say anything of a run as it stands; None if one may."""
    if watch.val is None or "val" not in state["traces"]:
        return "there is no validation reading"
    if watch.train is None:
        return "there is no training reading, so nobody knows when the training set was fitted"
    if state["gen"] is not None:
        return f"it has generalized already, at {state['gen']['step']:,}"
    if state["fit"] is None:
        return "the training set is not fitted yet"
    if (watch.fit_at, watch.generalized_at) != tuple(
        Watch.model_fields[name].default for name in ("fit_at", "generalized_at")
    ):
        return "the chances are those of the usual thresholds, and others are set"
    val = state["traces"]["val"]
    if val["target"] is not None and val["past"][-1] >= val["target"]:
        return "validation is at its target; the next readings tell whether it stays there"
    if val["n"] < FEWEST_READINGS:
        return f"{FEWEST_READINGS} readings are needed, and there are {val['n']}"
    return NOT_MOVED if watch.progress("val", state, val["level"]) < MOVED else None


def _too_late(age: float, oldest: float) -> str:
    if oldest < 0:
        return "at this horizon the chances were no better than the rate on tasks they were not calibrated on"
    return (
        f"it is {math.exp(age):.3g} times as late as fitting was, and the corpus was watched that far ahead only up to "
        f"{math.exp(oldest):.3g} times"
    )
