"""Which two readings tell whether a training set is fitted and whether the run generalizes."""

from __future__ import annotations

from collections.abc import Iterable

from .gauge import gauge
from .scale import Kind

_PREFERRED: tuple[Kind, ...] = ("accuracy", "loss", "correlation", "coverage", "custom")


def side(name: str) -> str | None:
    """`train` or `val`, where a reading says it or can only be one of them; None for readings of neither.

    A correlation or coverage without a word for its examples is an evaluation: nobody minimises it.

    Example:
        >>> side("train/loss"), side("correlation"), side("weight_norm/l2"), side("val/accuracy/divide")
        ('train', 'val', None, None)
    """
    first, _, rest = name.partition("/")
    if first in ("train", "val") and rest and "/" not in rest:
        return first
    return "val" if not rest and gauge(name).kind in ("correlation", "coverage") else None


def pair(names: Iterable[str]) -> tuple[str | None, str | None]:
    """The training and the validation reading to judge by: of one kind if there are two, accuracies before losses.

    Example:
        >>> pair(["train/loss", "val/loss", "val/accuracy"]), pair(["train/loss", "val/correlation"])
        (('train/loss', 'val/loss'), ('train/loss', 'val/correlation'))
    """
    names = list(names)
    found = {s: {gauge(name).kind: name for name in reversed(names) if side(name) == s} for s in ("train", "val")}
    train, val = found["train"], found["val"]
    both = next((kind for kind in _PREFERRED if kind in train and kind in val), None)
    if both is not None and both != "custom":
        return train[both], val[both]
    first = [next((of[kind] for kind in _PREFERRED if kind in of), None) for of in (train, val)]
    return first[0], first[1]
