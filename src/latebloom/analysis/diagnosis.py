"""From curves to a diagnosis: which readings are judged and why, the verdict, the phases, and what else happened."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import DataError
from ..base.plain import plain
from ..base.record import Curve, Event
from ..detect import EpochMetrics, Gauge, GrokAnalysis, GrokDetector, Verdict, Watch, gauge, judge
from ..detect.forecast import Forecast, Model, forecast
from ..detect.pair import pair, side
from ..store.ingest import read_log
from .story import PhaseSpan

MOST = 20_000  # readings of a curve that are looked at one by one
MOST_PLAUSIBLE = 20.0  # a cross-entropy of knowing nothing would need half a billion classes to be larger
_DECLARED = ("schedule", "learning_rate", "declared")


class Diagnosis(NamedTuple):
    """What is known of a training from its curves."""

    verdict: Verdict
    phases: list[PhaseSpan]
    events: list[Event]  # what happened, those declared by the log included
    judged: dict[str, str | None]  # {"train": reading, "val": reading}; None where there is none
    why: list[str]  # sentences: why these readings, and how they were understood
    bests: dict[str, dict[str, float | int]]  # reading -> {"value", "step"}
    forecast: Forecast  # how likely it is to generalize soon, or why nothing can be said

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data; NaN and infinity become None."""
        told: dict[str, Any] = plain(self)
        return {"schema": 1, **told}


def diagnose(
    curves: Mapping[str, Curve],
    events: Iterable[Event] = (),
    *,
    train: str | None = None,
    val: str | None = None,
    floor: Mapping[str, float] | None = None,
    ceiling: Mapping[str, float] | None = None,
    standard_error: Mapping[str, float] | None = None,
    fit_at: float = 0.99,
    generalized_at: float = 0.95,
    model: Model | None = None,
) -> Diagnosis:
    """Judge a log. The rules are those of `detect.watch` and `detect.judge`, as they are while a training runs.

    Args:
        curves: Readings by name. Names that begin with `train/` or `val/` say on which examples they were taken;
            `correlation` and `coverage` count as validation. Accuracies in per cent are recognised.
        events: What the log itself declares. A jump at a `schedule` or `learning_rate` event is attributed to it.
        train: Name of the reading that tells whether the training set is fitted, if not the obvious one.
        val: Name of the reading that tells whether the run generalizes.
        floor: Value of an uninformed predictor, by reading or by kind, e.g. `{"accuracy": 0.1, "loss": 2.3}`.
        ceiling: Best possible value, by reading or by kind.
        standard_error: Of one reading, by reading or by kind.
        fit_at: Training accuracy that counts as fitted.
        generalized_at: Validation accuracy that counts as generalized.
        model: What tells the chances of generalizing; by default the one that comes with this version.

    Example:
        >>> steps = np.arange(40)
        >>> curve = lambda at: Curve(steps, np.where(steps >= at, 1.0, 0.01))
        >>> diagnose({"train/accuracy": curve(3), "val/accuracy": curve(30)}).verdict.family
        'grokking'
    """
    declared = list(events)
    understood = _Understood(curves, floor or {}, ceiling or {}, standard_error or {})
    watch = understood.watch(train, val).but(fit_at=fit_at, generalized_at=generalized_at)
    told = tuple((event.step, _words(event)) for event in declared if event.kind in _DECLARED)
    state, found, starts = watch.init(told), list[Event](), list[tuple[int, str]]()
    for step, readings in _rows({name: understood.thin(name) for name in understood.watched(watch)}):
        state, new = watch.update(state, step, readings)
        found += new
        since = state["phase_since"]
        if since is not None and (not starts or starts[-1] != (since, state["phase"])):
            starts = [start for start in starts if start[0] < since] + [(since, state["phase"])]
    last = state["step"] or 0
    ends = [*[since for since, _ in starts[1:]], last][: len(starts)]
    return Diagnosis(
        verdict=judge(watch, state),
        phases=[PhaseSpan(since, end, phase) for (since, phase), end in zip(starts, ends, strict=True)],
        events=sorted(declared + found, key=lambda event: (event.step, event.known_at)),
        judged={place: watch.gauges[place].reading if place in watch.gauges else None for place in ("train", "val")},
        why=understood.why,
        bests={
            one.reading: {"value": one.value(state["traces"][place]["top"]), "step": state["traces"][place]["top_step"]}
            for place, one in watch.scaled(state).gauges.items()
            if place in state["traces"]
        },
        forecast=forecast(watch, state, model),
    )


