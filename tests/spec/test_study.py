"""A study as a value: read from a file or a command line, refused with lines, and the same when written and read."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from latebloom.base.errors import SpecError
from latebloom.base.label import why_no_label
from latebloom.spec import Study, is_study, parse_study, read_recipe, read_study, study_of
from latebloom.spec.dotted import leaves, nested
from spec.strategies import WORDS

quick = settings(max_examples=25, deadline=None)

FILE = """
name: norms-on-S5
about: {title: A penalty on weights}
recipe: permutation-s5
settings: {task: {train_fraction: 0.4}, batch.size: 256}
arms:
  baseline: {}
  heavy: {optimizer.weight_decay: 5}
axes:
  seed: 0..7
  optimizer.learning_rate: [1e-3, 2e-3]
zip:
  - {steps: "20000,10000", evaluation.every: [200, 100]}
"""


def refusal(text, where="my.yaml"):
    with pytest.raises(SpecError) as refused:
        parse_study(text, where)
    return refused.value.problems


def test_a_file_says_what_a_study_is():
    assert parse_study(FILE, "my.yaml") == Study(
        name="norms-on-S5",
        recipe="permutation-s5",
        about={"title": "A penalty on weights"},
        settings={"task": {"train_fraction": 0.4}, "batch": {"size": 256}},
        arms={"baseline": {}, "heavy": {"optimizer": {"weight_decay": 5}}},
        axes=(
            {"seed": [0, 1, 2, 3, 4, 5, 6, 7]},
            {"optimizer.learning_rate": [1e-3, 2e-3]},
            {"steps": [20000, 10000], "evaluation.every": [200, 100]},
        ),
    )
    assert parse_study(FILE, "my.yaml").size == 2 * 8 * 2 * 2


@pytest.mark.parametrize(
    "axes",
    [
        "axes: {seed: '0,1', steps: [5, 6]}",
        "axes: [{seed: 0..1}, {steps: '5,6'}]",
        "zip: [{seed: [0, 1]}, {steps: '5..6'}]",
        "zip: {seed: 0..1}\naxes: {steps: 5..6}",
    ],
)
def test_axes_stand_in_the_order_of_the_file_however_they_are_written(axes):
    assert parse_study(f"recipe: demo\n{axes}", "").axes == ({"seed": [0, 1]}, {"steps": [5, 6]})


def test_a_value_that_is_no_text_is_taken_as_it_is():
    axes = "axes: {a: 5, b: null, c: [1..3, [x, y]], d: x, e: [[]]}"
    assert parse_study(f"recipe: demo\n{axes}", "").axes == (
        *({"a": [5]}, {"b": [None]}, {"c": ["1..3", ["x", "y"]]}, {"d": ["x"]}, {"e": [[]]}),
    )


def test_the_command_line_describes_the_same_study_as_a_file():
    words = ["steps=500", "optimizer.weight_decay=log(0.1,10,3)", "zip(seed=1,2; task.split_seed=3,4)", "batch.size=8"]
    file = "recipe: demo\nsettings: {steps: 500, batch: {size: 8}}\naxes: {optimizer.weight_decay: 'log(0.1,10,3)'}\n"
    assert study_of("demo", words) == parse_study(f"{file}zip: {{seed: '1,2', task.split_seed: '3,4'}}", "my.yaml")
    assert study_of("demo", [*words, "name=mine"]) == study_of("demo", words, name="mine")
    assert study_of("demo", ["zip(a=1; b=2)", "seed=0..1"]).settings == {"a": 1, "b": 2}


def test_the_default_name_is_readable_and_hashes_the_content_and_nothing_else(tmp_path):
    study = study_of("modular-division", ["optimizer.weight_decay=log(0.01,1,5)", "seed=0..9", "batch.size=8"])
    content = {
        "name": None,
        "about": None,
        "recipe": read_recipe("modular-division").settings,
        "settings": {"batch": {"size": 8}},
        "arms": {},
        "axes": [{"optimizer.weight_decay": [0.01, 0.03162, 0.1, 0.3162, 1]}, {"seed": [*range(10)]}],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert study.name == f"modular-division-weight_decay-seed-{digest[:6]}"
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.yaml").write_text("extends: demo\nsteps: 7\n")
    names = [study_of(str(tmp_path / folder / "mine.yaml"), ["seed=0..3"]).name for folder in ("here", "there")]
    assert names[0] == names[1] and names[0].startswith("mine-seed-")
    (tmp_path / "there" / "mine.yaml").write_text("extends: demo\nsteps: 8\n")
    assert study_of(str(tmp_path / "there" / "mine.yaml"), ["seed=0..3"]).name != names[0]


def test_any_file_can_be_swept_without_a_name_and_a_name_that_no_folder_can_have_is_refused(tmp_path):
    path = tmp_path / "Müllers erste.yaml"
    path.write_text("extends: demo\n")
    assert re.fullmatch(r"M-llers-erste-seed-[0-9a-f]{6}", study_of(str(path), ["seed=0..3"]).name)
    with pytest.raises(SpecError, match="a study cannot be called 'a b'; use up to 100 letters"):
        study_of("demo", ["name=a b", "seed=0..3"])


def test_any_default_name_is_a_label():
    keys = [f"table.{letter * 30}" for letter in "abcdef"]
    for axes in (["a/b=1,2"], [f"{key}=1,2" for key in keys], ["a\u2028=1,2"], []):
        assert why_no_label(study_of("demo", axes).name) is None


TREES = st.dictionaries(
    WORDS.filter(lambda word: "." not in word),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["kind", "x", "1e5"]), inner),
        max_leaves=4,
    ),
    max_size=2,
).filter(lambda tree: "name" not in tree)


@quick
@given(TREES, TREES, st.lists(st.integers(-5, 5) | WORDS, min_size=1, max_size=5, unique_by=json.dumps))
@example({"1e-4": "1e-4"}, {}, ["0..9", "a,b"])
def test_written_and_read_a_study_is_the_same(common, arm, values):
    study = Study("x", "demo", {"title": "1e-4"}, common, {"one": arm, "two": {}}, ({"a.b": values, "c": values},))
    assert Study.from_plain(json.loads(json.dumps(study.plain()))) == study
    assert repr(parse_study(study.to_yaml(), "again.yaml")) == repr(study)


def test_what_plain_tells_is_a_copy():
    study = parse_study(FILE, "my.yaml")
    study.plain()["settings"]["task"].clear()
    assert study == parse_study(FILE, "my.yaml")


def test_the_path_of_a_recipe_starts_from_the_folder_of_the_study(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text("extends: demo\nsteps: 7\n")
    (tmp_path / "studies" / "study.yaml").write_text("recipe: mine.yaml\naxes: {seed: 0..3}\n")
    monkeypatch.chdir(tmp_path)
    assert read_study("studies/study.yaml").base().settings["steps"] == 7
    with pytest.raises(SpecError, match=r"recipe 'mine\.yaml' cannot be read: No such file"):
        parse_study("recipe: mine.yaml\naxes: {seed: 0..3}\n", "study.yaml")


def test_a_study_is_told_from_a_recipe_by_its_keys():
    assert not is_study(read_recipe("demo").settings)
    for text in ("recipe: demo", "arms: {}", "axes: {}", "zip: []"):
        assert is_study({text.partition(":")[0]: None})


def test_a_study_of_a_study_is_refused(tmp_path):
    (tmp_path / "study.yaml").write_text("recipe: demo\naxes: {seed: 0..3}\n")
    with pytest.raises(SpecError, match="is a study itself; expected the recipe of one run"):
        study_of(str(tmp_path / "study.yaml"), ["steps=5,6"])


KNOWN = "Known: name, recipe, settings, arms, axes, zip."
KEYS_WHOLE = "keys are written whole, as in optimizer.learning_rate: [1, 2]"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("recpie: demo\naxes: {}", [f"recpie is unknown. Did you mean 'recipe'? {KNOWN} (my.yaml:1)"]),
        ("axes:\n  seed: 0..3\n  seed: 5\n", ["my.yaml:3: axes.seed is given twice, first in line 2"]),
        ("settings: {a: {b: 1},\n  a.b: 2}\n", ["my.yaml:2: settings.a.b is given twice, first in line 1"]),
        ("arms: {x: {a: 1, a.b: 2}}", ["arms.x: a.b is given twice, or as a whole and in part; keep one of them"]),
        ("extends: demo\naxes: {}", ["a study extends nothing; it starts from recipe: NAME (my.yaml:1)"]),
        (
            "axes:\n  seed: 3..0\nzip:\n  - steps: 1,2\n    seed: log(0,1,2)\narms: [a]\n",
            [
                "arms = ['a']; expected a table. By name, the settings of each variant. (my.yaml:6)",
                "seed: '3..0' runs downwards; write 0..3 (my.yaml:2)",
                "seed: 'log(0,1,2)': lo = 0; equal ratios need a number > 0 (my.yaml:5)",
            ],
        ),
        (
            "recipe: demo\naxes:\n  optimizer:\n    learning_rate: 1,2\n",
            [f"optimizer: expected values, e.g. [1, 2]; {KEYS_WHOLE} (my.yaml:3)"],
        ),
        (
            "axes: 0..3",
            [
                "axes = '0..3'; expected a table of keys and their values, or a list of such tables, each of keys that "
                "move together (my.yaml:1)"
            ],
        ),
        ("recipe: demo\naxes: {seed: []}", ["seed has no values (my.yaml:2)"]),
        ("recipe: demo\naxes: [{}]", ["an axis has no values"]),
        (
            "recipe: demo\nzip:\n  - steps: [1, 2]\n    seed: 0..2\n",
            ["keys that move together need equally many values; steps has 2, seed has 3 (my.yaml:3)"],
        ),
        ("recipe: demo\naxes: {seed: [1, 2, 1]}", ["seed = 1 is given twice (my.yaml:2)"]),
        (
            "recipe: demo\naxes: {seed: 0..9999, steps: 1..9999}",
            ["the study has 99,990,000 runs; expected at most 10,000, so make it several"],
        ),
        (
            "name: a/b\naxes: {}",
            [
                "a study cannot be called 'a/b'; use up to 100 letters, digits, '.', '_' and '-', "
                "a letter or digit first"
            ],
        ),
        ("name: x\narms: {'': {}}", ["the name is empty. Give it a few words, or leave it out."]),
        (
            "recipe: 5",
            [
                "recipe = 5; expected text (a number as text needs quotes within the quotes: '\"5\"'), or null. "
                "A shipped recipe's name, or a path that starts from the study's folder. (my.yaml:1)"
            ],
        ),
    ],
    ids=range(16),
)
def test_what_is_no_study_is_refused_with_its_lines(text, problems):
    assert refusal(text) == problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "settings: {seed: 3}\naxes: {seed: 0..3}",
            "seed is given in axes and again in settings; keep one (my.yaml:2)",
        ),
        (
            "arms:\n  a: {}\n  b: {steps: 3}\naxes: {steps: 1..3}",
            "steps is given in axes and again in arms.b; keep one (my.yaml:4)",
        ),
        (
            "axes: {seed: 0..3}\nzip: {seed: 0..1, steps: 1..2}",
            "seed is given in axes and again in axes; keep one (my.yaml:3)",
        ),
        (
            "settings: {optimizer: {kind: sgd}}\naxes: {optimizer: [{kind: sgd}, {kind: adamw}]}",
            "optimizer.kind is given in axes and again in settings; keep one (my.yaml:2)",
        ),
        ("settings: {name: x}\n", "settings.name: a study names its runs; its own name stands at the top (my.yaml:2)"),
        ("axes: {name: 'x,y'}", "axes.name: a study names its runs; its own name stands at the top (my.yaml:2)"),
    ],
    ids=range(6),
)
def test_a_key_in_an_axis_and_elsewhere_is_ambiguous(text, problem):
    assert refusal(f"recipe: demo\n{text}") == [problem]


def test_control_different_keys_of_one_table_are_not_ambiguous():
    text = (
        "settings: {optimizer.kind: sgd}\narms: {a: {optimizer.momentum: 0.5}}\naxes: {optimizer.learning_rate: '1,2'}"
    )
    assert parse_study(f"recipe: demo\n{text}", "").size == 2


@quick
@given(TREES)
def test_dotted_and_nested_settings_are_the_same(tree):
    assert nested(dict(leaves(tree))) == nested(tree) == tree


def test_dotted_keys_that_contradict_each_other_are_refused():
    for settings_ in ({"a": 1, "a.b": 2}, {"a.b": 2, "a": 1}, {"a.b": 1, "a": {"b": 1}}, {"a": [1], "a.b.c": 2}):
        with pytest.raises(SpecError, match="is given twice, or as a whole and in part"):
            nested(settings_)
    assert nested({"a": {}, "a.b": 1}) == nested({"a.b": 1, "a": {}}) == {"a": {"b": 1}}
