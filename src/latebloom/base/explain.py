"""Pydantic's errors in our words: the place, the value given, what was expected, and the next thing to try."""

from __future__ import annotations

import difflib
import reprlib
import types
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from .fields import did_you_mean, dotted, members, table


def explain(error: ValidationError, kind_of: Any, where: str, lines: Mapping[str, str]) -> list[str]:
    """One line per problem.

    Args:
        error: What pydantic found in a `kind_of`.
        kind_of: A component class, or a union of them.
        where: Prefix of every place named.
        lines: Where dotted keys were written, e.g. `{"optimizer.eps": "my.yaml:12"}`.
    """
    told = []
    for one in error.errors():
        spot = _locate(one["loc"], kind_of)
        place = [*spot.place, "kind"] if one["type"].startswith("union_tag") else spot.place
        told.append(_explain(one, spot, kind_of, where) + _cited(place, lines))
    return told


class _Spot(NamedTuple):
    """Where an error sits, in the user's names."""

    place: list[str]  # pydantic's path without union tags
    owner: type[BaseModel] | None  # the class around it
    family: dict[str, Any]  # the owner's family, by kind
    field: FieldInfo | None  # None: no field of the owner
    annotation: Any  # of the value there


def _locate(loc: tuple[int | str, ...], kind_of: Any) -> _Spot:
    place: list[str] = []
    owner: type[BaseModel] | None = None
    family: dict[str, Any] = {}
    field: FieldInfo | None = None
    for part in loc:
        kinds = table(kind_of)
        if len(kinds) > 1 and part in kinds:  # a union's tag, not a name the user wrote
            kind_of, family = kinds[str(part)], kinds
            continue
        classes = [member for member in members(kind_of) if member is not types.NoneType]
        kind_of = classes[0] if len(classes) == 1 else Any
        if isinstance(kind_of, type) and issubclass(kind_of, BaseModel):
            owner, field = kind_of, kind_of.model_fields.get(str(part))
            family = family if kind_of in family.values() else {}
            kind_of = field.annotation if field else Any
        elif typing.get_args(kind_of):  # an element of a list or a named part
            kind_of, field = next(a for a in reversed(typing.get_args(kind_of)) if a is not Ellipsis), None
        place.append(str(part))
    return _Spot(place, owner, family, field, kind_of)


def _explain(one: Any, spot: _Spot, root: Any, where: str) -> str:
    """One pydantic error as one line in our own words."""
    name, value = ".".join([where] * bool(where) + spot.place) or "this", one["input"]
    docs = " ".join((spot.field.description or "").split()) if spot.field else ""
    match one["type"]:
        case "extra_forbidden":
            return f"{name} is unknown.{_near_key(spot, root)}"
        case "missing":
            return f"{name} is missing. {docs}".rstrip()
        case "union_tag_not_found":
            return f"{name}.kind is missing.{did_you_mean('', table(spot.annotation))}"
        case "union_tag_invalid":
            tag = one["ctx"]["tag"]
            return f"{name}.kind = {_shown(tag)} is unknown.{did_you_mean(tag, table(spot.annotation))}"
        case "literal_error":
            known = [str(word) for m in members(spot.annotation) for word in typing.get_args(m)]
            return f"{name} = {_shown(value)} is unknown.{did_you_mean(str(value), known)}"
        case "value_error":
            told = str(one["ctx"]["error"])
            if not spot.place and not where:
                return told
            return f"{name} = {told}" if told.startswith(f"{value} ") else f"{name}: {told}"
    expected = _expected(spot, value) or one["msg"].removeprefix("Input should be ")
    return f"{name} = {_shown(value)}; expected {expected}. {docs}".rstrip()


def _near_key(spot: _Spot, root: Any) -> str:
    """What an unknown key may have meant: a field beside it, of another kind, or deeper down."""
    word, fields = spot.place[-1], list(spot.owner.model_fields) if spot.owner else []
    if others := [kind for kind, member in spot.family.items() if word in member.model_fields]:
        return f" It belongs to kind {' and '.join(others)}. Known here: {', '.join(fields)}."
    everywhere = [] if difflib.get_close_matches(word, fields, n=1, cutoff=0.7) else [*dict.fromkeys(dotted(root))]
    if word in everywhere:
        *tables, key = word.split(".")
        return f" Write {': {'.join([*tables, key])}: ...{'}' * len(tables)}."
    if deeper := [key for key in everywhere if key.rpartition(".")[2] == word]:
        return f" Did you mean {' or '.join(repr(key) for key in deeper[:3])}? Known: {', '.join(fields)}."
    return did_you_mean(word, fields)


def _expected(spot: _Spot, value: Any) -> str:
    """What a field takes: type, range, unit; empty if only pydantic can tell."""
    if kinds := table(spot.annotation):
        hint = f"; write {spot.place[-1]}.kind={value}" if value in kinds and spot.place else ""
        return f"a table with a kind, one of {', '.join(kinds)}{hint}"
    classes = members(spot.annotation)
    words = [word for kind, word in _WORDS.items() if kind in {typing.get_origin(c) or c for c in classes}]
    if not words:
        fields = [name for c in classes for name in getattr(c, "model_fields", ())]
        return f"a table with some of {', '.join(fields)}" if fields else ""
    unit = (spot.field.json_schema_extra or {}).get("unit") if spot.field else None  # type: ignore[union-attr]
    told = words[0] + _range(spot.field) + (f" ({unit})" if unit else "")
    told += ", or null" if types.NoneType in classes else ""
    if isinstance(value, str) and "," in value and words[0] in ("a number", "a whole number"):
        told += "; a run takes one value, so start one run for each"
    return told


_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text (a number as text needs quotes within the quotes: '\"5\"')",
    tuple: "a list, given whole",
    dict: "a table",
}


def _range(field: FieldInfo | None) -> str:
    """` in [0, 1)`, ` >= 1`, or nothing."""
    limits = {sign: getattr(m, sign) for m in (field.metadata if field else ()) for sign in _SIGNS if hasattr(m, sign)}
    if limits.get("lt", 0) >= 2**31:  # a limit of the machine, nothing to tell a reader
        del limits["lt"]
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    if low is not None and high is not None:
        return f" in {'[' if 'ge' in limits else '('}{low}, {high}{']' if 'le' in limits else ')'}"
    return "".join(f" {_SIGNS[sign]} {limit}" for sign, limit in limits.items())


_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def _shown(value: Any) -> str:
    """A value as it was written, cut where it would fill the screen."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = 60
    return short.repr(value)


def _cited(place: list[str], lines: Mapping[str, str]) -> str:
    """` (my.yaml:12)`: the line of the place, or of the innermost table around it that has one."""
    for length in range(len(place), 0, -1):
        if (line := lines.get(".".join(place[:length]))) is not None:
            return f" ({line})" if line else ""
    return ""