def analyze_training_log(path: str | Path) -> GrokAnalysis:
    """What a log shows after its last line, as `GrokDetector` would have said it. See `diagnose` for the whole story.

    Args:
        path: A log of any format that `store.ingest.read_log` reads. Training readings never stand in for validation:
            a log without them has no gap and no best epoch, and says so in its warnings.

    Raises:
        DataError: Nothing in the log can be read as a training's readings.
    """
    log = read_log(path)
    detector = GrokDetector()
    for event in log.events:
        if event.kind in _DECLARED:
            detector.declare(event.step, _words(event))
    names = {reading: name for reading, name in _FIELDS.items() if reading in log.curves}
    analysis = None
    understood = _Understood(log.curves, {}, {}, {})
    for step, readings in _rows({reading: understood.thin(reading) for reading in names}):
        given = {names[reading]: value for reading, value in readings.items()}
        analysis = detector.update(EpochMetrics(step, **{"train_loss": None, "val_loss": None, **given}))
    if analysis is None:
        analysis = detector.update(EpochMetrics(0, None, None))
    if not any(side(reading) == "val" for reading in names):
        analysis.warnings.append("The log has no validation reading: whether the training generalizes cannot be told.")
    return analysis


_FIELDS = {
    "train/loss": "train_loss",
    "val/loss": "val_loss",
    "train/accuracy": "train_accuracy",
    "val/accuracy": "val_accuracy",
    "val/correlation": "correlation",
    "correlation": "correlation",
    "val/coverage": "coverage",
    "coverage": "coverage",
    "weight_norm/l2": "weight_norm",
    "learning_rate": "learning_rate",
}


