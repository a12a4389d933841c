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
SHARES_UNSAID = {"divide": "0.5", "add": "0.5", "subtract": "0"}
OF_EVERY_PART = ("modulus", "train_fraction", "split_seed")

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
        mixed: With --multi-task the recipe's task: every part takes its modulus and its cut over.

    Raises:
        SpecError: Shares without --multi-task.
    """
    assigned = [(key, value) for alias, key in ALIASES.items() for value in given.get(alias.replace("-", "_"), ())]
    shares = {part: values[-1] for alias, part in SHARES.items() if (values := given.get(alias.replace("-", "_")))}
    if mixed is not None:
        parts = [part for part, share in (SHARES_UNSAID | shares).items() if share.strip("0.")]
        common = [(f"task.{key}", mixed[key]) for key in OF_EVERY_PART if mixed.get(key) is not None]
        common = [one for one in common if one[0] not in dict(assigned)]
        alone = [one for one in assigned if one[0].removeprefix("task.") not in OF_EVERY_PART]
        common += [one for one in assigned if one not in alone]
        assigned = [("task.kind", "mixture"), *alone]
        for part in parts:
            own = [("share", (SHARES_UNSAID | shares)[part]), ("task.kind", "modular"), ("task.operation", part)]
            assigned += [(f"task.parts.{part}.{key}", value) for key, value in [*own, *common]]
    elif shares:
        raise SpecError(f"shares of {' and '.join(shares)} are those of a mixture; add --multi-task")
    return [f"{key}={value}" for key, value in assigned]
