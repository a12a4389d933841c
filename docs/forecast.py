"""What the model card takes from the shipped forecast model: what it was made from, and what it is worth."""

from __future__ import annotations

from typing import Any

from latebloom.detect.forecast import SIGNS, shipped
from latebloom.report.forecast import comparison_rows

ACCURACY_AND_LOSS = next(iter(SIGNS))
BASELINES = ("time since fitting alone", "validation level alone", "points by hand", "outcomes shuffled")


def corpus() -> str:
    """The studies, and what became of their runs."""
    card = shipped().card
    lines = [
        "| study | configurations | runs | fitted, and not yet generalized when asked | generalized later | moments |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, of in card["corpus"]["studies"].items():
        numbers = (of["configurations"], of["runs"], of["waiting"], of["generalized later"], of["landmarks"])
        lines.append(f"| {name} | " + " | ".join(f"{number:,}" for number in numbers) + " |")
    machine = card["corpus"]["environments"][0]
    made = f"SHA-256 {card['corpus']['sha256'][:12]}, exported {card['corpus']['exported_at']}"
    return (
        "\n".join(lines)
        + f"\n\nCorpus {made}; {machine['system']}, Python {machine['python']}, latebloom {card['latebloom']}.\n"
    )


def worth(kind: str = ACCURACY_AND_LOSS, *, detailed: bool = True) -> str:
    """Every comparison of one kind of log."""
    rows = comparison_rows(
        {n: of for n, of in comparisons(kind).items() if n not in BASELINES and (detailed or ":" not in n)}
    )
    return table(rows)


def baselines(kind: str = ACCURACY_AND_LOSS) -> str:
    """The same moments judged by less."""
    names = ("unseen configurations", *BASELINES)
    return table(comparison_rows({name: comparisons(kind)[name] for name in names if name in comparisons(kind)}))


def reliability(kind: str = ACCURACY_AND_LOSS) -> str:
    """What was said, and how often it happened, on configurations and on tasks that were held out."""
    lines = ["| held out | by | said (mean) | happened | moments |", "|---|---|---:|---:|---:|"]
    for name in ("unseen configurations", "unseen tasks"):
        for one in comparisons(kind)[name]:
            for bin_ in one["reliability"]:
                said, happened = (f"{100 * bin_[what]:.0f}%" for what in ("said", "happened"))
                lines.append(f"| {name} | {one['factor']:g} s | {said} | {happened} | {bin_['rows']:,} |")
    return "\n".join(lines) + "\n"


def comparisons(kind: str) -> dict[str, list[dict[str, Any]]]:
    """Of the shipped model."""
    found: dict[str, list[dict[str, Any]]] = shipped().card["comparisons"][kind]
    return found


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows as a table, the first as its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---|---|" + "---:|" * (len(rows[0]) - 2), *lines[1:]]) + "\n"
