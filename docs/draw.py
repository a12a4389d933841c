"""Fill what the documents take from elsewhere: the structure from the code, the figures from committed results.

    python -m docs.draw            write
    python -m docs.draw --check    only say what is out of date

A document marks such a part with `<!-- drawn: NAME -->` and `<!-- end -->`; what lies between is replaced.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs import claims, codes, forecast, glance, jumps, stops, studies

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "latebloom"
RESULTS = ROOT / "benchmarks" / "results"
PART = re.compile(r"(<!-- drawn: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def layers() -> list[list[str]]:
    """The lines of the house, top first, as the import contract in pyproject.toml has them."""
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rows = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[name.strip(" ()") for name in row.split("|")] for row in rows]


def modules(folder: str) -> dict[str, str]:
    """First docstring lines of a folder's modules, by file name; its own under ``."""
    found = {}
    for path in sorted((SOURCE / folder).rglob("*.py")):
        name = "" if path.name == "__init__.py" and path.parent.name == folder else path.relative_to(SOURCE / folder)
        if path.name != "__init__.py" or name == "":
            found[str(name)] = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]
    return found


def imports(folder: str) -> set[str]:
    """The other folders that a folder's modules import, hidden imports included."""
    found = set()
    for path in (SOURCE / folder).rglob("*.py"):
        package = ["latebloom", *path.relative_to(SOURCE).parent.parts]
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                start = ".".join([*base, node.module or ""]).strip(".")
                names = [start] if start != "latebloom" else [f"latebloom.{alias.name}" for alias in node.names]
            found |= {n.split(".")[1] for n in names if n.startswith("latebloom.")}
    return {name for name in found if (SOURCE / name).is_dir()} - {folder}


def architecture() -> str:
    """Every room, top first, with what it imports and what is in it."""
    lines = []
    for row in layers():
        for folder in row:
            if not (SOURCE / folder).is_dir() or not (rooms := modules(folder)):
                continue
            below = ", ".join(f"`{name}`" for name in sorted(imports(folder))) or "nothing of ours"
            lines += [f"### `{folder}/`", "", rooms.pop(""), "", f"Imports {below}.", ""]
            lines += [f"- `{name}` {text}" for name, text in rooms.items()]
            lines.append("")
    return "\n".join(lines)


