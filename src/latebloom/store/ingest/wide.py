"""Several runs side by side in one table: `adamw_train_acc, adamw_test_acc, sgd_train_acc, ...`.

Columns of one run have the same words left over when those that name examples and measures are taken away. Training of
one run is never put beside validation of another.
"""

from __future__ import annotations

from collections.abc import Mapping

from .log import Report, some
from .names import MEASURES, SPLITS, is_noise, meaning_of, words_of
from .runs import KEYS, choose
from .series import Series

_CONTROL = {"run", "step"}
_NAMED = {  # arms that people compare
    *("adam", "adamw", "sgd", "muon", "lion", "rmsprop", "grokfast", "ema", "baseline", "control", "treatment", "ours"),
    *("orthograd", "stablemax", "mlp", "transformer", "lstm", "cnn"),
}


def one_run(series: Mapping[str, Series], mapping: Mapping[str, str], report: Report) -> dict[str, Series]:
    """The columns without those of other runs.

    Where the words that are left over may be parts of one run as well (`box` and `cls` losses), the first is taken,
    and that is said.

    Raises:
        DataError: There are several runs and none was chosen.
    """
    if mapping.keys() - _CONTROL:
        return dict(series)  # somebody named whole columns
    groups = dict[str, dict[str, str]]()  # words left over -> column -> what it measures
    for name in series:
        meaning = meaning_of(name)
        if meaning and meaning.split and meaning.measure:
            groups.setdefault(_left_over(name), {})[name] = f"{meaning.split} {meaning.measure}"
    pairs = {run: set(columns.values()) for run, columns in groups.items() if _has_pair(set(columns.values()))}
    runs = [run for run in pairs if any(pairs[run] & pairs[other] for other in pairs if other != run)]
    if len(runs) < 2 or "" in runs:
        return dict(series)
    wanted = mapping.get("run")
    if wanted is not None and not any(wanted in run for run in runs):
        wanted = runs[0]  # it was chosen before, by something else
    are_keys = all(map(_is_key, runs))
    if wanted is None and not are_keys:
        wanted = runs[0]
        report.notes.append(f"There are columns of {some(runs)}; those of {wanted!r} are read. --run chooses another.")
    run = choose(runs, {} if wanted is None else {"run": wanted}, "The log, by the names of its columns,")
    others = {
        name
        for other in groups.keys() - {run}
        for name, measured in groups[other].items()
        if are_keys or measured in pairs[run]
    }
    report.counts[f"columns beside those of {run!r}"] += len(others)
    return {name: one for name, one in series.items() if name not in others}


def _left_over(name: str) -> str:
    words = words_of(name)
    if len(words) == 2:  # A_tr: the letter stands for the measure
        words = tuple(word for word in words if len(word) > 1)
    left = [word for word in words if word not in SPLITS and word not in MEASURES]
    return " ".join(word for word in left if word.isdigit() or not is_noise(word))


def _has_pair(measured: set[str]) -> bool:
    return any(f"train {one.partition(' ')[2]}" in measured for one in measured if one.startswith("val "))


def _is_key(run: str) -> bool:
    words = set(run.split())
    return bool(words & (KEYS | _NAMED)) or any(word.rstrip("0123456789.") in KEYS | {""} for word in words)
