"""Which arm a run belongs to: what was set on purpose, but for the seed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...base.errors import SpecError

SEED = "seed"
ONLY = "all"  # the arm of runs that differ in their seed alone
MISSING = object()

# `l1_seed3`, `l1-s3`, `l1/seed_3`, `l1/3`, `l1 seed=3`; not `tasks3`, not `v3`
_SEED_AT_END = re.compile(r"(?:(?:^|[\s,./_-]+)(?:seed|s)[\s=_-]?|/)(\d{1,9})$", re.IGNORECASE)


def split_seed(name: str) -> tuple[str, int | None]:
    """A name without the seed at its end, and that seed; None if it has none.

    Example:
        >>> split_seed("l1_seed3"), split_seed("wd 0.1/s12"), split_seed("resnet18")
        (('l1', 3), ('wd 0.1', 12), ('resnet18', None))
    """
    found = _SEED_AT_END.search(name)
    return (name[: found.start()] or ONLY, int(found[1])) if found else (name, None)


def arm_of(label: Mapping[str, Any], spec: Mapping[str, Any], by: Sequence[str] = ()) -> str:
    """The name of the arm that a run with this label and spec belongs to.

    Args:
        label: What distinguishes the run in its study, e.g. {"arm": "l1", "seed": 3}.
        spec: Its settings, nested.
        by: Keys of either that tell arms apart; by default everything in the label but the seed.

    Example:
        >>> arm_of({"arm": "l1", "seed": 3}, {})
        'l1'
        >>> arm_of({}, {"optimizer": {"learning_rate": 0.1}, "interventions": []}, ["interventions"])
        'none'
    """
    keys = by or [key for key in label if key != SEED]
    return ", ".join(_named(key, value_of(key, label, spec)) for key in keys) or ONLY


def value_of(key: str, label: Mapping[str, Any], spec: Mapping[str, Any]) -> Any:
    """The value of a key of the label, or of a dotted key of the spec; `MISSING` if it is in neither."""
    if key in label:
        return label[key]
    value: Any = spec
    for word in key.split("."):
        if isinstance(value, Mapping) and word in value:
            value = value[word]
        elif isinstance(value, list) and word.isdecimal() and int(word) < len(value):
            value = value[int(word)]
        else:
            return MISSING
    return value


def text_of(value: Any) -> str:
    """A setting in a word or two: components by their kind, `grokfast_ema+l1`, an empty list as `none`."""
    if value is None or value is MISSING or value == []:
        return "none"
    if isinstance(value, list):
        return "+".join(map(text_of, value))
    if isinstance(value, Mapping):
        return str(value["kind"]) if "kind" in value else ", ".join(f"{k}={text_of(v)}" for k, v in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_wanted(value: Any, wanted: str) -> bool:
    """Whether a setting is one of those that `0..3`, `0.1,0.3` or `l1` means.

    Example:
        >>> is_wanted(3, "0..3"), is_wanted(0.1, "1e-1,0.3"), is_wanted("a, b", "a, b"), is_wanted([], "l1")
        (True, True, True, False)
    """
    for one in (wanted, *wanted.split(",")):
        ends = re.fullmatch(r"\s*(\d+)\.\.(\d+)\s*", one)
        if ends and isinstance(value, int) and int(ends[1]) <= value <= int(ends[2]):
            return True
        if text_of(value) == one.strip() or (isinstance(value, int | float) and _number(one) == value):
            return True
    return False


def restrictions(words: Sequence[str]) -> dict[str, list[str]]:
    """`KEY=VALUE` of a command line, by key.

    Raises:
        SpecError: A word has no `=`.
    """
    told: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise SpecError(f"where = {word!r}; expected KEY=VALUE, e.g. seed=0..3 or arm=l1")
        told.setdefault(key, []).append(value)
    return told


def short_names(arms: Sequence[str]) -> dict[str, str]:
    """Each arm as it is shown: keys by their last word, as long as no two arms are then alike.

    Example:
        >>> short_names(["optimizer.weight_decay=0.1", "optimizer.weight_decay=1"])
        {'optimizer.weight_decay=0.1': 'weight_decay=0.1', 'optimizer.weight_decay=1': 'weight_decay=1'}
    """
    short = {arm: re.sub(r"(?:\w+\.)+(?=\w+=)", "", arm) for arm in arms}
    return short if len(set(short.values())) == len(short) else {arm: arm for arm in arms}


def _named(key: str, value: Any) -> str:
    speaks_alone = key == "arm" or isinstance(value, list | Mapping)
    return text_of(value) if speaks_alone else f"{key}={text_of(value)}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
