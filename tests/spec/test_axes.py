"""The grammar of a sweep: what a text stands for, by YAML, by numpy, by definition; everything else is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from latebloom.base.errors import SpecError
from latebloom.spec import assigned
from latebloom.spec.axes import MAX_VALUES, parse_axes, parse_values, write_values
from spec.strategies import WORDS

quick = settings(max_examples=50, deadline=None)

FORMS = [
    ("7", [7]),
    ("0..4", [0, 1, 2, 3, 4]),
    ("-2..1, 7", [-2, -1, 0, 1, 7]),
    ("1e-3,1e-2", [0.001, 0.01]),
    ("lin(0.3,0.7,5)", [0.3, 0.4, 0.5, 0.6, 0.7]),
    ("log(0.01,1,5)", [0.01, 0.03162, 0.1, 0.3162, 1]),
    ("0, log(1e-3,0.1,3)", [0, 0.001, 0.01, 0.1]),
    ("sgd,adamw", ["sgd", "adamw"]),
    ("null,512", [None, 512]),
    ("{kind: sgd},{kind: adamw, beta2: 0.9}", [{"kind": "sgd"}, {"kind": "adamw", "beta2": 0.9}]),
    ("[],[weight_norm],[a,b]", [[], ["weight_norm"], ["a", "b"]]),
    ("[{kind: evaluation}]", [[{"kind": "evaluation"}]]),
    ('"a,b"', ["a,b"]),
    ("'0..4'", ["0..4"]),
    ("don't, wd 0.3 (again, slower)", ["don't", "wd 0.3 (again, slower)"]),
    ('{a: \'x, y\', b: [1, 2]}, "say \\"so, so\\""', [{"a": "x, y", "b": [1, 2]}, 'say "so, so"']),
    ("v1..v2", ["v1..v2"]),
    ("3..3", [3]),
    ("1_000..1_002", [1000, 1001, 1002]),
]


@pytest.mark.parametrize(("text", "values"), FORMS, ids=[text for text, _ in FORMS])
def test_a_text_stands_for_these_values(text, values):
    read = parse_values(text)
    assert read == values and [*map(type, read)] == [*map(type, values)]


PIECES = st.sampled_from(
    [
        *"0123456789.,;:=#&*!|>%@-+_ \n\t'\"\\()[]{}",
        "..",
        "lin(",
        "log(",
        "zip(",
        "e-3",
        "null",
        ".nan",
        "0x_",
        "seed",
        "é",
    ]
)


@settings(max_examples=250, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=20))
@example("9" * 5_000)  # more digits than Python turns into a number
@example(f"lin(0,{'9' * 400},3)")  # beyond every float
@example("[" * 100_000)
@example("0..1" * 30_000)
def test_any_text_is_either_read_or_refused(text):
    for assignment in (f"key={text}", text):
        try:
            assert isinstance(parse_axes([assignment]), list)
        except SpecError as error:
            assert error.problems and all(error.problems)


KEYS = WORDS.filter(lambda word: "." not in word)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@quick
@given(st.lists(PLAIN, min_size=1, max_size=5))
@example(["0..9", "lin(0,1,3)", "a,b", "[]", "1e-4", "null", " x ", "", "don't"])
@example([1, 2, 3, 5, True, 6, 7, 8, "9"])
@example([{"[\x85": None}])  # PyYAML writes this key behind a `?`
@example(["\x85\u2028\x7f\ufeff", "\U0001f331"])
def test_values_written_and_read_are_the_same(values):
    assert repr(parse_values(write_values(values))) == repr(values)


def test_whole_numbers_in_a_row_are_written_as_a_range():
    assert write_values([0, 1, 2, 3, 7, 8, "sgd", -1, 0, 1]) == "0..3, 7, 8, sgd, -1..1"


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab,;:[]{}'\"# ", max_size=6).map(lambda text: f"t{text}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1), inner, max_size=3),
    max_leaves=6,
)


@quick
@given(st.lists(YAML, min_size=1, max_size=4))
@example(["t,", "t'"])
@example(["t;'"])
def test_commas_separate_as_in_a_list_of_yaml(values):
    """Written by PyYAML, which knows nothing of our grammar."""
    text = yaml.safe_dump(values, default_flow_style=True, width=10_000).strip()[1:-1]
    assert parse_values(text) == yaml.safe_load(f"[{text}]") == values


def test_control_cutting_at_every_comma_would_not_do():
    text = yaml.safe_dump(["t,", [1, 2]], default_flow_style=True).strip()[1:-1]
    assert len(text.split(",")) == 4 and len(parse_values(text)) == 2


@quick
@given(st.text("ab01.-' \":", min_size=1, max_size=8).filter(lambda text: ".." not in text))
@example(":'")
@example("a:'b")
@example("0':'")
@example(" ---")  # YAML's mark of a document, which is no value
@example(" --- a")
def test_a_text_without_commas_is_what_a_single_run_reads(text):
    """`latebloom run x=TEXT` and `latebloom sweep x=TEXT` agree."""
    try:
        expected = assigned([f"x={text}"])["x"]
    except SpecError:
        with pytest.raises(SpecError):
            parse_axes([f"x={text}"])
    else:
        assert repr(parse_axes([f"x={text}"])) == repr([{"x": [expected]}])


@quick
@given(st.integers(-(10**20), 10**20), st.integers(0, 50))
def test_a_range_has_both_its_ends(low, more):
    assert parse_values(f"{low}..{low + more}") == [*range(low, low + more + 1)]


NUMBERS = st.integers(-1_000_000, 1_000_000) | st.floats(-1e30, 1e30).filter(lambda x: abs(x) > 1e-30)


@quick
@given(NUMBERS, NUMBERS, st.integers(2, 30))
def test_lin_is_numpys_linspace_to_a_hundred_thousandth_of_a_step(one, other, count):
    low, high = sorted((one, other))
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # where numpy itself has too few digits to compare with
        return
    grid = parse_values(f"lin({low!r},{high!r},{count})")
    step = (high - low) / (count - 1)
    np.testing.assert_allclose(grid, np.linspace(low, high, count), rtol=0, atol=1e-5 * step)
    assert (grid[0], grid[-1]) == (low, high)


POSITIVE = st.integers(1, 1_000_000) | st.floats(1e-30, 1e30)


@quick
@given(POSITIVE, POSITIVE, st.integers(2, 30))
def test_log_is_numpys_geomspace_to_four_digits_or_a_hundredth_of_a_gap(one, other, count):
    low, high = sorted((one, other))
    if high <= low * (1 + 1e-9):
        return
    grid, exact = parse_values(f"log({low!r},{high!r},{count})"), np.geomspace(low, high, count)
    gap = (high / low) ** (1 / (count - 1)) - 1
    assert np.all(np.abs(grid / exact - 1) <= min(5.01e-4, 0.0101 * gap))
    assert (grid[0], grid[-1]) == (low, high)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lin(0,1,11)", "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"),  # numpy: 0.30000000000000004
        ("lin(0,1,4)", "0 0.333333 0.666667 1"),
        ("lin(1000000,1000010,4)", "1000000 1000003.33333 1000006.66667 1000010"),
        ("lin(1000,5000,5)", "1000 2000 3000 4000 5000"),
        ("lin(1.0,3.0,3)", "1.0 2.0 3.0"),
        ("log(1,1000,4)", "1 10 100 1000"),
        ("log(100,10000,4)", "100 464.2 2154 10000"),
        ("log(1,1.001,3)", "1 1.0005 1.001"),  # four digits would leave 1, 1.0, 1.001
        ("log(1,1.001,5)", "1 1.00025 1.0005 1.00075 1.001"),  # and five 1.0002, 1.0005, 1.0008
        ("log(1.23456789,12.3456789,2)", "1.23456789 12.3456789"),
        ("lin(-1.7e308,1.7e308,3)", "-1.7e+308 0.0 1.7e+308"),
        ("log(1e-300,1e300,3)", "1e-300 1.0 1e+300"),
    ],
)
def test_a_grid_reads_well(text, shown):
    assert " ".join(map(repr, parse_values(text))) == shown


ROUNDED = "quotes make it text"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' lacks a value; nothing is written null, an empty text ''"),
        ("a,,b", "'a,,b' lacks a value; nothing is written null, an empty text ''"),
        ("9..0", "'9..0' runs downwards; write 0..9"),
        (
            "0..9:2",
            "'0..9:2' is no range; expected whole numbers as in 0..9; a range has no step, write 0,2,4 or lin(0,8,5)",
        ),
        ("010..012", f"'010..012' is no range; expected whole numbers as in 0..9; {ROUNDED}"),
        (
            "1, 1:30",
            "'1:30' is no YAML value: 1:30 would be read in base 60; write it out, or make it text with quotes",
        ),
        ("0..", f"'0..' is no range; expected whole numbers as in 0..9; {ROUNDED}"),
        ("0..9..2", f"'0..9..2' is no range; expected whole numbers as in 0..9; {ROUNDED}"),
        ("0.1..0.5", "'0.1..0.5' is no range of whole numbers; five numbers in steps are lin(0.1,0.5,5)"),
        ("1..10000000", "'1..10000000' has 10,000,000 values; expected at most 10,000"),
        ("0..6000,0..6000", "'0..6000,0..6000' has more values than 10,000, the most there can be"),
        ("lin(0,1,20000)", "'lin(0,1,20000)' has 20,000 values; expected at most 10,000"),
        ("lin(0,1,1)", "'lin(0,1,1)': n = 1; expected a whole number >= 2"),
        ("lin(1,0,5)", "'lin(1,0,5)': lo = 1 is not below hi = 0"),
        ("log(0,1,5)", "'log(0,1,5)': lo = 0; equal ratios need a number > 0"),
        (
            "lin(0,1)",
            "'lin(0,1)'; expected lin(lo,hi,n) with two numbers and how many from one to the other",
        ),
        (
            "log(1,x,3)",
            "'log(1,x,3)'; expected log(lo,hi,n) with two numbers and how many from one to the other",
        ),
        ("lin(0,5e-324,3)", "'lin(0,5e-324,3)': there are no 3 different numbers from 0 to 5e-324"),
        (
            "Log(1,2,3)",
            f"'Log(1,2,3)' is no known grid. Did you mean 'log'? Known: lin, log. Otherwise {ROUNDED}.",
        ),
        ("[1,2", f"'[1,2' opens a [ and never closes it; {ROUNDED}"),
        ("a),b", f"'a),b' has a ) that closes nothing; {ROUNDED}"),
        ("'a,b", "\"'a,b\" opens a ' and never closes it"),
        ("{a: }}", f"'{{a: }}}}' has a }} that closes nothing; {ROUNDED}"),
        ("a,*b", "'*b' is no YAML value: found undefined alias"),
        ("0x_", f"'0x_' is no YAML value: it looks like a number and is none; {ROUNDED}"),
    ],
)
def test_a_text_that_stands_for_nothing_is_refused_by_name(text, message):
    with pytest.raises(SpecError) as refused:
        parse_axes([f"key={text}"])
    assert refused.value.problems == [f"key: {message}"]


def test_as_many_values_as_allowed_are_read():
    assert len(parse_values(f"1..{MAX_VALUES}")) == len(parse_values(f"lin(0,1,{MAX_VALUES})")) == MAX_VALUES
    with pytest.raises(SpecError):
        parse_values(f"0..{MAX_VALUES}")


def test_assignments_keep_their_order_and_single_values_are_axes_of_length_one():
    axes = parse_axes(["seed=0..2", "steps=5", "zip(b.c=x,y; a='1;2',\"3\")", "seed=0..2"])
    assert axes == [{"seed": [0, 1, 2]}, {"steps": [5]}, {"b.c": ["x", "y"], "a": ["1;2", "3"]}]
    assert [[*axis] for axis in axes] == [["seed"], ["steps"], ["b.c", "a"]]


EXPECTED = "expected key=values, e.g. seed=0..9"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("seed", f"'seed' is no setting; {EXPECTED}"),
        ("a..b=3", f"'a..b=3' is no setting; {EXPECTED}"),
        ("zip(a=1,2; b=3,4", f"'zip(a=1,2; b=3,4' is no setting; {EXPECTED}"),
        ("zip(a=1,2; b)", f"'b' is no setting; {EXPECTED}"),
        ("zip(a=1,2; b=3,4,5)", "keys that move together need equally many values; a has 2, b has 3"),
        ("zip(a=1,2)", "'zip(a=1,2)' has one key; expected several, as in zip(a=1,2; b=3,4)"),
        ("zip(a=1,2, b=3,4)", "'zip(a=1,2, b=3,4)' has one key; expected several, as in zip(a=1,2; b=3,4)"),
        ("zip(a=1,2; a=3,4)", "a is given twice, as '1,2' and as '3,4'; keep one of them"),
        ("zip(a=1,2; a=1,2)", "a is given twice, as '1,2' and as '1,2'; keep one of them"),
        ("a=1,2,1", "a = 1 is given twice"),
        ("zip(a=1,1; b=x,x)", 'a, b = 1, "x" is given twice'),
        ("zip(a=1,2; b=')", "\"a=1,2; b='\" opens a ' and never closes it"),
    ],
)
def test_an_assignment_that_is_none_is_refused(assignment, message):
    with pytest.raises(SpecError) as refused:
        parse_axes([assignment])
    assert refused.value.problems == [message]


def test_zipped_values_may_repeat_as_long_as_the_pairs_differ():
    assert parse_axes(["zip(a=1,1; b=2,3)"]) == [{"a": [1, 1], "b": [2, 3]}]


def test_all_problems_are_told_at_once():
    with pytest.raises(SpecError) as refused:
        parse_axes(["seed=9..0,log(0,1,3)", "steps", "seed=5", "ok=1"])
    assert refused.value.problems == [
        "seed: '9..0' runs downwards; write 0..9",
        "seed: 'log(0,1,3)': lo = 0; equal ratios need a number > 0",
        f"'steps' is no setting; {EXPECTED}",
        "seed is given twice, as '9..0,log(0,1,3)' and as '5'; keep one of them",
    ]


@quick
@given(st.dictionaries(st.sampled_from("abc"), st.integers(1, 3), min_size=2))
def test_keys_move_together_only_with_equally_many_values(counts):
    told = "; ".join(f"{key}=1..{count}" for key, count in counts.items())
    if len({*counts.values()}) == 1:
        assert parse_axes([f"zip({told})"]) == [{key: [*range(1, count + 1)] for key, count in counts.items()}]
    else:
        with pytest.raises(SpecError) as refused:
            parse_axes([f"zip({told})"])
        assert all(f"{key} has {count}" in str(refused.value) for key, count in counts.items())


def test_a_grid_rises_strictly_however_dense_it_is():
    for text in ("log(1,1.0000001,500)", "lin(1,1.0000001,500)", "log(1e-300,1e300,999)", "lin(-1e9,1e9,999)"):
        assert all(one < other for one, other in itertools.pairwise(parse_values(text)))