def result(name: str) -> dict[str, Any]:
    """A committed result file."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def measured_by(name: str) -> str:
    """The command, day and machine of a result."""
    r = result(name)
    return (
        f"`{r['command']}`, {r['measured_on']}, {r['processor']}, {r['cores']} cores, {r['threads']} thread, "
        f"torch {r['torch']}, load average {r['load_average']}."
    )


def sides(name: str, against: str) -> str:
    """One comparison of several sides as a table."""
    rows = result(name)["measured"][against].items()
    lines = ["| | median ms | times ours |", "|---|---:|---:|"]
    return "\n".join(lines + [f"| {side} | {row['median_ms']} | {row['times_ours']:.2f} |" for side, row in rows])


def compared(name: str) -> str:
    """Every comparison of a result, one row a side."""
    lines = ["| what | side | median ms | times ours |", "|---|---|---:|---:|"]

    def add(what: str, found: Any) -> None:
        for key, inner in found.items() if isinstance(found, dict) else ():
            if isinstance(inner, dict) and "times_ours" in inner:
                lines.append(f"| {what} | {key} | {inner['median_ms']} | {inner['times_ours']:.2f} |")
            else:
                add(f"{what}, {key}" if what else key, inner)

    add("", result(name)["measured"])
    return "\n".join(lines) + f"\n\n{measured_by(name)}\n"


def detector() -> str:
    """How often the detector is right on generated curves, and how often it calls without cause."""
    found = result("detector")["measured"]
    lines = ["| | |", "|---|---:|", f"| generated curves | {found['runs']:,} |"]
    lines.append(f"| right family of verdict | {found['right_family']:.1%} |")
    lines.append(f"| dates within two evaluations, worst kind of date and noise | {min(found['dates'].values()):.1%} |")
    for noise, rates in found["false_alarms_per_1000"].items():
        lines.append(
            f"| false calls in 1,000 evaluations that do not change, {noise} noise, worst | {max(rates.values())} |"
        )
    lines += [f"| one update, {what}, microseconds | {value} |" for what, value in found["update_us"].items()]
    return "\n".join(lines) + f"\n\n{measured_by('detector')}\n"


def step() -> str:
    """The optimizer step."""
    eager, compiled = sides("step", "against_eager"), sides("step", "against_compiled")
    return f"Against our eager step:\n\n{eager}\n\nAgainst our compiled step:\n\n{compiled}\n\n{measured_by('step')}\n"


def full_batch() -> str:
    """The full-batch step."""
    return f"{sides('full_batch', 'against_eager')}\n\n{measured_by('full_batch')}\n"


def flat(name: str) -> Callable[[], str]:
    """A result that is a flat table of figures."""

    def table() -> str:
        rows = result(name)["measured"].items()
        told = {key.replace("_", " "): value if isinstance(value, list) else [value] for key, value in rows}
        lines = [
            "| | |",
            "|---|---:|",
            *(f"| {key} | {', '.join(f'{one:,}' for one in of)} |" for key, of in told.items()),
        ]
        return "\n".join(lines) + f"\n\n{measured_by(name)}\n"

    return table


def seeds() -> str:
    """When five seeds generalized."""
    measured = result("seeds")["measured"]
    lines = [
        "| seed | memorized at step | generalized at step | delay in steps | verdict |",
        "|---:|---:|---:|---:|---|",
    ]
    for run in measured["runs"]:
        numbers = (run["memorized_step"], run["generalized_step"], run["grokking_delay_steps"])
        shown = " | ".join("not reached" if number is None else f"{number:,}" for number in numbers)
        lines.append(f"| {run['seed']} | {shown} | {run['verdict']} |")
    return "\n".join(lines) + f"\n\n{measured_by('seeds')}\n"


def counted(name: str) -> Callable[[], str]:
    """What fault tests counted."""

    def table() -> str:
        found = result(name)["measured"].items()
        counts = [(f"{test}: {what}", n) for test, of_test in found for what, n in of_test.items()]
        told = [
            (what.replace("_", " "), "yes" if n is True else "no" if n is False else f"{n:,}") for what, n in counts
        ]
        lines = ["| | |", "|---|---:|", *(f"| {what} | {n} |" for what, n in told)]
        return "\n".join(lines) + f"\n\n{measured_by(name)}\n"

    return table


DECAY, FRACTION = "optimizer.weight_decay", "task.train_fraction"
PLANES = {
    "phases-perceptron": (FRACTION, DECAY),
    "phases-parity": (FRACTION, DECAY),
    "phases-decay-fraction": (FRACTION, DECAY),
    "phases-rate-decay": ("optimizer.learning_rate", DECAY),
}


def heights() -> str:
    """Exact m-heights beside the ways there were before."""
    found = result("heights")["measured"]
    others = ("classic programs", "reduced programs", "the package")
    lines = ["| code | ours, µs | " + " | ".join(f"{other}, s | times ours" for other in others) + " |"]
    lines.append("|---|---:" + "|---:" * 2 * len(others) + "|")
    for code, row in found["codes"].items():
        cells = [f"{row[f'{other}, s']:g} | {row[f'{other}, times ours']:,.0f}" for other in others]
        lines.append(f"| {code} | {row['microseconds']} | {' | '.join(cells)} |")
    lines += ["", "| the data set of 21 groups | |", "|---|---:|"]
    lines += [f"| {key} | {value:,} |" for key, value in found["data set"].items()]
    return "\n".join(lines) + f"\n\n{measured_by('heights')} The package is {found['package']}.\n"


def heights_of_a_matrix() -> str:
    """What `latebloom mheight` says about a small matrix."""
    from click.testing import CliRunner

    from latebloom.cli.app import app

    rows = "3 1 2\n1 4 -2\n"
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("P.txt").write_text(rows)
        said = CliRunner().invoke(app, ["mheight", "P.txt"]).output
    return f"```console\n$ cat P.txt\n{rows}$ latebloom mheight P.txt\n{said}```\n"


def surrogate() -> str:
    """What one answer of the network costs that was to stand in for exact heights, and what these cost."""
    found = result("surrogate")["measured"]
    lines = ["| | microseconds |", "|---|---:|"]
    answer = found["microseconds for one answer of the network"]
    lines.append(f"| one answer of the network of {found['parameters of the network']:,} parameters | {answer} |")
    each = found["microseconds for all heights of a matrix"].items()
    lines += [f"| all exact heights of one matrix, {code} | {cost} |" for code, cost in each]
    return "\n".join(lines) + f"\n\nIn batches of {found['batch']:,}. {measured_by('surrogate')}\n"


def blind_heights() -> str:
    """What is lost by those who know nothing of a matrix."""
    found = result("heights")["measured"]["data set"]
    constant, means = (
        found[f"variance of log2 h around {what}"] for what in ("one constant", "the mean of each group")
    )
    return (
        f"* **{constant:.2f}** is the loss of one constant for everything, on {found['labels']:,} labels of ours.\n"
        f"* **{means:.2f}** is the loss of a table of the 21 group means, which has never seen P.\n"
    )


DRAWN: dict[str, Callable[[], str]] = {
    "architecture": architecture,
    "demo": flat("demo"),
    "step": step,
    "full_batch": full_batch,
    "overhead": flat("overhead"),
    "live_spectra": flat("live_spectra"),
    "spectra": lambda: compared("spectra"),
    "mlp_step": lambda: compared("mlp_step"),
    "resnet_step": lambda: compared("resnet_step"),
    "local_complexity": lambda: compared("local_complexity"),
    "detector": detector,
    "fourier": flat("fourier"),
    "heights": heights,
    "heights-of-a-matrix": heights_of_a_matrix,
    "blind-heights": blind_heights,
    "surrogate": surrogate,
    "startup": flat("startup"),
    "memory": flat("memory"),
    "seeds": seeds,
    "faults": counted("faults"),
    "filters": lambda: f"{sides('filters', 'against_no_filter')}\n\n{measured_by('filters')}\n",
    "sweep": flat("sweep"),
    "sweep_faults": counted("sweep_faults"),
    "grokfast-l1-division": studies.drawn(studies.tables, "grokfast-l1-division"),
    "grokfast-l1-division-memorized": studies.drawn(studies.contrasts, "grokfast-l1-division", "memorized"),
    "grokfast-l1-division-against-l1": studies.drawn(studies.contrasts, "grokfast-l1-division", "generalized", "l1"),
    "grokfast-l1-s5": studies.drawn(studies.tables, "grokfast-l1-s5"),
    "grokfast-l1-s5-memorized": studies.drawn(studies.contrasts, "grokfast-l1-s5", "memorized"),
    "grokfast-l1-s5-collapses": studies.drawn(studies.collapses, "grokfast-l1-s5"),
    "grokfast-weight-decay": studies.drawn(studies.tables, "grokfast-weight-decay"),
    "grokfast-weight-decay-equal": studies.drawn(
        studies.duels, "grokfast-weight-decay", "ema wd 0.005|baseline wd 0.005", "ma wd 0.01|baseline wd 0.01"
    ),
    "grokfast-ema-rates": studies.drawn(studies.tables, "grokfast-ema-rates"),
    "grokfast-ema-rates-equal": studies.drawn(
        studies.duels, "grokfast-ema-rates", "rate 2e-3 ema|rate 2e-3", "rate 5e-4 ema|rate 5e-4"
    ),
    "settings-at-a-glance": glance.table,
    **{name: studies.drawn(studies.phases, name, *axes) for name, axes in PLANES.items()},
    "claims-omnigrok-mnist": lambda: claims.table("omnigrok-mnist"),
    "claims-deep-grokking-4": lambda: claims.table("deep-grokking-4"),
    "claims-deep-grokking-4-median-xmin": lambda: claims.table("deep-grokking-4", "--convention median-xmin"),
    "claims-deep-grokking": lambda: claims.table("deep-grokking"),
    "claims-deep-grokking-median-xmin": lambda: claims.table("deep-grokking", "--convention median-xmin"),
    "claims-deep-grokking-depths": lambda: claims.table("deep-grokking-depths"),
    "claims-deep-grokking-decay": lambda: claims.table("deep-grokking-decay"),
    "claims-anti-grokking": lambda: claims.table("anti-grokking"),
    "claims-anti-grokking-decay": lambda: claims.table("anti-grokking-decay"),
    "stopping": stops.table,
    "train-loss-jump": lambda: jumps.jump("train-loss-jump"),
    "train-loss-jump-explanations": lambda: jumps.explanations("train-loss-jump"),
    "train-loss-jump-forks": lambda: jumps.forks("train-loss-jump"),
    "train-loss-jump-grokking": lambda: jumps.brief("train-loss-jump-grokking"),
    "train-loss-jump-m-height": lambda: jumps.brief("train-loss-jump-m-height"),
    "forecast-corpus": forecast.corpus,
    "forecast-worth": forecast.worth,
    "forecast-worth-accuracy": lambda: forecast.worth("accuracy", detailed=False),
    "forecast-worth-loss": lambda: forecast.worth("loss", detailed=False),
    "forecast-baselines": forecast.baselines,
    "forecast-reliability": forecast.reliability,
    "code-symmetry": studies.drawn(codes.symmetry, "code-symmetry"),
    "code-symmetry-course": studies.drawn(codes.symmetry_course, "code-symmetry"),
    "code-symmetry-times": studies.drawn(studies.tables, "code-symmetry"),
    "m-height-heads": studies.drawn(codes.heads, "m-height-heads"),
    "m-height-ladder": studies.drawn(codes.ladder, "m-height-ladder"),
    "m-height-decay": studies.drawn(codes.decay, "m-height-decay"),
    "claims-m-height-decay": lambda: claims.table("m-height-decay"),
    "task-diversity": studies.drawn(studies.tables, "task-diversity", "generalized/divide", "divide"),
}


def drawn(text: str) -> str:
    """A document with its drawn parts made anew."""
    return PART.sub(lambda part: part[1] + DRAWN[part[2]]() + part[3], text)


def outdated() -> dict[Path, str]:
    """Documents that would change, with their new text."""
    found = {}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text()
        if (new := drawn(text)) != text:
            found[path] = new
    return found


if __name__ == "__main__":
    new_texts = outdated()
    for document, new_text in new_texts.items():
        print(document.relative_to(ROOT))
        if "--check" not in sys.argv:
            document.write_text(new_text)
    sys.exit("--check" in sys.argv and bool(new_texts))
