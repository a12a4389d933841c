"""Every refusal names the place, the value, what was expected, and the next thing to try."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from latebloom.base.component import Component, from_dict, table
from latebloom.base.errors import SpecError
from latebloom.base.fields import dotted


class Left(Component):
    """A kind."""

    kind: Literal["left"] = "left"
    strength: float = Field(0.5, ge=0, lt=1, json_schema_extra={"unit": "N"})
    """How strong."""
    only_left: int = 1
    """Only here."""


class Right(Component):
    """Another kind."""

    kind: Literal["right"] = "right"
    strength: float = 0.5
    """How strong."""
    spin: bool = False
    """Whether it spins."""


Side = Annotated[Left | Right, Field(discriminator="kind")]


class Whole(Component):
    """A component of components."""

    side: Side = Left()
    """Which side."""
    steps: int | None = Field(None, ge=1, json_schema_extra={"unit": "steps"})
    """How many."""
    colour: Literal["red", "blue"] | None = None
    """Its colour."""
    named: dict[str, Left] = Field({})
    """By name."""
    listed: tuple[Left, ...] = ()
    """In a row."""


def problems(given, **more):
    with pytest.raises(SpecError) as refused:
        from_dict(Whole, given, **more)
    return refused.value.problems


WHOLE = "Known: side, steps, colour, named, listed."
LEFT = "Known: kind, strength, only_left."
A_SIDE = "one of left, right; write side.kind=right. Which side."
STRONG = "(N). How strong."
ONE_VALUE = "a run takes one value, so start one run for each. How many."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sied": 1}, "sied is unknown. Did you mean 'side'? " + WHOLE),
        (
            {"strength": 1},
            "strength is unknown. Did you mean 'side.strength'? " + WHOLE,
        ),
        ({"side.strength": 1}, "side.strength is unknown. Write side: {strength: ...}."),
        ({"side": {"kind": "lefd"}}, "side.kind = 'lefd' is unknown. Did you mean 'left'? Known: left, right."),
        ({"side": {"strength": 1}}, "side.kind is missing. Known: left, right."),
        (
            {"side": "right"},
            "side = 'right'; expected a table with a kind, " + A_SIDE,
        ),
        (
            {"side": {"kind": "left", "strenght": 0}},
            "side.strenght is unknown. Did you mean 'strength'? " + LEFT,
        ),
        (
            {"side": {"kind": "left", "spin": 1}},
            "side.spin is unknown. It belongs to kind right. Known here: " + LEFT.removeprefix("Known: "),
        ),
        (
            {"side": {"kind": "left", "strength": 1.5}},
            "side.strength = 1.5; expected a number in [0, 1) " + STRONG,
        ),
        ({"side": {"kind": "right", "spin": "x"}}, "side.spin = 'x'; expected true or false. Whether it spins."),
        ({"steps": "x"}, "steps = 'x'; expected a whole number >= 1 (steps), or null. How many."),
        ({"steps": 1.5}, "steps = 1.5; expected a whole number >= 1 (steps), or null. How many."),
        ({"steps": True}, "steps = 'true'; expected a whole number >= 1 (steps), or null. How many."),
        ({"steps": "1,2"}, "steps = '1,2'; expected a whole number >= 1 (steps), or null; " + ONE_VALUE),
        ({"colour": "bleu"}, "colour = 'bleu' is unknown. Did you mean 'blue'? Known: red, blue."),
        ({"named": {"a": {"strength": -1}}}, "named.a.strength = -1; expected a number in [0, 1) " + STRONG),
        (
            {"listed": [{}, {"strngth": 1}]},
            "listed.1.strngth is unknown. Did you mean 'strength'? " + LEFT,
        ),
        ({"listed": {"0": {}}}, "listed = {'0': {}}; expected a list, given whole. In a row."),
        ({"side": {"kind": "right", "strength": float("nan")}}, "side.strength = nan; expected a number. How strong."),
    ],
)
def test_a_refusal_names_place_value_expectation_and_what_to_do(given, message):
    assert problems(given) == [message]


def test_all_problems_are_told_at_once_and_in_order():
    told = problems({"side": {"kind": "left", "strength": 7, "x": 1}, "steps": 0, "colour": 3, "y": 1})
    assert [one.split()[0] for one in told] == ["side.strength", "side.x", "steps", "colour", "y"]


def test_a_problem_cites_the_line_of_its_key_or_else_of_the_table_around_it():
    lines = {"side": "my.yaml:3", "side.kind": "my.yaml:4", "side.strength": "my.yaml:5", "steps": ""}
    told = problems({"side": {"kind": "left", "strength": 7, "x": 1}, "steps": 0, "y": 1}, lines=lines)
    assert [one.rpartition(" (my.yaml")[2] for one in told[:2]] == [":5)", ":3)"]
    assert not any("my.yaml" in one for one in told[2:])  # changed elsewhere, or unknown to the file


def test_an_endless_value_is_cut():
    assert len(problems({"colour": "x" * 5000, "steps": "y" * 5000})[1]) < 200


def test_a_prefix_is_put_before_every_place():
    assert problems({"steps": 0}, where="the spec")[0].startswith("the spec.steps = 0; ")


def test_components_with_equal_fields_are_equal_and_cannot_be_changed():
    assert Left(strength=0.1) == Left().but(strength=0.1) and hash(Left()) == hash(Left())
    with pytest.raises(Exception, match="frozen"):
        Left().strength = 0.2


def test_a_changed_copy_is_validated():
    with pytest.raises(SpecError, match="strength = 2"):
        Left().but(strength=2)


def test_a_family_is_read_off_its_union():
    assert table(Side) == {"left": Left, "right": Right} and table(Left) == {"left": Left} and table(int) == {}


def test_dotted_keys_are_all_that_can_be_set():
    assert list(dict.fromkeys(dotted(Whole))) == [
        "side", "side.kind", "side.strength", "side.only_left", "side.spin", "steps", "colour", "named", "listed",
    ]  # fmt: skip
