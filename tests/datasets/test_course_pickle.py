"""Pickles of matrices are read; pickles that would run something are refused by the name of it, and it does not run."""

from __future__ import annotations

import builtins
import collections
import gc
import os
import pickle
import pickletools
import subprocess

import numpy as np
import pytest

from latebloom.base.errors import DataError
from latebloom.datasets.course_pickle import load, read_heights, read_samples


def samples():
    chance = np.random.default_rng(0)
    return [[n, k, m, chance.uniform(-100, 100, (k, n - k))] for n, k, m in [(9, 4, 2), (10, 6, 4), (5, 2, 1)]]


def saved(tmp_path, value, protocol=4):
    path = tmp_path / "file.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_samples_come_back_by_every_protocol(tmp_path, protocol):
    for kind in (np.float64, np.float32, np.int64, np.int8, ">f8"):
        given = [(n, k, m, P.astype(kind)) for n, k, m, P in samples()]
        found = read_samples(saved(tmp_path, given, protocol))
        for (n, k, m, P), one in zip(given, found, strict=True):
            assert one[:3] == (n, k, m) and one.P.dtype == P.dtype and (one.P == P).all()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_heights_come_back_as_numbers_or_as_numpys(tmp_path, protocol):
    for given in ([1.5, 2, 3e9], [np.float64(1.5), np.int64(2), np.float32(0.5)], np.arange(3.0), (7,)):
        assert read_heights(saved(tmp_path, given, protocol)).tolist() == [float(one) for one in given]


def test_arrays_in_any_order_and_shape_come_back(tmp_path):
    given = {"a": np.asfortranarray(np.arange(6).reshape(2, 3)), "b": [np.array(3.0), np.zeros((0, 2))], "c": "text"}
    found = load(saved(tmp_path, given))
    assert (found["a"] == given["a"]).all() and found["b"][0] == 3 and found["b"][1].shape == (0, 2)
    assert found["c"] == "text"


def test_a_file_of_numpy_before_2_is_read(tmp_path):
    content = pickle.dumps(samples(), 2)
    assert b"numpy._core" in content
    path = tmp_path / "old.pkl"
    path.write_bytes(content.replace(b"numpy._core", b"numpy.core"))
    found = read_samples(path)[1].P
    assert (found == samples()[1][3]).all()


def test_padding_is_cut_off(tmp_path):
    n, k, m, P = samples()[0]
    padded = np.zeros((6, 6))
    padded[:k, : n - k] = P
    [found] = read_samples(saved(tmp_path, [[n, k, m, padded]]))
    assert found.P.shape == (4, 5) and (found.P == P).all()
    padded[5, 5] = 1
    with pytest.raises(DataError, match=r"sample 0: P is \(6, 6\) and not zero beyond 4 x 5"):
        read_samples(saved(tmp_path, [[n, k, m, padded]]))


class Exploit:
    def __init__(self, function, *arguments):
        self.calls = (function, arguments)

    def __reduce__(self):
        return self.calls


def attacks(marker):
    touch = f"touch {marker}"
    deep = pickle.dumps([[9, 4, 2, Exploit(os.system, touch)]], 4)
    by_attribute = b"\x80\x04\x8c\x05numpy\x8c\x0bos.system\x93\x8c" + bytes([len(touch)]) + touch.encode() + b"\x85R."
    return {
        "posix.system": pickle.dumps(Exploit(os.system, touch)),
        "subprocess.Popen": pickle.dumps(Exploit(subprocess.Popen, ["touch", str(marker)]), 3),
        "builtins.eval": pickle.dumps(Exploit(builtins.eval, f"__import__('pathlib').Path({str(marker)!r}).touch()")),
        "posix.system in a sample": deep,
        "numpy.os.system": by_attribute.replace(b"\x8c\x0bos.system", b"\x8c\x09os.system"),
        "numpy.load": pickle.dumps(Exploit(np.load, str(marker))),
        "builtins.getattr": pickle.dumps(Exploit(getattr, "", "x")),
        "collections.OrderedDict": pickle.dumps(collections.OrderedDict()),
    }


