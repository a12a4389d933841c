"""Which of somebody's names stands for which of our readings, decided as the names come.

A word alone decides, as for logs (`store.ingest.names`): `val_acc`, `eval_accuracy` and `Accuracy/test` are
`val/accuracy`. A name without a word for its examples is taken for training, never for validation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ..store.ingest.names import Meaning, meaning_of

T = TypeVar("T")

_OF_EXAMPLES = ("loss", "accuracy", "error")


class Names:
    """What every name seen so far stands for.

    Args:
        mapping: Our name -> theirs, for what somebody knows better than the names say, e.g. {"val/accuracy": "ema"}.

    Attributes:
        theirs: Our reading -> their name, of all that is judged.
        unjudged: Their names that stand for nothing we judge; they are only recorded.
        seen: All their names, as keys.
    """

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        self.mapping = dict(mapping or {})
        self.theirs: dict[str, str] = {}
        self.unjudged: list[str] = []
        self.seen: dict[str, None] = {}

    def hear(self, names: Iterable[str]) -> bool:
        """Whether these names change what is known of earlier ones: then what was read is to be read again."""
        new = [name for name in names if name not in self.seen]
        if not new:
            return False
        earlier, before = list(self.seen), {theirs: ours for ours, theirs in self.theirs.items()}
        self.seen |= dict.fromkeys(new)
        self.theirs = self._decided()
        now = {theirs: ours for ours, theirs in self.theirs.items()}
        self.unjudged = [name for name in self.seen if name not in now]
        return any(before.get(name) != now.get(name) for name in earlier)

    def readings(self, row: Mapping[str, float]) -> dict[str, float]:
        """What a row holds of our readings."""
        return {ours: row[theirs] for ours, theirs in self.theirs.items() if theirs in row}

    def _decided(self) -> dict[str, str]:
        chosen = {ours: theirs for ours, theirs in self.mapping.items() if theirs in self.seen}
        others = {name: found for name in self.seen if name not in chosen.values() and (found := meaning_of(name))}
        named = {_reading(meaning) for meaning in others.values()} | chosen.keys()
        has_loss = any(not meaning.split and meaning.measure == "loss" for meaning in others.values())
        found_for = dict[str, list[tuple[tuple[object, ...], str]]]()
        for name, meaning in others.items():
            reading = _reading(meaning)
            if reading is None and not meaning.split and meaning.measure in ("loss", "accuracy"):
                # Beside a named training loss, an accuracy of unknown examples may be of any.
                is_open = meaning.measure == "accuracy" and not has_loss and "train/loss" in named
                reading = None if is_open else f"train/{meaning.measure}"
            if reading is not None and reading not in self.mapping:
                found_for.setdefault(reading, []).append(((not meaning.split, *meaning.rank), name))
        return chosen | {reading: min(found)[1] for reading, found in found_for.items()}


def _reading(meaning: Meaning) -> str | None:
    """Our name for what a meaning says by itself."""
    if "_" in meaning.measure:  # a whole name of ours
        return meaning.measure
    if meaning.measure in ("correlation", "coverage"):
        return f"{meaning.split or 'val'}/{meaning.measure}"  # nobody minimises them
    return f"{meaning.split}/{meaning.measure}" if meaning.split and meaning.measure in ("loss", "accuracy") else None


def named(split: str, readings: Mapping[str, T]) -> dict[str, T]:
    """Names that say of which examples they are, where the name is silent and the one who calls knows.

    Example:
        >>> named("train", {"loss": 0.5, "lr": 0.1, "val_loss": 0.7})
        {'train/loss': 0.5, 'lr': 0.1, 'val_loss': 0.7}
    """
    silent = {
        name for name in readings if (found := meaning_of(name)) and found.measure in _OF_EXAMPLES and not found.split
    }
    return {f"{split}/{name}" if name in silent else name: value for name, value in readings.items()}
