"""Short names of often used settings: the spellings of the field's programs, each for one key of a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from ..base.errors import SpecError

ALIASES: dict[str, str] = {
    "lr": "optimizer.learning_rate",
    "learning-rate": "optimizer.learning_rate",
    "weight-decay": "optimizer.weight_decay",
    "wd": "optimizer.weight_decay",
    "optimizer": "optimizer.kind",
    "steps": "steps",
    "num-steps": "steps",
    "seed": "seed",
    "batch-size": "batch.size",
    "p": "task.modulus",
    "modulus": "task.modulus",
    "operation": "task.operation",
    "train-fraction": "task.train_fraction",
    "d-model": "model.width",
    "width": "model.width",
    "nhead": "model.heads",
    "num-layers": "model.layers",
    "dropout": "model.dropout",
    "checkpoint-interval": "checkpoints.every",
    "log-interval": "evaluation.every",
    "run-name": "name",
    "name": "name",
    "threads": "threads",
}
"""Option without its dashes, `-` and `_` alike -> dotted key."""

SHARES = {"task-division": "divide", "task-addition": "add", "task-subtraction": "subtract"}
"""Option without its dashes -> the part of a mixture whose share it sets, with --multi-task."""
SHARES_UNSAID = {"divide": ["0.5"], "add": ["0.5"], "subtract": ["0"]}
OF_EVERY_PART = ("task.modulus", "task.train_fraction", "task.split_seed")

Given = Mapping[str, Sequence[str]]  # option, as Python spells it -> every value it was given


def with_aliases(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option per alias, in both spellings. Hidden: `short_names` says the same in less space."""
    for alias in [*ALIASES, *SHARES]:
        python = alias.replace("-", "_")
        command = click.option(*sorted({f"--{alias}", f"--{python}"}), python, multiple=True, hidden=True)(command)
    return command


def short_names() -> str:
    """The aliases as help text, by the key they set."""
    by_key: dict[str, list[str]] = {}
    for alias, key in ALIASES.items():
        by_key.setdefault(key, []).append(f"--{alias}")
    rows = [(", ".join(names), key) for key, names in by_key.items()]
    rows.append(("--multi-task with --task-division,", "a mixture in place of the task; 0 leaves a part out"))
    rows.append(("  --task-addition, --task-subtraction", "(task.parts.divide.share and so on)"))
    width = max(len(names) for names, _ in rows)
    return "\n".join(["Short names, - and _ alike, and the keys they set:", *(f"  {n:<{width}}  {k}" for n, k in rows)])


def refuse_short_names(settings: Sequence[str]) -> None:
    """Refuse `lr=1e-3`: a short name is an option, `--lr 1e-3`.

    Raises:
        SpecError: Which key is meant.
    """
    words = [setting.partition("=")[0] for setting in settings]
    short = {word: ALIASES.get(word.replace("_", "-"), word) for word in words}
    if problems := [
        f"{word} is the short name of {key}; write {key}=... or --{word} ..."
        for word, key in short.items()
        if word not in (key, key.split(".")[0])
    ]:
        raise SpecError(problems)


def assignments(given: Given, mixed: Mapping[str, Any] | None = None) -> list[str]:
    """What the given options assign, e.g. `["optimizer.learning_rate=1e-3"]`.

    Args:
        given: The options.
        mixed: With --multi-task the recipe's task, to be replaced by a mixture.

    Raises:
        SpecError: Shares without --multi-task, or a task that cannot be mixed.
    """
    assigned = [(key, value) for alias, key in ALIASES.items() for value in given.get(alias.replace("-", "_"), ())]
    shares = {part: values for alias, part in SHARES.items() if (values := given.get(alias.replace("-", "_")))}
    if mixed is not None:
        assigned = _mixture(assigned, SHARES_UNSAID | shares, mixed)
    elif shares:
        raise SpecError(f"shares of {' and '.join(shares)} are those of a mixture; add --multi-task")
    return [f"{key}={value}" for key, value in assigned]


def _mixture(
    assigned: list[tuple[str, str]], shares: Mapping[str, Sequence[str]], task: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The same with one part for each share above 0; each part takes the modulus and the cut that the task has."""
    if (kind := task.get("kind")) != "modular":
        raise SpecError(f"--multi-task mixes operations on residues, task.kind = modular; this recipe's is {kind}")
    common = [one for one in assigned if one[0] in OF_EVERY_PART]
    told = [("task.kind", "mixture"), *(one for one in assigned if one not in common)]
    kept = {f"task.{key}": value for key, value in task.items() if value is not None}
    common += [(key, kept[key]) for key in OF_EVERY_PART if key in kept and key not in dict(common)]
    for part, values in shares.items():
        own = [("share", value) for value in values if value.strip("0.")]
        own += [("task.kind", "modular"), ("task.operation", part), *common] if own else []
        told += [(f"task.parts.{part}.{key}", value) for key, value in own]
    return told
