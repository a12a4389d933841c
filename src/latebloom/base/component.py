"""A component is a frozen value: its fields are its configuration, its docstring its card, its `kind` its name."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from .errors import SpecError
from .explain import explain
from .fields import did_you_mean, members, spelt_out, table

__all__ = ["Component", "did_you_mean", "from_dict", "spelt_out", "table"]

T = TypeVar("T")


class Component(BaseModel):
    """Base of everything a recipe can name. Equal fields mean equal components."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, given: Any) -> Any:
        # As text it is refused by the field itself, together with all other errors; as it is, Python counts it as 1.
        numbers = {n for n, f in cls.model_fields.items() if {int, float} & {*members(f.annotation)}}
        if isinstance(given, dict):
            return {k: str(v).lower() if isinstance(v, bool) and k in numbers else v for k, v in given.items()}
        return given

    def but(self, **changes: Any) -> Self:
        """The same component with some fields changed, validated again."""
        return from_dict(type(self), {**self.model_dump(), **changes})


def from_dict(kind_of: type[T] | Any, given: Any, where: str = "", lines: Mapping[str, str] | None = None) -> T:
    """Build a component, or a member of a union of components, from plain data.

    Args:
        kind_of: A `Component` class, or an annotated union of them.
        given: Field names to plain values, nested as in a recipe.
        where: Prefix of every place named in an error, e.g. `optimizer`.
        lines: Where dotted keys of `given` were written, e.g. `{"optimizer.eps": "my.yaml:12"}`; errors cite them.

    Raises:
        SpecError: With one line per problem: the place, the value, what was expected, a near miss if there is one.
    """
    try:
        return typing.cast(T, TypeAdapter(kind_of).validate_python(given))
    except ValidationError as error:
        raise SpecError(explain(error, kind_of, where, lines or {})) from None
