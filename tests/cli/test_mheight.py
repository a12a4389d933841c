"""`latebloom mheight` and `latebloom data linear-codes`, as typed."""

from __future__ import annotations

import json
import pickle
import warnings

import numpy as np
import pytest

from algebra.codes import PUBLISHED
from latebloom.algebra.analog_codes import heights
from latebloom.datasets.linear_codes import read

P, KNOWN = PUBLISHED[0]


@pytest.fixture
def file(tmp_path):
    def write(array, name="P.npy"):
        np.save(tmp_path / name, array)
        return tmp_path / name

    return write


def test_all_heights_of_a_matrix_are_printed_or_those_asked_for(here, file):
    said = here("mheight", file(P))
    assert said.code == 0 and said.out.startswith("[n, k] = [9, 4]\n  m  h_m\n  1  23.8436067\n  2  77.6516261\n")
    assert said.out.splitlines()[-3:] == ["  6  infinite", "  7  infinite", "  8  infinite"]
    told = json.loads(here("mheight", file(P), "--m", "5,2,6", "--json").out)
    assert told == {"schema": 1, "n": 9, "k": 4, "m": [5, 2, 6], "heights": [15214, heights(P)[2], "Infinity"]}


def test_a_generator_is_told_from_p(here, file):
    G = np.hstack([np.eye(4), P])
    assert here("mheight", file(G), "--generator").out == here("mheight", file(P)).out
    said = here("mheight", file(G))
    assert said.code == 0 and "add --generator" in said.err and "[13, 4]" in said.out
    assert here("mheight", file(P)).err == ""


def test_a_stack_is_a_table_and_json_has_all_of_it(here, file):
    stack = np.random.default_rng(0).integers(-9, 10, (30, 2, 3))
    said = here("mheight", file(stack), "--m", "1,3")
    assert said.out.splitlines()[0] == "[n, k] = [5, 2], 30 codes" and "... 10 more" in said.out
    told = json.loads(here("mheight", file(stack), "--json", "--m", "1").out)["heights"]
    assert told == heights(stack)[:, [1]].tolist()


def test_a_text_is_read_row_by_row(here, tmp_path):
    (tmp_path / "P.txt").write_text("# rows of P\n" + "\n".join(", ".join(map(str, row)) for row in P))
    assert "h_m\n  1  23.8436067\n" in here("mheight", tmp_path / "P.txt").out
    (tmp_path / "P.txt").write_text("0.5 0.25\n1e0 .125\n")
    assert here("mheight", tmp_path / "P.txt", "--exact").code == 0


def test_whole_numbers_beyond_64_bits_are_exact_from_a_text_on(here, tmp_path):
    """Rounded to float64 the first row is no multiple of the second, and a height that is infinite becomes finite."""
    large = 2**70 + 2**17
    assert np.isfinite(heights([[float(3 * large), float(large)], [3, 1]])[2])  # control: floats lose it
    (tmp_path / "P.txt").write_text(f"{3 * large} {large}\n3 1\n")
    assert here("mheight", tmp_path / "P.txt").out.splitlines()[3] == "  2  infinite"
    (tmp_path / "P.txt").write_text(f"{10**400} 1\n3 1\n")
    assert "above 1e300; scale the columns" in here("mheight", tmp_path / "P.txt").err


def test_no_matrix_and_no_m_are_refused(here, file):
    said = here("mheight", file(np.zeros((0, 2, 3))))
    assert said.code != 0 and "holds no matrix" in said.err
    said = here("mheight", file(P), "--m", "")
    assert said.code != 0 and "--m names no number" in said.err


def test_entries_near_the_end_of_float64_are_enclosed_without_warnings(here, file):
    said = here("mheight", file([[1e308, 1e-300], [3, 1e300]]), "--bounds")
    assert said.code == 0 and said.err == "" and "<= h_1 <=" in said.out


def test_float32_is_taken_with_a_note(here, file):
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside of the tests, where warnings are errors
        said = here("mheight", file(np.float32(P)), "--m", "2")
    assert said.code == 0 and said.err.startswith("Note: float32 is converted to float64 as it stands")
    assert said.out.endswith("  2  77.6516261\n")


