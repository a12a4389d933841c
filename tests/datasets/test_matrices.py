"""Matrices come back from every form a file has them in, and from a file that is none there comes a reason."""

from __future__ import annotations

import json

import numpy as np
import pytest

from latebloom.base.errors import DataError
from latebloom.datasets.matrices import read

P = [[3, 1, -2], [1, 4, 20]]


def written(tmp_path, text):
    path = tmp_path / "P.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "3 1 -2\n1 4 20\n",
        "3,1,-2\n1,4,20\n",
        "3, 1, -2\n\n1 ,4 ,20",
        "# P\n3 1 -2 # first\n1\t4\t20\n",
        "\ufeff3 1 -2\n1 4 20\n",
        "3 1 -2\r\n1 4 20\r\n",
        json.dumps(P),
        json.dumps(P, indent=1),
        str(np.array(P)),
        "[[3 1 -2] # numpy's\n [1 4 20]]",
    ],
)
def test_one_matrix_however_it_is_written(tmp_path, text):
    found = read(written(tmp_path, text))
    assert found.dtype.kind == "i" and found.tolist() == P


def test_reals_and_a_stack_in_brackets_come_back(tmp_path):
    reals = np.random.default_rng(0).normal(size=(2, 3, 2))
    assert (read(written(tmp_path, json.dumps(reals.tolist()))) == reals).all()
    assert (read(written(tmp_path, np.array2string(reals, precision=17, separator=" "))) == reals).all()
    assert read(written(tmp_path, "1. .5\n-2e3 4\n")).tolist() == [[1, 0.5], [-2000, 4]]


def test_whole_numbers_of_any_size_are_not_rounded(tmp_path):
    large = 10**25 + 1
    for text in (f"{large} 1\n2 3", f"[[{large}, 1], [2, 3]]"):
        assert read(written(tmp_path, text)).tolist() == [[large, 1], [2, 3]]


def test_one_array_in_an_npz_is_taken_and_of_several_the_names_are_said(tmp_path):
    np.savez(tmp_path / "one.npz", anything=P)
    assert read(tmp_path / "one.npz").tolist() == P
    np.savez(tmp_path / "two.npz", P=P, Q=P)
    with pytest.raises(DataError, match=r"2 arrays \(P, Q\)"):
        read(tmp_path / "two.npz")
    whole = (tmp_path / "one.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:40])
    with pytest.raises(DataError, match=r"cut\.npz cannot be read"):
        read(tmp_path / "cut.npz")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no number"),
        ("# only a remark\n", "no number"),
        ("1 2 3\n4 5\n", "line 2 has 2 numbers, and the first row 3"),
        ("a,b\n1,2\n", "line 1: 'a' is no number"),
        ("1/2 3\n", "'1/2' is no number"),
        ("1;2\n", "'1;2' is no number"),
        ("1,5 2,5\n3,5 4,5\n", "commas inside of numbers"),
        ("[[1, 2], [3]]", "all as long as the first"),
        ("[" * 100_000, "no list of rows"),
        ("[print(1)]", "no list of rows"),
        ("1 2\n3 4\n".encode("utf-16"), "decode"),
    ],
)
def test_what_is_no_matrix_is_refused_with_the_place(tmp_path, text, why):
    with pytest.raises(DataError, match=r"P\.txt cannot be read") as refused:
        read(written(tmp_path, text))
    assert why in str(refused.value)


def test_nothing_is_unpickled_and_nothing_is_evaluated(tmp_path):
    np.save(tmp_path / "P.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "P.npy")
    mark = tmp_path / "ran"
    with pytest.raises(DataError):
        read(written(tmp_path, f"[open({str(mark)!r}, 'w')]"))
    assert not mark.exists()
