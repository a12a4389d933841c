"""Any valid component, made from its own declaration: types, ranges and choices as the fields state them."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal

from hypothesis import strategies as st

from latebloom.base.component import Component, from_dict
from latebloom.base.errors import SpecError
from latebloom.base.fields import members
from latebloom.interventions import DecaySchedule
from latebloom.models import Transformer
from latebloom.spec import RunSpec
from latebloom.tasks import Mixture, Modular, Parity, Permutation

# `${` would be an interpolation, which a recipe cannot hold.
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: "${" not in text
) | st.sampled_from(
    ["1e-4", "no", "null", "1:30", "0x10", "- a", "#", "~", "2024-01-01", "'", "a: b", "=", "{}", " x "]
)
KINDS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    RunSpec: {"name": WORDS, "measures": st.just(RunSpec.model_fields["measures"].default)},
    Modular: {"modulus": st.sampled_from([2, 3, 97, 113])},
    Parity: {"bits": st.integers(3, 12), "subset_size": st.integers(1, 3), "positions": st.none()},
    Permutation: {"degree": st.integers(2, 5)},
    Mixture: {"parts": st.just({"a": {"share": 0.3, "task": {"kind": "modular"}}})},
    DecaySchedule: {"points": st.just(((0, 0.0), (10, 0.5)))},
    Transformer: {"width": st.sampled_from([32, 128]), "heads": st.sampled_from([1, 2, 4])},
}


def components(cls: type[Component]) -> st.SearchStrategy[Component]:
    """Valid values of a component class, some fields left out."""
    own = KINDS.get(cls, {})
    fields = {
        name: own[name] if name in own else _values(f.annotation, f.metadata) for name, f in cls.model_fields.items()
    }
    required = {name: fields[name] for name, field in cls.model_fields.items() if field.is_required()}
    optional = {name: fields[name] for name in fields if name not in required}
    return (
        st.fixed_dictionaries(required, optional=optional)
        .map(lambda given: _built(cls, given))
        .filter(lambda built: built is not None)
    )


def _built(cls: type[Component], given: dict[str, Any]) -> Component | None:
    try:
        return from_dict(cls, given)
    except SpecError:  # fields that are valid alone and not together
        return None


def _values(annotation: Any, metadata: Any = ()) -> st.SearchStrategy[Any]:
    return st.one_of([_of(member, metadata) for member in members(annotation)])


def _of(kind: Any, metadata: Any) -> st.SearchStrategy[Any]:
    limits = {sign: getattr(m, sign) for m in metadata for sign in ("ge", "gt", "le", "lt") if hasattr(m, sign)}
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    if kind is types.NoneType:
        return st.none()
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(low if low is not None else -(2**40), min(high or 2**40, 2**40))
    if kind is float:
        numbers = st.floats(low, high, allow_nan=False, allow_infinity=False)
        return numbers.filter(lambda x: x != limits.get("gt") and x != limits.get("lt"))
    if kind is str:
        return WORDS
    if typing.get_origin(kind) is Literal:
        return st.sampled_from(typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return st.lists(_values(typing.get_args(kind)[0]), max_size=3).map(tuple)
    return components(kind)
