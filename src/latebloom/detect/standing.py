"""How a watched run stands: what it reached and held, what it lost, how late. A verdict is decided by these numbers."""

from __future__ import annotations

from typing import Literal

from .course import Course
from .replay import State
from .scale import Scale
from .sustained import lately
from .verdict import FEWEST_EVALUATIONS, GAINED_BY_FIT, LATE_RATIO, PARTIAL_FROM
from .watch import Watch

Place = Literal["train", "val"]

HELD = 0.85  # share of the best progress that must still be there for an adaptive target
ADAPTIVE = 0.9  # share of the best progress
SHARP, GRADUAL = 0.25, 0.5  # (t90 - t10) / t50
EARLY = 0.2  # share of the readings
HALF_WAY = 0.5  # progress from which a partial generalization may be called late
RISING = 0.05  # progress in the last fifth of the readings
FALLEN_SIGMAS = 3.0
FINAL = 8  # the last of so many parts of the readings
BRIEF = 32  # a crossing must last one of so many parts of the readings, at this share of the target on average:
NEAR = 0.95
LASTED = 16  # a best that counts lasted one of so many parts, and 5 readings


class Standing:
    """The numbers of one run, computed once."""

    def __init__(self, watch: Watch, state: State, one: Scale, val: State, train: State | None) -> None:
        self.watch, self.state, self.one, self.val, self.train = watch, state, one, val, train
        self.course = Course.of(val)
        self.best, self.final, self.g_best = val["best"], end_level(val), self.g(val["best"])
        self.fit = None if train is None else self._lasting("train") or self._lately("train")
        self.adaptive = False
        self.gen = self._lasting("val") or self._lately("val") or self._adaptive()
        self.at_fit: float = state["at_fit"] if state["at_fit"] is not None else val["past"][-1]
        self.ratio = self.gained = self.apart = None
        if self.fit is not None and self.gen is not None:
            self.ratio = (self.gen["step"] + 1) / (self.fit["step"] + 1)
            target = watch.target("val", state)
            self.gained = self.g(self.at_fit) / max(self.g_best, 0.0 if target is None else self.g(target))
            self.apart = self._apart(self.fit, self.gen)

    def g(self, x: float) -> float:
        """Progress of a validation level."""
        return self.watch.progress("val", self.state, x)

    def shape(self) -> str | None:
        """Sharp or gradual: how long the rise took, as a share of the time at which it was half done."""
        floor = self.state["floor"] if self.state["floor"] is not None else self.at_fit
        low, gain = self.g(floor), self.g_best - self.g(floor)
        since = self.fit["step"] if self.fit else -1
        progress = self.course._replace(levels=[self.g(x) for x in self.course.levels])
        width = progress.width(low, gain, since)
        return None if width is None else "sharp" if width <= SHARP else "gradual" if width > GRADUAL else None

    def late_part(self) -> float | None:
        """How many times as late as the fit 90 % of a partial generalization was there, if that makes it late."""
        step = self.course.first(self.adaptive_level())
        if self.fit is None or step is None or self.g_best < HALF_WAY:
            return None
        ratio = (step + 1) / (self.fit["step"] + 1)
        is_late = ratio >= LATE_RATIO and self.g(self.at_fit) < GAINED_BY_FIT * self.g_best
        return ratio if is_late else None

    def abrupt(self) -> int | None:
        """Where validation rose at once, if most of its gain in the second half of the time to its best came so."""
        best_step = self.val["best_step"]
        early = [x for step, x in zip(self.course.steps, self.course.levels, strict=True) if step <= best_step / 2]
        if not early or self.best - early[-1] < self.one.jump:
            return None
        gain = self.best - early[-1]
        width = self.course.width(early[-1], gain, best_step / 2)
        at = self.course.first(early[-1] + 0.5 * gain, best_step / 2)
        return None if at is None or width is None or width > SHARP else int(at)

    def has_fallen(self, place: str) -> bool:
        """Whether a reading ended worse than its best by what matters, with something to lose."""
        one, trace = self.watch.gauges[place], self.state["traces"].get(place)
        if trace is None or trace["best"] is None or trace["n"] < FEWEST_EVALUATIONS:
            return False
        n = trace["n"]
        best, end = Course.of(trace).best(max(5, n / LASTED)), end_level(trace)
        return bool(
            one.progress(best, trace["start"]) >= PARTIAL_FROM
            and (best - end >= FALLEN_SIGMAS * _noise(trace) or place in self.watch.lost(self.state))
            and not one.same(best, max(end, trace["level"]), trace["start"])  # in a steep rise the mean lags behind
        )

    def early_best(self) -> str | None:
        """The place of a reading that was best in the first fifth and is worse now."""
        for place in ("val", *(one.reading for one in self.watch.also)):
            trace = self.state["traces"].get(place)
            if trace is None or (self.watch.gauges[place].is_loss and place != "val") or place.startswith("train"):
                continue
            ends, steps = Course.of(trace).ends, Course.of(trace).steps
            if self.has_fallen(place):
                early = next(step for step, end in zip(steps, ends, strict=True) if end >= EARLY * trace["n"])
                if trace["best_step"] <= early:
                    return place
        return None

    def is_rising(self) -> bool:
        """Whether validation was still rising at the end."""
        n = self.val["n"]
        before, last = self.course.mean(0.75 * n, 0.85 * n), self.course.mean(0.95 * n)
        error = 3 * self.val["noise"] / max(1.0, (0.05 * n) ** 0.5)
        return bool(self.g(last) - self.g(before) >= RISING and last - before >= error)

    def adaptive_level(self) -> float:
        """90 % of the way to the best level."""
        start = self.val["start"]
        return float(start + ADAPTIVE * (self.best - start))

    def _lasting(self, place: Place) -> State | None:
        """The crossing, if the level that went with it is more than luck in noise."""
        found = self.state["fit" if place == "train" else "gen"]
        target = self.watch.target(place, self.state) if found else None
        if target is None:
            return None
        one, trace = self.watch.gauges[place], self.state["traces"][place]
        held, start = Course.of(trace).best(max(5, trace["n"] / BRIEF)), trace["start"]
        near = (
            held >= target - one.jump
            if one.is_loss
            else one.progress(held, start) >= NEAR * one.progress(target, start)
        )
        return found if near else None

    def _lately(self, place: Place) -> State | None:
        target = self.watch.target(place, self.state)
        return None if target is None else lately(self.state["traces"][place], target)

    def _adaptive(self) -> State | None:
        """The crossing of 90 % of the way to the best level, where no target is known in advance."""
        known = self.watch.target("val", self.state) is not None
        if (
            known
            or self.fit is None
            or self.is_rising()
            or self.g_best < PARTIAL_FROM
            or self.g(self.final) < HELD * self.g_best
        ):
            return None
        self.adaptive = True
        step = self.course.first(self.adaptive_level())
        if step is None:
            return None
        place = self.course.steps.index(step)
        before = self.course.steps[place - 1] if place else None
        reading = self.course.ends[place - 1] if place else 0
        return {"step": step, "previous_step": before, "known_at": step, "reading": reading, "provisional": False}

    def _apart(self, fit: State, gen: State) -> float:
        """Validation readings from fitted to generalized."""
        before = [end for step, end in zip(self.course.steps, self.course.ends, strict=True) if step < fit["step"]]
        return float(gen["reading"] - (before[-1] if before else 0))


def end_level(trace: State) -> float:
    """The level at the end: the mean of the last eighth of the readings."""
    n = trace["n"]
    return Course.of(trace).mean(n - max(n // FINAL, min(3, n)))


def _noise(trace: State) -> float:
    """Noise near the best or now, whichever is less: a transition raises the estimate for a while."""
    return float(max(trace["jitter"], min(trace["calm"], trace["noise"])))
