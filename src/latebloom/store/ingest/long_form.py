"""Tables in which a word says what a number is: `split=test loss=0.3`, `metric=val_acc value=0.97`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from .log import Report
from .names import axis_of, meaning_of, split_of, words_of
from .table import Rows, Table, Values

Columns = dict[str, tuple[Rows, Values]]

_OF_SPLITS = {
    *("split", "phase", "mode", "set", "subset", "stage", "dataset", "partition", "type", "kind", "prefix", "on")
}
_OF_NAMES = {"metric", "name", "tag", "key", "variable", "measure", "series", "metric_name"}
_OF_VALUES = {"value", "val", "values", "y", "metric_value", "scalar", "scalar_value", "score"}


def unfold(table: Table, columns: Mapping[str, tuple[Rows, Values]], report: Report) -> tuple[Columns, set[str]]:
    """The columns, with those that stand for several parted by the words beside them; and where these words stand."""
    unfolded, used = dict(columns), set[str]()
    words = {name: one for name, one in table.words.items() if one.places and not one.is_prose}
    of_names = [name for name in words if "_".join(words_of(name)) in _OF_NAMES]
    of_splits = [
        name for name, one in words.items() if set(words_of(name)[-1:]) & _OF_SPLITS and all(map(split_of, one.places))
    ]
    for name in [*of_names, *of_splits]:
        codes = words[name].by_row(table.count)
        if name in of_names:
            values = [one for one in unfolded if "_".join(words_of(one)) in _OF_VALUES]
        else:
            values = [one for one in unfolded if axis_of(one) is None and _has_no_split(one)]
        for one in values:
            rows, numbers = unfolded.pop(one)
            here = codes[rows]
            for word, place in words[name].places.items():
                if (chosen := here == place).any():
                    unfolded[word if name in of_names else f"{word}/{one}"] = rows[chosen], numbers[chosen]
            if (rest := here == -1).any():
                unfolded[one] = rows[rest], numbers[rest]
        if values:
            used.add(name)
            report.converted.append(f"The words of {name!r} say what the numbers beside them are: parted by them.")
    return unfolded, used


def is_long(names: Iterable[str]) -> bool:
    """Whether a table has columns in which words say what the numbers beside them are."""
    joined = {"_".join(words_of(name)) for name in names}
    return bool(joined & _OF_NAMES and joined & _OF_VALUES)


def _has_no_split(name: str) -> bool:
    meaning = meaning_of(name)
    return meaning is not None and meaning.split == "" and meaning.measure not in ("learning_rate", "weight_norm/l2")


def codes_of(table: Table, names: list[str], columns: Mapping[str, tuple[Rows, Values]]) -> tuple[Rows, list[str]]:
    """For each row, which combination of the cells of some columns it has; and the combinations in words."""
    combined = np.zeros(table.count, np.int64)
    shown = [""]
    for name in names:
        if name in table.words:
            codes, said = table.words[name].by_row(table.count), list(table.words[name].places)
        else:
            rows, values = columns[name]
            different, inverse = np.unique(values, return_inverse=True)
            codes, said = np.full(table.count, -1, np.int64), [f"{value:g}" for value in different.tolist()]
            codes[rows] = inverse
        pairs = combined * (len(said) + 1) + codes + 1
        found, combined = np.unique(pairs, return_inverse=True)
        shown = [
            f"{shown[pair // (len(said) + 1)]} {name}={['?', *said][pair % (len(said) + 1)]}".strip()
            for pair in found.tolist()
        ]
    return combined, shown
