"""A training watched as it happens, from any pair of readings: crossings, phase, and what else happened.

    memorized     sustained crossing by the training reading: accuracy 0.99, or 5 % of the uninformed loss
    generalized   sustained crossing by the validation reading: accuracy 0.95, or 10 % of the uninformed loss
    onset         validation leaves its floor while the training set is fitted, see `onset`

A sustained crossing is 4 of 5 readings, dated by the first. The phases are those of `phase`, beside them happens what
`happening` lists, and a resume: steps that were seen before are skipped.
"""

from __future__ import annotations

from functools import cached_property
from math import isfinite
from typing import Literal

from pydantic import Field

from ..base.component import Component
from ..base.record import Event
from . import happening
from .gauge import Gauge, gauge
from .milestones import generalize, memorize
from .phase import follow_phase
from .plan import LOWEST, TRAIN, VAL, Plan
from .replay import Readings, State
from .scale import Scale
from .trace import begun, copied, take


class Watch(Component):
    """Follow one run from one training and one validation reading, with others beside them."""

    kind: Literal["watch"] = "watch"
    train: Gauge | None = gauge("train/accuracy")
    """What tells whether the training set is fitted; without it nothing is ever called late."""
    val: Gauge | None = gauge("val/accuracy")
    """What tells whether the run generalizes. A training reading never stands in for it."""
    also: tuple[Gauge, ...] = ()
    """Other readings: watched for degradation (those of validation) and for jumps."""
    norm: str | None = "weight_norm/l2"
    """Name of a weight norm, best of the last layer; a jump of it makes a spike a slingshot."""
    fit_at: float = Field(0.99, gt=0, le=1)
    """Training accuracy that counts as fitted."""
    generalized_at: float = Field(0.95, gt=0, le=1)
    """Validation accuracy that counts as generalized."""

    @cached_property
    def gauges(self) -> dict[str, Scale]:
        """The scale of each place of the state: `train`, `val`, and others by the name of their reading."""
        both = {"train": self.train, "val": self.val}
        gauges = {k: v for k, v in both.items() if v is not None} | {one.reading: one for one in self.also}
        return {place: one.scale for place, one in gauges.items()}

    @cached_property
    def _plan(self) -> Plan:
        return Plan(self.gauges, self.norm, self.fit_at, self.generalized_at)

    @cached_property
    def _in_per_cent(self) -> Watch:
        def scaled(one: Gauge | None) -> Gauge | None:
            return one.but(unit=0.01) if one is not None and one.kind in ("accuracy", "coverage") else one

        also = tuple(one for one in map(scaled, self.also) if one is not None)
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return Watch(**{**given, "train": scaled(self.train), "val": scaled(self.val), "also": also})

    def scaled(self, state: State) -> Watch:
        """The watch whose gauges have the unit found in the readings."""
        return self._in_per_cent if state["per_cent"] else self

    def init(self, declared: tuple[tuple[int, str], ...] = ()) -> State:
        """Nothing read. Sizes are bounded; `declared` are steps at which something was changed on purpose."""
        return {
            "step": None,
            "per_cent": False,
            "traces": {},  # by place
            "jumps": {},  # pending, by place
            "declared": [list(one) for one in declared],
            "fit": None,  # crossings
            "gen": None,
            "still_fitted": None,  # training level
            "at_fit": None,  # validation level
            "floor": None,  # lowest validation level since fitted
            "peak": None,  # highest before the floor was last lowered
            "high": None,  # highest since fitted
            "since_fit": [],  # validation levels, the last 5
            "calm": None,  # noise when validation was last near the floor
            "rise": None,  # [step, readings in a row]
            "onset": None,
            "dips": [0, False],  # excursions below half the target since generalized that came back; inside one
            "norm": [None, None, None],  # logarithm, median of its change, step of its last jump
            "slingshots": 0,
            "float32": False,
            "descents": {},  # by place: [early best, its step, worst, readings below, whether it came back]
            "broken": {},  # readings in a row that are no number, by place
            "phase": "warmup",
            "phase_since": None,
            "next_phase": None,  # [phase, step, readings in a row]
            "lost": [],  # places whose readings are degraded
            "behind": False,
        }

    def declare(self, state: State, step: int, what: str) -> State:
        """The state knowing that something was changed on purpose at a step: jumps there are attributed to it."""
        return {**state, "declared": [*state["declared"], [step, what]][-64:]}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, list[Event]]:
        """Look at one evaluation. Steps that were seen before are skipped: a resumed run writes them again."""
        new = {**state, "traces": {place: copied(trace) for place, trace in state["traces"].items()}}
        return new, self.take(new, step, readings)

    def take(self, state: State, step: int, readings: Readings) -> list[Event]:
        """As `update`, but `state` itself is changed: for those who need no other state than the last."""
        last = state["step"]
        if last is not None and step <= last:
            told = [] if state["behind"] else [Event(step, "resume", step, {"from_step": last})]
            state["behind"] = True
            return told
        return (self._in_per_cent if state["per_cent"] else self)._take(state, step, readings)

    def _take(self, state: State, step: int, readings: Readings) -> list[Event]:
        plan = self._plan
        events: list[Event] = []  # `list[Event]()` takes ten times as long
        state["step"], state["behind"] = step, False
        traces, pending, broken = state["traces"], state["jumps"], state["broken"]
        seen = 0
        for place, one, flag, reading, jump, highest, descends in plan.looks:
            value = readings.get(reading)
            if value is None:
                continue
            if not LOWEST <= value <= highest:
                if isfinite(value):
                    return self._start_again(state, step, readings)
                happening.not_finite(state, step, place, one, events)
                continue
            if broken and broken.get(place):
                state["broken"] = {**state["broken"], place: 0}
            x = one.level(float(value))
            trace = traces.get(place)
            if trace is None:
                trace = traces[place] = begun(step, x, one)
                plan.settle(traces)
            else:
                if not -jump < x - trace["level"] < jump or (pending and pending.get(place) is not None):
                    happening.jump(state, place, trace, step, x, one, events)
                take(trace, step, x, one)
            if descends:
                happening.descend(state, place, step, trace, one, events)
            seen |= flag
        if plan.norm is not None and plan.norm in readings:
            happening.follow_norm(state, step, readings[plan.norm])
        if not seen:
            return events
        known = len(events)
        if seen & TRAIN and state["fit"] is None and plan.train is not None:
            memorize(state, plan.train, plan.val, events)
        if seen & VAL and plan.val is not None:
            generalize(state, step, plan.val, events)
        state["lost"] = plan.lost(state)
        has_crossed = any(event.kind != "onset" for event in events[known:]) if events else False
        follow_phase(state, step, plan.train, plan.val, has_crossed)
        return events

    def _start_again(self, state: State, step: int, readings: Readings) -> list[Event]:
        """Accuracies turned out to be per cent: what was read before as fractions is forgotten."""
        declared = state["declared"]
        state.clear()
        state.update({**self.init(), "per_cent": True, "declared": declared})
        return self._in_per_cent._take(state, step, readings)

    def target(self, place: Literal["train", "val"], state: State) -> float | None:
        """The level that counts as fitted, or as generalized; None if it is not known in advance."""
        target: float | None = state["traces"][place]["target"]
        return target

    def progress(self, place: str, state: State, x: float) -> float:
        """Share of the way from knowing nothing (0) to perfection (1)."""
        return self.gauges[place].progress(x, state["traces"][place]["start"])

    def lost(self, state: State) -> list[str]:
        """The places whose readings are degraded now."""
        return self._plan.lost(state)