def test_these_attacks_are_real(tmp_path):
    """Control: the plain reader runs them."""
    for number, name in enumerate(("posix.system", "subprocess.Popen", "builtins.eval", "posix.system in a sample")):
        marker = tmp_path / str(number)
        started = pickle.loads(attacks(marker)[name])
        if isinstance(started, subprocess.Popen):
            started.wait()
        del started
        gc.collect()
        assert marker.exists(), name


@pytest.mark.parametrize("name", attacks("x"))
def test_an_attack_is_refused_by_name_and_nothing_runs(tmp_path, name):
    marker, path = tmp_path / "marker", tmp_path / "attack.pkl"
    path.write_bytes(attacks(marker)[name])
    refused = name.split(" in ")[0].replace("np.", "numpy.")
    with pytest.raises(DataError, match=rf"it names {refused.rsplit('.', 1)[0]}.* and nothing was run"):
        read_samples(path)
    assert not marker.exists()


def test_an_array_whose_notes_lie_is_refused(tmp_path):
    objects = np.array([1, None], dtype=object)
    for given, said in [
        (objects, "expected plain numbers|not of plain numbers"),
        (np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), "expected plain numbers"),
        (np.dtype("f8"), "it holds a type"),
        (np.ndarray, "it holds a type"),
        (np.array(["2020"], dtype="M8[Y]"), "expected plain numbers"),
    ]:
        with pytest.raises(DataError, match=said):
            load(saved(tmp_path, given, 4))
    longer = pickle.dumps(np.zeros(4), 2).replace(b"K\x04\x85", b"K\x09\x85")
    assert longer != pickle.dumps(np.zeros(4), 2)
    (tmp_path / "longer.pkl").write_bytes(longer)
    with pytest.raises(DataError, match=r"an array of \(9,\) float64 with 32 bytes"):
        load(tmp_path / "longer.pkl")


def test_damaged_files_are_refused_and_none_escapes(tmp_path):
    content, path = pickle.dumps(samples()), tmp_path / "damaged.pkl"
    chance = np.random.default_rng(0)
    survived = 0
    for _ in range(300):
        damaged = bytearray(content[: chance.integers(1, len(content) + 1)])
        for place in chance.integers(len(damaged), size=3):
            damaged[place] ^= int(chance.integers(1, 256))
        if any(code.name in ("LONG_BINPUT", "BINBYTES8", "BYTEARRAY8") for code in opcodes(bytes(damaged))):
            continue  # may ask for any amount of memory
        path.write_bytes(damaged)
        try:
            read_samples(path)
            survived += 1
        except DataError:
            pass
    assert survived < 300


def opcodes(content):
    try:
        for code, _, _ in pickletools.genops(content):
            yield code
    except Exception:
        return


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": 1}, "holds a dict; expected a list"),
        ([[9, 4, 2]], "sample 0 is not"),
        ([[9, 4, 2, np.zeros((4, 4))]], r"shape \(4, 4\); expected 4 x 5"),
        ([[9, 4, 9, np.zeros((4, 5))]], "m = 9; expected 1 to 8"),
        ([[4, 4, 1, np.zeros((4, 5))]], "n = 4, k = 4"),
    ],
)
def test_a_pickle_of_something_else_is_refused(tmp_path, given, said):
    with pytest.raises(DataError, match=said):
        read_samples(saved(tmp_path, given))


def test_heights_that_are_none_are_refused(tmp_path):
    for given in (samples(), "abc", [[1, 2], [3, 4]], 5):
        with pytest.raises(DataError, match=r"list of numbers|list of heights"):
            read_heights(saved(tmp_path, given))
    (tmp_path / "text.pkl").write_text("no pickle")
    with pytest.raises(DataError, match="no pickle, or a damaged one"):
        load(tmp_path / "text.pkl")
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "nothing.pkl")


def test_entries_that_are_no_numbers_are_named_by_their_sample(tmp_path):
    good, bad = samples()[0], samples()[1]
    bad[3][0, 0] = np.nan
    with pytest.raises(DataError, match="sample 1: P has entries that are not finite"):
        read_samples(saved(tmp_path, [good, bad]))


def test_a_file_without_a_sample_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no sample"):
        read_samples(saved(tmp_path, []))
