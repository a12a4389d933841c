"""Chances of generalizing in words, and what they are worth: the card of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..detect.forecast import Forecast, Model
from .text import visible

WORTH = "A share of runs like those calibrated on; on others it may be far off: `latebloom forecast show`."


def forecast_lines(found: Forecast, axis: str = "step") -> list[str]:
    """What can be said, a line for each horizon; or why nothing can."""
    if found.why_not is not None:
        return [f"not told: {found.why_not}"]
    lines = [
        f"by {axis} {one.by_step:,}, {one.factor:g} times as far as now: "
        + (f"not told: {one.why_not}" if one.probability is None else chance(one.probability))
        for one in found.chances
    ]
    return [*lines, WORTH] if any(one.probability is not None for one in found.chances) else lines


def chance_sentence(found: Forecast, axis: str) -> str:
    """The chance of the middle horizon, to be put behind another sentence; empty if it is not told."""
    told = found.chances[1] if found.chances else None
    if told is None or told.probability is None:
        return ""
    return f" Chance to generalize by {axis} {told.by_step:,}: {chance(told.probability)}."


def chance(p: float) -> str:
    """A probability, never surer than the corpus allows.

    Example:
        >>> chance(0.123), chance(0.0004), chance(0.9999)
        ('12%', 'below 1%', 'above 99%')
    """
    return "below 1%" if p < 0.01 else "above 99%" if p > 0.99 else f"{100 * p:.0f}%"


def card_text(model: Model) -> str:
    """For `latebloom forecast show`."""
    card, lines = model.card, list[str]()
    runs = sum(of["runs"] for of in card["corpus"]["studies"].values())
    configurations = sum(of["configurations"] for of in card["corpus"]["studies"].values())
    lines.append(
        f"Calibrated on {runs:,} runs of {configurations:,} configurations ({', '.join(card['corpus']['studies'])})."
    )
    for kind, why_not in model.refused.items():
        lines.append(f"Logs with {kind}: nothing is told. {why_not}.")
    for kind, comparisons in card["comparisons"].items():
        lines += ["", f"logs with {kind}", *_columns(comparison_rows(comparisons))]
    lines += ["", *LEGEND]
    return "\n".join(map(visible, lines))


LEGEND = (
    "told: share of the moments at which a chance is told at all; said: the mean of these chances.",
    "AUROC: 0.5 is guessing. skill: 1 - Brier score / that of always saying how often it happened, which is skill 0.",
    "slope: 1 is calibrated, below 1 too sure. In brackets 95 % intervals over configurations.",
)
HEAD = ("judged on", "by", "moments", "configurations", "told", "said", "happened", "AUROC", "skill", "slope")


def comparison_rows(comparisons: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[tuple[str, ...]]:
    """A row for each comparison and horizon, under `HEAD`."""
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{one['factor']:g} s",
            f"{one['rows']:,}",
            f"{one['groups']:,}",
            _share(one["told"]),
            _share(one["said"]),
            _share(one["rate"]),
            _interval(one["auroc"], one["auroc_95"]),
            _interval(one["skill"], one["skill_95"]),
            "-" if one["slope"] is None else f"{one['slope']:.2f}",
        )
        for name, of in comparisons.items()
        for one in of
    ]
    return [HEAD, *rows]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f}%"


def _interval(value: float | None, interval: tuple[float, float] | None) -> str:
    return "-" if value is None or interval is None else f"{value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
