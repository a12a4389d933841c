"""What `key=value` does to a recipe: exactly what the same words in the file would do, or an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latebloom.base.errors import SpecError
from latebloom.spec import assigned, build, merged, parse_recipe, plain, read_recipe

RECIPE = "name: x\ntask: {kind: modular, modulus: 11}\noptimizer: {kind: adamw, learning_rate: 1e-3, beta2: 0.9}\n"

KEYS = st.sampled_from(["a", "b", "c"])
TREES = st.recursive(
    st.dictionaries(KEYS, st.integers()), lambda inner: st.dictionaries(KEYS, st.integers() | inner), max_leaves=8
)


def problems(*assignments, recipe=RECIPE):
    with pytest.raises(SpecError) as refused:
        build(parse_recipe(recipe, "my.yaml"), assignments)
    return refused.value.problems


@given(TREES)
def test_merging_nothing_changes_nothing(tree):
    assert merged(tree, {}) == tree and merged({}, tree) == tree and merged(tree, tree) == tree


@given(TREES, TREES)
def test_what_lies_over_wins_and_again_changes_nothing(under, over):
    once = merged(under, over)
    assert merged(once, over) == once


@given(TREES, TREES)
def test_merging_leaves_both_sides_as_they_were(under, over):
    import copy

    before = copy.deepcopy((under, over))
    merged(under, over)
    assert (under, over) == before


def leaves(tree, prefix=""):
    for key, value in tree.items():
        yield from (
            leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [(f"{prefix}{key}", value)]
        )


@pytest.mark.parametrize("order", [1, -1])
def test_a_setting_that_another_one_makes_void_is_refused_in_any_order(order):
    assert "beta2" in problems(*["optimizer.beta2=0.9", "optimizer.kind=sgd"][::order])[0]
    assert build(parse_recipe(RECIPE, "my.yaml"), ["optimizer.kind=sgd"]).optimizer.kind == "sgd"  # the recipe's own go
    with pytest.raises(SpecError, match="beta2"):
        build(parse_recipe(RECIPE, "my.yaml"), ["optimizer.beta2=0.5"], {"optimizer": {"kind": "sgd"}})


@given(TREES)
def test_assignments_are_nested_tables(tree):
    assert assigned([f"{key}={{}}" if value == {} else f"{key}={value}" for key, value in leaves(tree)]) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("0.3", 0.3),
        ("7", 7),
        ("1e5", 1e5),
        ("null", None),
        ("true", True),
        ("'5'", "5"),
        ("a b", "a b"),
        ("[1, 2]", [1, 2]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("a=b", "a=b"),
        ("''", ""),
        ("1,2", "1,2"),
        ("ä", "ä"),
    ],
)
def test_a_value_is_read_as_yaml_with_numbers_as_people_write_them(text, value):
    read = assigned([f"x={text}"])["x"]
    assert read == value and type(read) is type(value)


def test_an_assignment_does_what_the_same_words_in_the_file_do():
    by_hand = RECIPE.replace("1e-3", "5e-4").replace("name: x", "name: x\nseed: 3")
    assert build(parse_recipe(RECIPE, ""), ["optimizer.learning_rate=5e-4", "seed=3"]) == build(
        parse_recipe(by_hand, "")
    )


def test_a_table_the_recipe_leaves_out_changes_in_the_one_setting_only():
    recipe = parse_recipe("task: {kind: modular}", "")
    before, after = (
        plain(build(recipe)),
        plain(build(recipe, ["optimizer.learning_rate=0.5", "evaluation.per_decade=3"])),
    )
    assert after.pop("optimizer") == {**before.pop("optimizer"), "learning_rate": 0.5}
    assert after.pop("evaluation") == {**before.pop("evaluation"), "per_decade": 3}
    assert after == before


def test_another_kind_keeps_common_settings_and_drops_the_others():
    spec = build(parse_recipe(RECIPE, ""), ["optimizer.kind=sgd", "optimizer.momentum=0.9", "model.kind=mlp"])
    assert (spec.optimizer.kind, spec.optimizer.learning_rate, spec.optimizer.momentum) == ("sgd", 1e-3, 0.9)
    assert (spec.model.kind, spec.model.width, spec.model.depth) == ("mlp", 128, 2)
    assert build(parse_recipe(RECIPE, ""), ["task.kind=permutation"]).task.degree == 5
    assert build(read_recipe("demo"), ["stopping.kind=never"]).stopping.kind == "never"


def test_settings_from_python_win_over_assignments():
    spec = build(parse_recipe(RECIPE, ""), ["seed=3", "optimizer.beta2=0.5"], {"seed": 4, "optimizer": {"beta1": 0.1}})
    assert (spec.seed, spec.optimizer.beta1, spec.optimizer.beta2, spec.optimizer.learning_rate) == (4, 0.1, 0.5, 1e-3)


ITSELF = "write the value itself"
EXPECTED = "expected key=value, e.g. optimizer.weight_decay=0.3"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("steps", f"'steps' is no setting; {EXPECTED}"),
        ("=3", f"'=3' is no setting; {EXPECTED}"),
        ("a..b=3", f"'a..b=3' is no setting; {EXPECTED}"),
        ("steps=", f"steps has no value; {EXPECTED}. Nothing is written null, an empty text ''."),
        ("x=[1", "x = '[1' is no YAML value: expected ',' or ']', but got '<stream end>'"),
        (
            "x=${e}",
            "x = '${e}' is no YAML value: interpolations such as ${...} are not supported; " + ITSELF,
        ),
    ],
)
def test_what_is_no_assignment_is_refused(assignment, message):
    assert problems(assignment) == [message]


def test_the_same_key_with_two_values_is_an_error_that_names_both():
    assert problems("steps=5", "steps=6") == ["steps is given twice, as 5 and as 6; keep one of them"]
    assert build(parse_recipe(RECIPE, ""), ["steps=5", "steps=5"]).steps == 5


def test_a_changed_setting_is_not_blamed_on_the_file():
    told = problems("optimizer.learning_rate=-1", "model.heads=5", recipe=RECIPE.replace("11", "12"))
    assert [one.endswith("(my.yaml:2)") for one in told] == [True, False, False]


@pytest.mark.parametrize(
    ("key", "kinds"), [("measures", ["evaluation", "sharpness"]), ("stopping.rules", ["collapsed", "patient"])]
)
def test_a_word_in_a_list_of_components_stands_for_the_one_with_its_defaults(key, kinds):
    recipe = parse_recipe(RECIPE + "stopping: {kind: any_of}\n", "my.yaml")
    words = build(recipe, [f"{key}=[{', '.join(kinds)}]"])
    assert words == build(recipe, [f"{key}=[{', '.join(f'{{kind: {kind}}}' for kind in kinds)}]"])
    assert words != build(recipe, [f"{key}=[{kinds[0]}]"])
