"""Seven explanations of a jump of the training loss, each with the observation that kills it.

    (a) the average      the jump is in how the loss is averaged, not in the network
    (b) a kick           a few updates were far larger than usual
    (c) the curvature    the loss was too sharp for the step size: unstable until it is flatter
    (d) lost norm        the weights shrank at the jump
    (e) a few examples   one group or a few examples carry the jump
    (f) the comparison   training and validation loss are not the same measure
    (g) an event         something was changed: schedule, objective, data, a resume

They do not exclude each other: a sharp valley can end in large updates. None is proved by surviving; a fork with that
one thing changed can show whether the jump depends on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .by_example import a_few_examples, the_comparison
from .finding import Finding, Outcome
from .window import Floats, Span, Window

SEEN = 0.5  # share of the recorded rise that the network itself shows; below, the average made it
KICK, KICK_SIGMAS = 3.0, 6.0  # times the usual update of that learning rate, and noise of its logarithm
QUIET, FEWEST_QUIET = 50, 20  # updates before the foot that say what is usual; the fewest that can
SHED = 0.01  # share of the norm
EARLIER = 20  # steps before the foot of the jump in which an event can have caused it
RATE_CHANGED = 0.05  # share by which a learning rate changes from one update to the next
TINY = 1e-300


def the_average(window: Window, span: Span) -> Finding:
    """Is the jump there when all examples are evaluated at the same weights?"""
    own, recorded = _rise(window.train_S, span), _rise(window.recorded_S, span)
    running = _rise(window.running_S, span)
    share = own / recorded if recorded > 0 else 0.0
    verdict: Outcome = "refuted" if share >= SEEN else "survives"
    return Finding(
        "a",
        "The jump is in how the loss is averaged (running mean, training mode), not in the network.",
        "All training examples, evaluated at the same weights without dropout, jump as well.",
        verdict,
        f"{window.reading} rose by {recorded:.4g}; all examples at the same weights by {own:.4g}, {share:.0%} of it; "
        f"the running mean over the batches by {running:.4g}",
        {"recorded_rise": recorded, "same_weights_rise": own, "running_mean_rise": running, "share": share},
    )


def a_kick(window: Window, span: Span) -> Finding:
    """Were updates on the way up far larger than before, for their learning rate?"""
    claim = "An optimizer kick: a few updates were far larger than usual."
    killed = (
        f"No update on the way up is {KICK:g} times the usual one of its learning rate, of all or the last weights."
    )
    if span.onset < FEWEST_QUIET:
        return Finding.untested(
            "b", claim, killed, f"{span.onset} updates before the jump; {FEWEST_QUIET} say what is usual"
        )
    numbers: dict[str, float | int | str | None] = {}
    verdict: Outcome = "refuted"
    told = []
    for name, update_S in (("all weights", window.update_S), ("the last layer", window.last_update_S)):
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.maximum(update_S / window.rate_S, TINY))
        quiet = logs[max(1, span.onset + 1 - QUIET) : span.onset + 1]
        usual, noise = float(np.median(quiet)), _noise(quiet)
        up = logs[span.onset + 1 : span.top + 1]
        if not len(up) or not np.isfinite(up).any():
            continue
        at = span.onset + 1 + int(np.nanargmax(up))
        factor, sigmas = math.exp(logs[at] - usual), (logs[at] - usual) / noise
        if factor >= KICK and sigmas >= KICK_SIGMAS:
            verdict = "survives"
        key = name.removeprefix("the ").replace(" ", "_")
        numbers |= {f"{key}/times_usual": factor, f"{key}/sigmas": sigmas, f"{key}/step": int(window.steps_S[at])}
        numbers[f"{key}/relative"] = float(update_S[at])
        told.append(
            f"of {name} {factor:.3g} times the usual ({update_S[at]:.2g} of its length, step {window.steps_S[at]:,})"
        )
    return Finding("b", claim, killed, verdict, f"the largest update on the way up was, {'; '.join(told)}", numbers)


def the_curvature(window: Window, span: Span) -> Finding:
    """Was the loss sharper than the optimizer can follow, and flatter afterwards?"""
    claim = (
        "The curvature outgrew what the step size can follow (edge of stability); the jump leads to a flatter place."
    )
    killed = (
        f"The largest curvature stays below the threshold ({window.sharpness_unit}) until the foot, or it is no lower "
        "after the top."
    )
    # Not on the way up: there a loss that is already large has a curvature of its own.
    foot, top = window.steps_S[span.onset], window.steps_S[span.top]
    before = {step: value for step, value in window.sharpness.items() if step <= foot and math.isfinite(value)}
    after = [value for step, value in window.sharpness.items() if step > top and math.isfinite(value)]
    if not before or not after:
        return Finding.untested("c", claim, killed, window.sharpness_unit)
    at = max(before, key=lambda step: before[step])
    later = min(after)
    verdict: Outcome = "survives" if before[at] >= 1 and later < before[at] else "refuted"
    because = f"{before[at]:.3g} of the threshold at step {at:,}, before the rise; {later:.3g} after it"
    if over := [step for step, value in sorted(before.items()) if value >= 1]:
        because += f"; beyond it from step {over[0]:,} on, {int(foot) - over[0]} steps before the foot"
    numbers: dict[str, float | int | str | None] = {"before": before[at], "before_step": at, "after": later}
    return Finding("c", claim, killed, verdict, because, {**numbers, "first_beyond_step": over[0] if over else None})


def lost_norm(window: Window, span: Span) -> Finding:
    """Did the total norm of the weights fall at the jump?"""
    norm = window.norm_S
    lowest = span.onset + int(np.argmin(norm[span.onset : span.top + 1]))
    change = float(norm[lowest] / norm[span.onset] - 1)
    until_top = float(norm[span.top] / norm[span.onset] - 1)
    quiet = np.diff(np.log(norm[max(0, span.onset - QUIET) : span.onset + 1]))
    width = max(1, lowest - span.onset)
    usual = width * float(np.median(quiet)) if len(quiet) >= FEWEST_QUIET else 0.0
    verdict: Outcome = "survives" if change <= -SHED and change <= 3 * min(usual, 0.0) else "refuted"
    return Finding(
        "d",
        "Weights are shed: the total norm drops at the jump.",
        f"The total norm falls by less than {SHED:.0%} from the foot to the top, or no faster than before.",
        verdict,
        f"total norm {norm[span.onset]:.5g} at the foot, {norm[span.top]:.5g} at the top ({until_top:+.2%}; lowest "
        f"{change:+.2%}); last layer {window.last_norm_S[span.top] / window.last_norm_S[span.onset] - 1:+.2%}",
        {
            "lowest_change": change,
            "change": until_top,
            "usual_change": usual,
            "last_layer_change": float(window.last_norm_S[span.top] / window.last_norm_S[span.onset] - 1),
        },
    )


def an_event(window: Window, span: Span) -> Finding:
    """Was anything changed shortly before or during the rise?"""
    first, last = int(window.steps_S[span.onset]) - EARLIER, int(window.steps_S[span.top])
    rate_S = window.rate_S
    with np.errstate(divide="ignore", invalid="ignore"):
        changed = np.abs(rate_S[2:] / rate_S[1:-1] - 1) > RATE_CHANGED
    told = [
        (int(window.steps_S[place]), f"learning rate {rate_S[place - 1]:.3g} to {rate_S[place]:.3g}")
        for place in 2 + np.flatnonzero(changed)
    ]
    near = [(step, what) for step, what in sorted([*told, *window.events]) if first <= step <= last]
    far = len(told) + len(window.events) - len(near)
    verdict: Outcome = "survives" if near else "refuted"
    because = "; ".join(f"{what} at step {step:,}" for step, what in near[:5]) or (
        f"nothing was changed from step {max(first, int(window.steps_S[0])):,} to {last:,}"
    )
    if far and not near:
        because += f", {far} times further away"
    because += "".join(f"; {one}" for one in window.excluded)
    return Finding(
        "g",
        "A schedule, a resume, or something else that was changed.",
        f"Nothing was changed from {EARLIER} steps before the foot of the jump until its top.",
        verdict,
        because,
        {"events": len(near), "first_event_step": near[0][0] if near else None},
    )


ALL: tuple[Callable[[Window, Span], Finding], ...] = (
    the_average,
    a_kick,
    the_curvature,
    lost_norm,
    a_few_examples,
    the_comparison,
    an_event,
)


def _rise(values_S: Floats, span: Span) -> float:
    return float(values_S[span.top] - values_S[span.onset])


def _noise(quiet: Floats) -> float:
    """Standard deviation by the median absolute deviation; at least a tenth of a per cent."""
    return max(1.4826 * float(np.median(np.abs(quiet - np.median(quiet)))), 1e-3)
