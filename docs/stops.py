"""What the page on stopping takes from the committed measurement of the rules: a table, and the figure beside it.

python -m docs.stops    draws the figure anew
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
RESULT = ROOT.parent / "benchmarks" / "results" / "stopping.json"
FIGURE = ROOT / "stopping.png"
NAMES = {
    "on_degradation": "`on_degradation`",
    "patient, 10 times": "`patient`, times 10",
    "patient, 30 times": "`patient`, times 30",
    "patient": "`patient`, times 100",
    "collapsed": "`collapsed`",
    "any_of": "`any_of` these three",
    "after_generalization": "`after_generalization`",
}
SPARED = ("early best", "rose then fell", "memorized only")


def measured() -> dict[str, Any]:
    """The committed result."""
    found: dict[str, Any] = json.loads(RESULT.read_text())
    return found


def table() -> str:
    """Of each rule: how many runs that generalize it ended before that, and what it spared of the others."""
    told = measured()
    made, shapes = told["measured"]["made"], told["measured"]["made"]["by_shape"]
    total = made["runs_that_generalize"]
    lines = [
        f"| rule | ended before they generalized, of {total} | of these classic, of {shapes['classic']} | double "
        f"descents, of {shapes['double descent']} | steps spared: {', '.join(SPARED)} |",
        "|---|---:|---:|---:|---|",
    ]
    for rule, killed in made["ended_before"].items():
        spared = ", ".join(f"{made['spared'][rule].get(shape, 0.0):.0%}" for shape in SPARED)
        counts = " | ".join(str(killed.get(shape, 0)) for shape in ("all", "classic", "double descent"))
        lines.append(f"| {NAMES.get(rule, rule)} | {counts} | {spared} |")
    return "\n".join(lines) + (
        f"\n\n`{told['command']}`, {told['measured_on']}: every shape of `benchmarks/shapes.py` but two that are no "
        "runs, at 60 and 300 evaluations, as accuracies and as losses, with and without noise.\n"
    )


def draw() -> Any:
    """The share of runs that generalize which each rule would have ended before that."""
    from matplotlib.figure import Figure

    made = measured()["measured"]["made"]
    rules, total = list(made["ended_before"]), made["runs_that_generalize"]
    figure = Figure(figsize=(7.2, 3.0), facecolor="white")
    axes = figure.add_axes((0.31, 0.17, 0.66, 0.7))
    shares = [made["ended_before"][rule]["all"] / total for rule in rules]
    colours = ["#D55E00" if rule.startswith("early") else "#0072B2" for rule in rules]
    axes.barh(range(len(rules)), shares, color=colours)
    axes.set_yticks(range(len(rules)), [NAMES.get(rule, rule).replace("`", "") for rule in rules])
    axes.invert_yaxis()
    for place, share in enumerate(shares):
        axes.annotate(f"{share:.0%}", (share, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("Runs that generalize, ended before they did", loc="left", fontsize=10, weight="bold")
    return figure


if __name__ == "__main__":
    from latebloom.report.figures.picture import rendered

    FIGURE.write_bytes(rendered(draw).png)