class _Understood:
    """Curves and what their values mean."""

    def __init__(
        self,
        curves: Mapping[str, Curve],
        floor: Mapping[str, float],
        ceiling: Mapping[str, float],
        standard_error: Mapping[str, float],
    ) -> None:
        self.curves, self.given = curves, {"floor": floor, "ceiling": ceiling, "standard_error": standard_error}
        self.why: list[str] = []
        self.sided = [name for name in curves if side(name)]
        in_per_cent = [
            name for name in self.sided if gauge(name).kind in ("accuracy", "coverage") and self._above_one(name)
        ]
        kinds = {gauge(name).kind for name in in_per_cent}
        self.units = {name: 0.01 for name in self.sided if gauge(name).kind in kinds}
        if in_per_cent:
            self.why.append(f"{' and '.join(self.units)} went above 1.5: taken for per cent.")
        for name in self.sided:
            steps, values = curves[name]
            if gauge(name).kind in ("accuracy", "coverage") and name not in self.units and (values > 1 + 1e-6).any():
                self.why.append(f"{name} goes up to {np.nanmax(values):.4g}: no share is above 1, and it is read as 1.")
                self.curves = {**self.curves, name: Curve(steps, np.where(values > 1, 1.0, values))}

    def watch(self, train: str | None, val: str | None) -> Watch:
        """What to watch, the readings named by the caller first."""
        for name in (train, val):
            if name is not None and name not in self.curves:
                raise DataError(f"there is no reading {name!r}. There are: {', '.join(sorted(self.curves)) or 'none'}.")
        found_train, found_val = pair([name for name in self.sided if len(self.curves[name].steps)])
        train, val = train or found_train, val or found_val
        also = [name for name in self.sided if name not in (train, val) and gauge(name).kind != "custom"]
        if val is None:
            self.why.append("No validation reading was found; training readings never stand in for one.")
        elif train is None:
            self.why.append(f"{val} is judged without a training reading, so nothing can be called late.")
        else:
            self.why.append(f"{train} tells whether the training set is fitted, {val} whether the run generalizes.")
        judged = [*(name for name in (train, val) if name), *also]
        self._tell_unused(judged)
        norms = [name for name in self.curves if name.startswith("weight_norm/")]
        norm = next((name for name in norms if "last" in name), "weight_norm/l2" if "weight_norm/l2" in norms else None)
        return Watch(
            train=self._gauge(train) if train else None,
            val=self._gauge(val) if val else None,
            also=tuple(self._gauge(name) for name in also),
            norm=norm,
        )

    def watched(self, watch: Watch) -> list[str]:
        """The names of all readings that the watch looks at."""
        return [one.reading for one in watch.gauges.values()] + ([watch.norm] if watch.norm else [])

    def thin(self, name: str) -> Curve:
        """The curve, or the medians of equal parts of a very long one, each at the last step of its part."""
        steps, values = self.curves[name]
        if len(steps) <= MOST:
            return self.curves[name]
        size = math.ceil(len(steps) / MOST)
        whole = len(steps) // size * size
        parts = np.sort(np.where(np.isfinite(values[:whole]), values[:whole], np.nan).reshape(-1, size), axis=1)
        middle = np.maximum(np.isfinite(parts).sum(axis=1) - 1, 0) // 2  # NaN are sorted to the end
        self.why.append(f"{name} has {len(steps):,} readings; medians of {size} are judged.")
        return Curve(steps[size - 1 : whole : size], parts[np.arange(len(parts)), middle])

    def _gauge(self, name: str) -> Gauge:
        given: dict[str, Any] = {}
        kind = gauge(name).kind
        for what, values in self.given.items():
            if (value := values.get(name, values.get(kind))) is not None:
                given[what] = value
        losses = self.curves[name].values
        losses = losses[np.isfinite(losses)]
        if kind == "loss" and len(losses) and losses[0] > MOST_PLAUSIBLE and "floor" not in given:
            self.why.append(
                f"{name} starts at {losses[0]:,.4g}, more than knowing nothing should cost (scaled weights?): give its "
                "floor, ln C for C classes or the variance of the targets, to have it judged by that."
            )
        if kind == "loss" and len(losses) and losses.min() < 0:
            self.why.append(f"{name} goes below 0: it is no loss that ends at 0, and is judged by its own scale.")
            given |= {"kind": "custom", "better": "lower"}
        return gauge(name, unit=self.units.get(name, 1.0), **given)

    def _tell_unused(self, judged: Sequence[str]) -> None:
        """A floor for something that is not judged changes nothing, and its giver must know."""
        known = {*judged, *(gauge(name).kind for name in judged)}
        for what, values in self.given.items():
            for name in sorted(values.keys() - known):
                self.why.append(
                    f"The {what.replace('_', ' ')} given for {name} changes nothing: what is judged is "
                    f"{', '.join(sorted(known))}."
                )

    def _above_one(self, name: str) -> bool:
        values = self.curves[name].values
        return bool(((values > 1.5) & (values <= 100)).any())


def _rows(curves: Mapping[str, Curve]) -> list[tuple[int, dict[str, float]]]:
    rows: dict[int, dict[str, float]] = {}
    for name, (steps, values) in curves.items():
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            rows.setdefault(step, {})[name] = value
    return sorted(rows.items())


def _words(event: Event) -> str:
    """What an event of a log declares."""
    told = next((str(text) for text in event.evidence.values() if isinstance(text, str)), "")
    return told or event.kind
