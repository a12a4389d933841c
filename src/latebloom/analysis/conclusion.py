"""What a contrast supports, in one sentence that claims no more.

`sooner` and `later` need three things: p of at most 0.05 after Holm, an interval that excludes 1, and crossings far
enough apart that the distance between evaluations cannot explain the difference.
"""

from __future__ import annotations

from .contrast import Contrast

LEVEL = 0.05


def concluded(found: Contrast, *, event: str, tests: int, horizon_steps: int) -> Contrast:
    """A contrast with its conclusion and verdict.

    Args:
        found: A contrast with its `p_holm`.
        event: What was timed.
        tests: Contrasts that Holm's correction counted.
        horizon_steps: How far the arms were compared.
    """
    runs = f"{found.n_arm} pairs" if found.is_paired else f"{found.n_arm} and {found.n_baseline} runs"
    sure = f"p = {found.p_holm:.2g} after Holm, {runs}"
    if found.ratio is None or found.low is None or found.high is None:
        text = f"no difference shown: by step {horizon_steps:,} no run of either arm had {spoken(event)}, {runs}"
        return found._replace(conclusion="no difference shown", verdict=text)
    if found.is_restricted:
        sure += (
            f"; up to step {horizon_steps:,}, by which {found.happened_arm} of {found.n_arm} and "
            f"{found.happened_baseline} of {found.n_baseline} had {spoken(event)}"
        )
    interval = f"(95 % {found.low:.3g} to {found.high:.3g})"
    if (why_not := _why_not(found, tests)) is not None:
        text = f"no difference shown: {found.ratio:.3g} times as soon {interval}, {sure}; {why_not}"
        return found._replace(conclusion="no difference shown", verdict=text)
    if found.ratio > 1:
        return found._replace(conclusion="sooner", verdict=f"sooner: {found.ratio:.3g} times {interval}, {sure}")
    interval = f"(95 % {1 / found.high:.3g} to {1 / found.low:.3g})"
    text = f"later: takes {1 / found.ratio:.3g} times as long {interval}, {sure}"
    return found._replace(conclusion="later", verdict=text)


def can_tell(found: Contrast, tests: int) -> bool:
    """Whether so many runs could have shown a difference even as the clearest of so many contrasts."""
    return found.smallest_p is None or found.smallest_p * tests <= LEVEL


def _why_not(found: Contrast, tests: int) -> str | None:
    """What keeps a contrast from being a difference; None if nothing does."""
    assert found.p is not None and found.p_holm is not None
    assert found.low is not None and found.high is not None and found.grid_low is not None
    if found.p_holm > LEVEL:
        if found.p <= LEVEL:
            return f"p = {found.p:.2g} alone, too much after the correction for {tests} contrasts"
        if not can_tell(found, tests):
            return "with so few runs no difference could have been shown"
        return "chance alone does as much"
    if found.low <= 1 <= found.high:
        return "the interval includes 1"
    if found.grid_low <= 1 and (found.grid_high is None or found.grid_high >= 1):
        return "the evaluations are too far apart to tell"
    return None


def spoken(event: str) -> str:
    """`generalized/divide` as `generalized on divide`."""
    return event.replace("/", " on ", 1)
