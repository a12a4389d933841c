"""A comparison in words, for somebody who is no statistician: arms, contrasts, what to beware of, what words mean."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ...analysis.arm import ArmSummary
from ...analysis.contrast import Contrast
from ...detect import DelayDetector, percent, scored
from ..figures.panels import shortened
from ..text import visible
from .compared import Compared

WIDTH = 110
LONGEST_NAME = 32
MOST_SETTINGS = 8  # named one by one in the text; the page has all of them

HOW_THEY_ENDED = {
    "memorized_only": "fitted the training set only",
    "never_fitted": "did not fit it",
    "diverged": "diverged or collapsed",
    "unfinished": "not watched that far",
}


def comparison_text(told: Compared) -> str:
    """Everything that a reader needs; tables fit 120 columns, sentences `WIDTH`."""
    comparison = told.comparison
    settings = list(comparison.differs)
    if len(settings) > MOST_SETTINGS:
        settings = list(dict.fromkeys(key.partition(".")[0] for key in settings))
    lines = [
        question(told),
        *sentences([about(told), f"Compared up to step {comparison.horizon_steps:,}. {criterion(told)}"]),
        "",
        *arms_table(told),
        "",
        *contrasts_table(told),
        "",
        *sentences(f"{told.names[one.arm]}: {one.verdict}" for one in comparison.contrasts),
        *sentences([f"The arms differ in {', '.join(settings)}."] if settings else []),
        *(["", "Beware"] if comparison.warnings else []),
        *sentences(f"- {warning}" for warning in comparison.warnings),
        "",
        "What the words mean",
        *sentences(f"- {word}: {meaning}" for word, meaning in meanings(told)),
    ]
    return "\n".join(lines)


def question(told: Compared) -> str:
    """What was asked."""
    return f"Which arm {had(told)} sooner?"


def had(told: Compared) -> str:
    """The event as a verb."""
    return visible(told.comparison.event.replace("/", " on "))


def about(told: Compared) -> str:
    """Where the runs are from, and which seeds they have."""
    seeds = {arm.seeds for arm in told.comparison.arms}
    each = f", {_count(len(next(iter(seeds))), 'seed')} in every arm: {numbers(next(iter(seeds)))}"
    return f"{told.title}, {len(told.outcomes):,} runs{each if len(seeds) == 1 else ''}"


def criterion(told: Compared) -> str:
    """When the event counts as having happened; nothing if that differs between runs."""
    judge, (which, _, part) = DelayDetector(), told.comparison.event.partition("/")
    side = "train" if which == "memorized" else "val"
    keys = (f"{side}_reading", f"{which}_at", "share", "window_evaluations")
    rules = {tuple(one.settings.get(f"detector.{key}", getattr(judge, key)) for key in keys) for one in told.outcomes}
    if len(rules) > 1:
        return ""
    reading, *rule = next(iter(rules))
    level, share, window = map(float, rule)
    examples = "training" if which == "memorized" else "validation"
    score = scored(examples, str(reading))
    return (
        f"{which.capitalize()}: {score}{f' on {part}' if part else ''} of {percent(level)} or more "
        f"in {share * window:.3g} of {window:g} evaluations in a row."
    )


def arms_table(told: Compared) -> list[str]:
    """A line for each arm, and one below it for runs that did not get there."""
    comparison = told.comparison
    rows = [
        ("", had(told), "in %", "half of", "mean step,", "training", "times"),
        ("arm", "by then", "(95 %)", "runs by", f"at most {comparison.horizon_steps:,}", "set fitted", "as late"),
    ]
    rows += [
        (
            shortened(told.names[arm.arm], LONGEST_NAME),
            f"{arm.event.happened} of {arm.n}",
            share(arm),
            step(arm.event.median_steps),
            mean_step(arm),
            step(arm.fit.median_steps if arm.fit else None),
            "–" if arm.lateness is None else f"{arm.lateness:.3g}",
        )
        for arm in comparison.arms
    ]
    lines = _aligned(rows)
    told_lines = lines[:2]
    for arm, line in zip(comparison.arms, lines[2:], strict=True):
        ended = "; ".join(ends(told, arm))
        told_lines += [line, f"    {ended}"] if ended else [line]
    return told_lines


def contrasts_table(told: Compared) -> list[str]:
    """A line for each arm against the baseline."""
    name = shortened(told.names[told.comparison.baseline], LONGEST_NAME)
    rows = [
        ("", "times as soon", "", "p after", "", ""),
        (f"against {name}", "(95 %)", "p", "Holm", "compared", "conclusion"),
    ]
    rows += [
        (
            shortened(told.names[one.arm], LONGEST_NAME),
            spread(one.ratio, one.low, one.high),
            chance(one.p),
            chance(one.p_holm),
            runs(one),
            one.conclusion,
        )
        for one in told.comparison.contrasts
    ]
    return _aligned(rows)


def meanings(told: Compared) -> list[tuple[str, str]]:
    """The words of the tables, each in a sentence or two."""
    horizon = f"{told.comparison.horizon_steps:,}"
    return [
        (
            "times as soon",
            "mean step of the baseline divided by that of the arm, both on a log scale: 2 is half the steps, 0.5 "
            f"twice as many. A run that is not there by step {horizon} counts as if it were there then, so that the "
            "true ratio is further from 1, unless the curves cross later.",
        ),
        (
            "in %",
            f"share of the runs by step {horizon}; one that was not watched that far counts for as long as it was.",
        ),
        (
            "(95 %)",
            "an interval that would hold the truth about 95 times in 100, were the experiment repeated with other "
            "seeds. The distance between evaluations is not in it.",
        ),
        (
            "p",
            "how often at least so large a difference would arise if arm and baseline were the same, and only their "
            "seeds differed. After Holm: corrected, because several arms have several chances of a lucky one.",
        ),
        ("pairs", "runs that began with the same split and the same weights, and are compared one by one."),
        ("mean step", f"over all runs of the arm, each counted with at most {horizon}."),
        (
            "times as late",
            "step at which it happened / step at which the training set was fitted, its median over runs.",
        ),
        (
            "sooner, later",
            "only if p after Holm is at most 0.05, the interval excludes 1, and the distance between evaluations "
            "cannot be the reason. Where no difference is shown, there may still be one.",
        ),
    ]


def ends(told: Compared, arm: ArmSummary) -> list[str]:
    """What became of the runs that did not get there or lost it again; the seeds, where arms have different ones."""
    ended = [f"{count} {words}" for key, words in HOW_THEY_ENDED.items() if (count := getattr(arm.counts, key))]
    ended += [f"{arm.lost} lost it again"] if arm.lost else []
    seeds_differ = len({one.seeds for one in told.comparison.arms}) > 1
    return [*ended, f"{'seed' if arm.n == 1 else 'seeds'} {numbers(arm.seeds)}"] if seeds_differ else ended


def share(arm: ArmSummary) -> str:
    """How many runs in a hundred, by the survival curve."""
    return f"{100 * arm.event.share:.0f} ({100 * arm.event.share_low:.0f} to {100 * arm.event.share_high:.0f})"


def mean_step(arm: ArmSummary) -> str:
    """The restricted mean."""
    mean, low, high = arm.event[5:8]
    if mean is None:
        return "–"
    return f"{mean:,.0f}" if low is None or high is None else f"{mean:,.0f} ({low:,.0f} to {high:,.0f})"


def spread(value: float | None, low: float | None, high: float | None) -> str:
    """A ratio with its interval."""
    return "–" if value is None or low is None or high is None else f"{value:.3g} ({low:.3g} to {high:.3g})"


def grid(one: Contrast) -> str:
    """Within which the ratio is not known, because crossings are only known up to the evaluation before."""
    if one.grid_low is None:
        return "–"
    return f"{one.grid_low:.3g} or more" if one.grid_high is None else f"{one.grid_low:.3g} to {one.grid_high:.3g}"


def runs(one: Contrast) -> str:
    """How many were compared."""
    return _count(one.n_arm, "pair") if one.is_paired else f"{one.n_arm} and {one.n_baseline} runs"


def step(value: int | None) -> str:
    """A step, or a dash."""
    return "–" if value is None else f"{value:,}"


def chance(p: float | None) -> str:
    """A probability, or a dash."""
    return "–" if p is None else f"{p:.2g}" if p >= 0.001 else "<0.001"


def numbers(seeds: Sequence[int]) -> str:
    """Seeds, neighbours joined.

    Example:
        >>> numbers([0, 1, 2, 3, 7, 8])
        '0 to 3, 7, 8'
    """
    parts: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ", ".join(f"{part[0]} to {part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts)


def sentences(texts: Iterable[str]) -> Iterator[str]:
    """Texts, each over as many lines as it needs, indented after its first."""
    for text in texts:
        yield textwrap.fill(visible(text), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns; all but the first and those of words are right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]  # fmt: skip
