"""One reading followed: its level, its noise, its best, its turns, and its whole course in bounded memory.

A trace is plain JSON data; `take` brings it up to one more reading, in place. All levels are those of a `Scale`:
higher is better.

    level    median of the last 3
    best     highest median of 5 (of 3 or 4 while there are no more)
    noise    standard deviation of readings about a straight line, from second differences x - 2 x' + x'' over 1, 8
             and 24 readings: the upper quartile of their absolute value / (1.1503 sqrt 6), the largest of the three.
             A trend does not count as noise, slow wandering does, outliers hardly do.
    course   mean levels of stretches, each 1/32 as long as all before it together

The quartiles are followed by steps of 2 % (larger at first), down when the difference is smaller, up when it is larger.
"""

from __future__ import annotations

import math

from .replay import State
from .scale import Scale

TO_LOSE = 0.3  # progress
LOST_SIGMAS = 10.0  # noise that a fall must exceed
SHORT = 5  # readings that a level, a crossing and a best look at
LAGS = (8, 24)  # readings, beside 1
_KEPT = 2 * LAGS[-1]
_TO_SIGMA = 1 / (1.1503 * math.sqrt(6.0))  # upper quartile of the absolute value of a normal variable
_STEP = 0.02
_UP, _DOWN = 1 + 1.5 * _STEP, 1 + 0.5 * _STEP
_SETTLED = 102  # readings from which the steps are no larger
_LEAST = 0.002
_TRUSTED = (64, 384)  # readings from which they are used: a single step must not look like wandering
_FINENESS = 32  # stretches of the course per factor e of readings
_MOST = 384  # stretches; then the older half is halved


def begun(step: int, x: float, gauge: Scale) -> State:
    """The trace after the first reading, of level `x`."""
    least = _least(gauge, x)
    return {
        "n": 1,
        "steps": [step],  # of the last 5 to 8
        "past": [x],  # levels of the last 48 to 51
        "start": gauge.start(x),  # level of the floor
        "target": None,  # level that counts as fitted or generalized, for those who know
        "level": x,
        "best": None,
        "best_step": None,
        "top": x,  # best single level; the earliest of equals
        "top_step": step,
        "low": x,  # worst single level
        "short": None,  # upper quartile of absolute second differences of readings next to each other
        "slow": [None, None],  # of readings 8 and 24 apart
        "wander": 0.0,  # noise by these
        "least": least,  # noise that is always there
        "noise": least,
        "jitter": least,  # noise from one reading to the next
        "calm": least,  # noise when the level was last near the best
        "course": [[step, x, 1]],  # [last step, mean level, readings]
        "closed": 1,  # readings in it
        "sum": 0.0,  # of the levels since
        "mark": None,  # level at the last check for a plateau
        "next_mark": 10,  # reading of the next one
        "flat": False,
        "turns": 0,  # reversals by more than `Scale.swing`
        "extreme": x,  # since the last turn
        "heading": 0,  # 1 up, -1 down
    }


def copied(trace: State) -> State:
    """A trace that can be followed on its own. Only two lists are ever changed in place."""
    return {**trace, "steps": trace["steps"].copy(), "past": trace["past"].copy()}


