"""The end of a run in words: when it memorized, when it generalized, the delay, and what that shows."""

from __future__ import annotations

from collections.abc import Mapping

from ..analysis.story import Story
from ..base.record import Event
from ..detect import between, percent, scored
from .text import visible

RULE = "=" * 60


def facts(story: Story) -> list[tuple[str, str, str]]:
    """Training, validation and delay as (what, value, how sure), in one wording everywhere."""
    fit, gen = percent(story.detector.memorized_at), percent(story.detector.generalized_at)
    train, val = (
        scored(examples, reading).capitalize()
        for examples, reading in (
            ("training", story.detector.train_reading),
            ("validation", story.detector.val_reading),
        )
    )
    told = [
        (f"{train} reached {fit} at step", *_reached(story.memorized, story.step)),
        (f"{val} reached {gen} at step", *_reached(story.generalized, story.step)),
    ]
    delay = "Grokking delay" if story.verdict.family == "grokking" else "Delay"
    if story.delay_steps is None:
        return [*told, (delay, "not known", f"not both happened by step {story.step:,}")]
    ratio = story.verdict.ratio
    return [*told, (delay, f"{story.delay_steps:,} steps", f"{ratio:.3g} times as late" if ratio else "")]


def summary(story: Story, paths: Mapping[str, object] | None = None) -> str:
    """What is printed when a run ends.

    Args:
        story: The run's story.
        paths: What was written where, e.g. {"Plot": path}; printed as `Plot saved to ...`.
    """
    family = story.verdict.family
    lines = [RULE, "GROKKING DETECTED" if family == "grokking" else family.replace("_", " ").upper()]
    lines += [f"{what}: {value}" + (f"   ({sure})" if sure else "") for what, value, sure in facts(story)]
    lines += [RULE, story.verdict.headline, story.verdict.refuted_by]
    lines += [f"{what} saved to {path}" for what, path in (paths or {}).items()]
    return "\n".join(visible(line) for line in lines)


def run_page(story: Story) -> str:
    """One run for `latebloom show`."""
    speed = "" if story.steps_per_s is None else f", {story.steps_per_s:,.1f} steps/s"
    time = "" if story.wall_time_s is None else f", {duration(story.wall_time_s)}{speed}"
    reason = f": {story.reason}" if story.reason else ""
    origin = "" if story.parent is None else f", branched from {story.parent.get('run')} at {story.parent.get('step')}"
    lines = [
        f"{story.name or story.id}   seed {story.seed}{origin}",
        f"id       {story.id}",
        f"status   {story.status} at step {story.step:,}{time}{reason}",
        f"folder   {story.path}",
        *(f"damage   {one}" for one in story.damage),
        *(f"notice   {one}" for one in story.notices),
        *(f"events   {one}" for one in story.event_differences),
    ]
    phases = [f"  {span.phase:<12} {span.from_step:>12,} to {span.to_step:,}" for span in story.phases]
    points = [
        f"  {point.step:>12,}   {point.size_bytes / 1e6:8.1f} MB   {', '.join(point.labels)}"
        for point in story.checkpoints
    ]
    for title, rows in (("phases", phases), ("checkpoints", points)):
        lines += [title, *rows] if rows else []
    return "\n".join([*(visible(line) for line in lines), summary(story)])


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: 3661 is `1:01:01`, 61 is `1:01`."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _reached(event: Event | None, last_step: int) -> tuple[str, str]:
    if event is None:
        return "not reached", f"by step {last_step:,}, where the observation ends"
    previous = event.evidence.get("previous_step")
    return f"{event.step:,}", between(event.step, previous if isinstance(previous, int) else None)
