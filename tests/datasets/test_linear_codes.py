"""Labelled codes on disk: mapped, proved, split by matrix, and the same however they were asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from latebloom.algebra.analog_codes.random_codes import draw
from latebloom.base.errors import DataError
from latebloom.datasets.linear_codes import MANIFEST, Shard, read, write

GROUPS = ((5, 2, 2), (5, 2, 3), (4, 2, 2))


def shards(groups=GROUPS, independent=False, count=20):
    for split in ("train", "validation"):
        for n, k, m in dict.fromkeys((n, k, m if independent else None) for n, k, m in groups):
            yield Shard(split, n, k, m, *draw(1, split, n, k, count, m=m))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("independent", [False, True])
def test_what_is_written_is_read_back_without_being_loaded(tmp_path, independent):
    write(tmp_path / "codes", shards(independent=independent), GROUPS, {"seed": 1})
    codes = read(tmp_path / "codes")
    codes.prove()
    assert (codes.settings, codes.groups, codes.splits) == ({"seed": 1}, GROUPS, ("train", "validation"))
    for n, k, m in GROUPS:
        P, h = codes.group("validation", n, k, m)
        drawn = draw(1, "validation", n, k, 20, m=m if independent else None)
        assert (drawn.matrices_Nkr == P).all() and (h == drawn.heights_Nm[:, m]).all()
        assert isinstance(P, np.memmap) and isinstance(h, np.memmap) and not P.flags.writeable
    same = codes.group("train", 5, 2, 2)[0][:] == codes.group("train", 5, 2, 3)[0][:]
    assert same.all() != independent


def test_files_do_not_depend_on_what_else_is_asked_for(tmp_path):
    write(tmp_path / "all", shards(), GROUPS, {})
    write(tmp_path / "one", shards(GROUPS[2:]), GROUPS[2:], {})
    write(tmp_path / "again", shards(), GROUPS, {})
    every, one = contents(tmp_path / "all"), contents(tmp_path / "one")
    assert every == contents(tmp_path / "again") and len(every) == 9
    assert {name: every[name] for name in one if name != MANIFEST} == {n: c for n, c in one.items() if n != MANIFEST}


def test_the_manifest_says_what_is_there(tmp_path):
    drawn = draw(0, "train", 4, 2, 100, distribution="integer", bound=2, infinite="keep")
    manifest = write(tmp_path, [Shard("train", 4, 2, None, *drawn)], [(4, 2, 2)], {"seed": 0})
    told = json.loads(manifest.read_text())
    [shard] = told["shards"]
    assert (shard["matrices"], shard["rejected"]) == (100, 0)
    assert shard["infinite"] == [0, *np.isinf(drawn.heights_Nm[:, 1:]).sum(axis=0).tolist()] and shard["infinite"][2]
    assert set(told["files"]) == {"train/n4-k2/matrices.npy", "train/n4-k2/heights.npy"}


def test_a_matrix_that_two_splits_share_is_refused_however_it_is_turned(tmp_path):
    train = draw(1, "train", 5, 2, 20)
    turned = -train.matrices_Nkr[3:4, ::-1, [2, 0, 1]]
    validation = draw(1, "validation", 5, 2, 20)
    leaked = validation.matrices_Nkr.copy()
    leaked[7] = turned[0]
    with pytest.raises(DataError, match=r"1 of the 20 \[5, 2\] matrices of validation are in train too"):
        write(
            tmp_path / "leaked",
            [Shard("train", 5, 2, None, *train), Shard("validation", 5, 2, 3, leaked, validation.heights_Nm)],
            GROUPS,
            {},
        )
    with pytest.raises(DataError, match="was not finished"):
        read(tmp_path / "leaked")
    # Control: without it, and over the remains of the one refused.
    write(tmp_path / "leaked", shards(), GROUPS, {})
    read(tmp_path / "leaked").prove()


def test_a_damaged_file_is_noticed(tmp_path):
    write(tmp_path, shards(), GROUPS, {})
    path = tmp_path / "train/n5-k2/heights.npy"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"heights\.npy is not as it was written"):
        read(tmp_path).prove()
    path.write_bytes(content[:100])
    with pytest.raises(DataError, match=r"heights\.npy cannot be read"):
        read(tmp_path).group("train", 5, 2, 2)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path).prove()


def test_what_is_not_there_is_told(tmp_path):
    write(tmp_path, shards(), GROUPS, {})
    for split, group in [("train", (5, 2, 1)), ("test", (5, 2, 2)), ("train", (9, 4, 2))]:
        with pytest.raises(DataError, match=r"it has train validation of \(5, 2, 2\), \(5, 2, 3\), \(4, 2, 2\)"):
            read(tmp_path).group(split, *group)
    with pytest.raises(DataError, match="is not empty"):
        write(tmp_path, shards(), GROUPS, {})
    with pytest.raises(DataError, match=r"has no manifest.json"):
        read(tmp_path / "train")
    (tmp_path / MANIFEST).write_text("{}")
    with pytest.raises(DataError, match=r"manifest.json is no manifest"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["{}", "[]", "{", ""])
def test_a_manifest_that_is_none_is_said_to_be_none(tmp_path, content):
    write(tmp_path, shards(), GROUPS, {})
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=r"manifest\.json (is no manifest|cannot be read: (Expecting|Unterminated))"):
        read(tmp_path)