def test_a_code_too_large_is_enclosed_instead(here, file):
    large = file(np.random.default_rng(0).normal(size=(15, 15)))
    said = here("mheight", large)
    assert said.code == 2 and "--bounds" in said.err and "GB" in said.err
    said = here("mheight", large, "--bounds", "--m", "1")
    low, high = (float(said.out.split(" <= ")[i]) for i in (0, 2))
    assert said.code == 0 and 1 < low < high < 20
    told = json.loads(here("mheight", file(np.array([P])), "--bounds", "--json").out)["bounds"][0]
    assert all(
        one["lower"] <= height * 1.000001 and height <= float(one["upper"])
        for one, height in zip(told, KNOWN, strict=True)
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--m", "9"], "--m 9: expected numbers from 1 to n - 1 = 8"),
        (["--m", "0"], "--m 0"),
        (["--m", "x"], "--m x"),
        (["--generator", "--m", "1"], None),
        (["--check", "h.pkl"], "is none"),
    ],
)
def test_wrong_words_are_told(here, file, words, said):
    found = here("mheight", file(P), *words)
    assert (found.code, found.out) == (2, "") and said in found.err if said else found.code == 0


def test_what_holds_no_matrix_is_told(here, file, tmp_path):
    assert "there is no file" in here("mheight", tmp_path / "none.npy").err
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "words.txt").write_text("a b\nc d\n")
    (tmp_path / "ragged.txt").write_text("1 2\n3\n")
    for name in ("empty.txt", "words.txt", "ragged.txt"):
        found = here("mheight", tmp_path / name)
        assert (found.code, found.out) == (2, "") and found.err.startswith("DataError: "), name
    assert "cannot be read" in here("mheight", file(np.array([None, 1], dtype=object))).err
    assert "not finite" in here("mheight", file(np.full((2, 2), np.nan))).err


def test_labels_of_a_course_are_checked(here, tmp_path):
    chance = np.random.default_rng(0)
    samples = [[n, 2, m, chance.integers(-100, 101, (2, n - 2))] for n in (4, 5) for m in (1, 2) for _ in range(5)]
    samples.append([4, 2, 2, np.array([[0, 1], [2, 3]])])
    labels = [float(heights(one[3])[one[2]]) for one in samples]
    labels[-1] = 12.5  # finite, where a solver that met an unbounded program went on
    labels[4] *= 1.01
    for name, value in (("s.pkl", samples), ("h.pkl", labels)):
        (tmp_path / name).write_bytes(pickle.dumps(value))
    assert here("mheight", tmp_path / "s.pkl").out.splitlines()[-1].startswith("... 1 more")
    told = json.loads(here("mheight", tmp_path / "s.pkl", "--json").out)["samples"]
    assert told[-1] == {"n": 4, "k": 2, "m": 2, "height": "Infinity"}
    told = json.loads(here("mheight", tmp_path / "s.pkl", "--check", tmp_path / "h.pkl", "--json").out)
    assert told.pop("schema") == 1
    assert list(told.values()) == [21, 19, 1, 1, [4, 20]]
    assert "right: 19" in here("mheight", tmp_path / "s.pkl", "--check", tmp_path / "h.pkl").out
    assert "says for itself" in here("mheight", tmp_path / "s.pkl", "--m", "1").err
    (tmp_path / "h.pkl").write_bytes(pickle.dumps(labels[1:]))
    assert "has 20 heights for 21 samples" in here("mheight", tmp_path / "s.pkl", "--check", tmp_path / "h.pkl").err


def test_codes_are_drawn_and_the_same_again(here, tmp_path):
    words = ["data", "linear-codes", "--groups", "4,2 5,3,1", "--per-group", 30, "--seed", 3]
    said = here(*words, "-o", tmp_path / "a")
    assert said.code == 0 and said.out.startswith("120 labels of 120 matrices in ")
    told = json.loads(here(*words, "-o", tmp_path / "b", "--json", "-q").out)
    assert told == {"schema": 1, "manifest": str(tmp_path / "b" / "manifest.json"), "labels": 120, "matrices": 120}
    assert (tmp_path / "a" / "manifest.json").read_bytes() == (tmp_path / "b" / "manifest.json").read_bytes()
    codes = read(tmp_path / "a")
    codes.prove()
    assert codes.groups == ((4, 2, 2), (5, 3, 1)) and codes.settings["seed"] == 3
    P_Nkr, h_N = codes.group("train", 5, 3, 1)
    assert (heights(np.float64(P_Nkr))[:, 1] == h_N).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--groups", "9"], "group '9'; expected n,k,m"),
        (["--distribution", "normal"], "distribution = 'normal' is unknown"),
        (["--groups", "4,2", "--distribution", "integer", "--bound", "1"], "cannot be drawn without leaks"),
        (["--splits", ","], "--splits"),
        (["--splits", "../x"], "--splits"),
    ],
)
def test_codes_that_cannot_be_drawn_are_refused(here, tmp_path, words, said):
    found = here("data", "linear-codes", *words, "--per-group", "50", "-q", "-o", tmp_path / "x")
    assert found.code == 2 and said in found.err
    assert not (tmp_path / "x" / "manifest.json").exists()
