"""A component is a frozen value: its fields are its configuration, its docstring its card, its `kind` its name."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from .errors import SpecError

T = TypeVar("T")


class Component(BaseModel):
    """Base of everything a recipe can name. Equal fields mean equal components."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)

    def but(self, **changes: Any) -> Self:
        """The same component with some fields changed, validated again."""
        return from_dict(type(self), {**self.model_dump(), **changes})


def table(union: Any) -> dict[str, type[Component]]:
    """The members of a family by `kind`, read off the family's union (or its single member).

    Example: `table(AdamW | Sgd)` is `{"adamw": AdamW, "sgd": Sgd}`.
    """
    return {member.model_fields["kind"].default: member for member in _members(union)}


def from_dict(kind_of: type[T] | Any, given: Mapping[str, Any], where: str = "") -> T:
    """Build a component, or a member of a union of components, from plain data.

    Args:
        kind_of: A `Component` class, or an annotated union of them.
        given: Field names to plain values, nested as in a recipe.
        where: Prefix of every place named in an error, e.g. `optimizer`.

    Raises:
        SpecError: With one line per problem: the place, the value, what was expected, a near miss if there is one.
    """
    try:
        return typing.cast(T, TypeAdapter(kind_of).validate_python(given))
    except ValidationError as error:
        raise SpecError([_explain(one, kind_of, given, where) for one in error.errors()]) from None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'? Known: ...`, ready to be appended to a message."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"{hint} Known: {', '.join(known)}."


def _explain(one: Any, kind_of: Any, given: Any, where: str) -> str:
    """One pydantic error as one line in our own words."""
    place, owner, docs, there = _locate(one["loc"], kind_of, given)
    name = ".".join([where] * bool(where) + place) or "this"
    value, ctx = one["input"], one.get("ctx", {})
    match one["type"]:
        case "extra_forbidden":
            return f"{name} is unknown.{did_you_mean(place[-1], owner.model_fields if owner else ())}"
        case "missing":
            return f"{name} is missing. {docs}".rstrip()
        case "union_tag_not_found":
            return f"{name}.kind is missing.{did_you_mean('', table(there))}"
        case "union_tag_invalid":
            return f"{name}.kind = {ctx['tag']!r} is unknown.{did_you_mean(str(ctx['tag']), table(there))}"
        case "literal_error":
            known = [word.strip(" '") for word in ctx["expected"].replace(" or ", ",").split(",")]
            return f"{name} = {value!r} is unknown.{did_you_mean(str(value), known)}"
        case "value_error":
            told = str(ctx["error"])
            if not place and not where:
                return told
            return f"{name} = {told}" if told.startswith(f"{value} ") else f"{name}: {told}"
    expected = one["msg"].removeprefix("Input should be ")
    return f"{name} = {value!r}; expected {expected}. {docs}".rstrip()


def _locate(loc: tuple[int | str, ...], kind_of: Any, given: Any) -> tuple[list[str], Any, str, Any]:
    """Where an error sits, in the user's names: pydantic's path without union tags, the class around it, the card."""
    place: list[str] = []
    owner, docs = None, ""
    for part in loc:
        kind_of = _inner(kind_of)
        members = _members(kind_of)
        tags = table(kind_of) if all("kind" in getattr(m, "model_fields", ()) for m in members) else {}
        if len(members) > 1 and part in tags:  # a union's tag, not a name the user wrote
            kind_of = tags[str(part)]
            continue
        if isinstance(kind_of, type) and issubclass(kind_of, BaseModel):
            owner, field = kind_of, kind_of.model_fields.get(str(part))
            if field is None and not (isinstance(given, Mapping) and part in given):
                continue
            kind_of, docs = (field.annotation, field.description or "") if field else (Any, "")
        elif typing.get_args(kind_of):
            kind_of = next(a for a in reversed(typing.get_args(kind_of)) if a is not Ellipsis)
        given = given[part] if isinstance(given, Mapping) and part in given else None
        place.append(str(part))
    return place, owner, " ".join(docs.split()), _inner(kind_of)


def _inner(kind_of: Any) -> Any:
    """An annotation without `Annotated[...]` and `| None`."""
    while typing.get_origin(kind_of) is Annotated:
        kind_of = typing.get_args(kind_of)[0]
    members = [m for m in _members(kind_of) if m is not types.NoneType]
    return members[0] if len(members) == 1 and len(_members(kind_of)) > 1 else kind_of


def _members(union: Any) -> tuple[Any, ...]:
    while typing.get_origin(union) is Annotated:
        union = typing.get_args(union)[0]
    return typing.get_args(union) if typing.get_origin(union) in (types.UnionType, typing.Union) else (union,)