def take(trace: State, step: int, x: float, gauge: Scale) -> None:
    """Follow one more reading, of level `x`. Written for speed: it runs at every evaluation."""
    past = trace["past"]
    trace["n"] = n = trace["n"] + 1
    if n == 2:
        level = min(x, past[0])
        noise = trace["noise"]
    else:
        low, high = past[-2], past[-1]
        difference = x - 2 * high + low
        if low > high:
            low, high = high, low
        level = low if x < low else high if x > high else x
        if difference < 0:
            difference = -difference
        if n > _SETTLED:
            short = trace["short"]
            short = short * _UP if difference > short else short / _DOWN
        else:
            short = _quartile(trace["short"], difference, n - 2)
        trace["short"] = short = short if short > _LEAST else _LEAST
        if not n % 4:
            _wander(trace, past, n, x)
        least = trace["least"] if gauge.standard_error is None else _least(gauge, level)
        noise = short * _TO_SIGMA
        trace["jitter"] = noise = noise if noise > least else least
        if trace["wander"] > noise:
            noise = trace["wander"]
        trace["noise"] = noise
    trace["steps"].append(step)
    past.append(x)
    trace["level"] = level
    best = trace["best"]
    if best is None or x > best:  # a reading that is no better than the best cannot lift the median above it
        best = _best(trace, n)
        if x > trace["top"]:
            trace["top"], trace["top_step"] = x, step
    if x < trace["low"]:
        trace["low"] = x
    if best is None or best - level < gauge.worse or best - level < 4 * trace["calm"]:
        trace["calm"] = noise
    total = trace["sum"] + level
    count = n - trace["closed"]
    if count >= n // _FINENESS:
        trace["course"] = _add(trace["course"], [step, total / count, count])
        trace["closed"], trace["sum"] = n, 0.0
    else:
        trace["sum"] = total
    if level != trace["extreme"]:
        _turn(trace, level, gauge.swing)
    if n >= trace["next_mark"]:
        mark = trace["mark"]
        trace["flat"] = mark is not None and abs(level - mark) < max(2 * noise, 0.2 * gauge.worse)
        trace["mark"], trace["next_mark"] = level, n + max(10, n // 4)


def doubt(trace: State) -> float:
    """Noise by which to judge a fall from the best: what it was before, so that the fall itself is not taken for it."""
    calm, jitter = trace["calm"], trace["jitter"]
    return float(jitter if calm < jitter else calm)


def is_lost(trace: State, gauge: Scale, ease: float = 1.0) -> bool:
    """Whether a reading is worse than its best by what matters and by more than noise, with something to lose.

    Args:
        trace: The trace.
        gauge: What its levels mean.
        ease: Factor on how much worse it must be.
    """
    best, level = trace["best"], trace["level"]
    if best is None or best - level < ease * gauge.worse:
        return False
    start = trace["start"]
    return (
        gauge.progress(best, start) >= TO_LOSE
        and not gauge.same(best, best - (best - level) / ease, start)
        and best - level >= ease * LOST_SIGMAS * doubt(trace)
    )


def course(trace: State) -> list[list[float]]:
    """The whole course as [last step, mean level, readings], the unfinished stretch included."""
    count = trace["n"] - trace["closed"]
    return [*trace["course"], [trace["steps"][-1], trace["sum"] / count, count]] if count else trace["course"]


def _best(trace: State, n: int) -> float | None:
    """The best after a reading that may have lifted it."""
    best: float | None = trace["best"]
    if n < 3:
        return best
    xs = trace["past"][-SHORT:]
    middle: float = sorted(xs)[(len(xs) - 1) // 2]
    if best is not None and middle <= best:
        return best
    trace["best"], trace["best_step"] = middle, trace["steps"][len(xs) // 2 - len(xs)]
    return middle


def _turn(trace: State, level: float, swing: float) -> None:
    away, heading = level - trace["extreme"], trace["heading"]
    if away * heading > 0:
        trace["extreme"] = level
    elif not -swing < away < swing:
        trace["turns"] += 1 if heading else 0
        trace["heading"], trace["extreme"] = (1 if away > 0 else -1), level


def _least(gauge: Scale, level: float) -> float:
    """The least noise: a loss has its standard error in its own unit, and here it is needed for the logarithm."""
    if gauge.is_loss and gauge.standard_error is not None:
        return max(gauge.finest, gauge.standard_error * gauge.unit * math.exp(level))
    return gauge.finest


def _wander(trace: State, past: list[float], n: int, x: float) -> None:
    """Every fourth reading: the slow noise. What is no longer looked at is forgotten here."""
    if n > _KEPT:
        del past[:-_KEPT], trace["steps"][:-SHORT]
    near, far = trace["slow"]
    if n > 2 * LAGS[0]:
        near = _quartile(near, abs(x - 2 * past[-LAGS[0]] + past[-2 * LAGS[0]]), n // 4 - LAGS[0] // 2)
    if n > 2 * LAGS[1]:
        far = _quartile(far, abs(x - 2 * past[-LAGS[1]] + past[-2 * LAGS[1]]), n // 4 - LAGS[1] // 2)
    trace["slow"] = [near, far]
    if n >= _TRUSTED[0]:
        trace["wander"] = (far if n >= _TRUSTED[1] and far > near else near) * _TO_SIGMA


def _quartile(before: float | None, difference: float, count: int) -> float:
    if before is None:
        return max(difference, _LEAST)
    pace = _STEP if count > _SETTLED - 2 else 2 / count
    moved = before * (1 + 1.5 * pace) if difference > before else before / (1 + 0.5 * pace)
    return moved if moved > _LEAST else _LEAST


def _add(stretches: list[list[float]], one: list[float]) -> list[list[float]]:
    if len(stretches) >= _MOST:
        half = stretches[: _MOST // 2]
        pairs = zip(half[::2], half[1::2], strict=True)
        merged = [[b[0], (a[1] * a[2] + b[1] * b[2]) / (a[2] + b[2]), a[2] + b[2]] for a, b in pairs]
        stretches = merged + stretches[_MOST // 2 :]
    return [*stretches, one]
