"""What a component can be told, read off its declaration: the keys, the kinds of a family, a near miss."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any


def table(union: Any) -> dict[str, Any]:
    """The members of a family by `kind`, read off the family's union (or its single member).

    Example: `table(AdamW | Sgd)` is `{"adamw": AdamW, "sgd": Sgd}`; what is no family has an empty table.
    """
    classes = [member for member in members(union) if member is not types.NoneType]
    if not all("kind" in getattr(member, "model_fields", ()) for member in classes):
        return {}
    return {member.model_fields["kind"].default: member for member in classes}


def spelt_out(given: Any) -> Any:
    """A list in which a word stands for the member of that kind with its defaults, as its `{kind: word}`."""
    return [{"kind": one} if isinstance(one, str) else one for one in given] if isinstance(given, list) else given


def members(union: Any) -> tuple[Any, ...]:
    """The types that a union allows; a single type allows itself."""
    while typing.get_origin(union) is Annotated:
        union = typing.get_args(union)[0]
    return typing.get_args(union) if typing.get_origin(union) in (types.UnionType, typing.Union) else (union,)


def dotted(kind_of: Any, prefix: str = "") -> Iterator[str]:
    """Every key that can be set in a component, e.g. `optimizer.weight_decay`; lists and named parts are one key."""
    for member in members(kind_of):
        for name, field in getattr(member, "model_fields", {}).items():
            yield f"{prefix}{name}"
            yield from dotted(field.annotation, f"{prefix}{name}.")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'? Known: ...`, ready to be appended to a message."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"{hint} Known: {', '.join(known)}."
