"""The command as a user starts it, in a process of its own or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import pytest

TINY = [
    "task.modulus=5",
    "steps=20",
    "evaluation.every=10",
    "batch.size=6",
    "model.width=8",
    "model.heads=2",
    "model.layers=1",
]


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store that all tests of one session read."""
    return tmp_path_factory.mktemp("store") / "runs"


@pytest.fixture
def fresh(tmp_path):
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def latebloom(store):
    """Run a command line; `store` is the environment's unless the test names another."""

    def call(*words, where=store, **environment):
        known = {name: value for name, value in os.environ.items() if not name.startswith(("LATEBLOOM", "NO_COLOR"))}
        ran = subprocess.run(
            [sys.executable, "-m", "latebloom", *map(str, words)],
            capture_output=True,
            text=True,
            env={**known, "LATEBLOOM_STORE": str(where), **environment},
        )
        return Said(ran.returncode, ran.stdout, ran.stderr)

    return call


@pytest.fixture(scope="session")
def trained(latebloom):
    """One tiny run, as said by `latebloom run`."""
    return latebloom("run", "demo", *TINY, "name=first")


@pytest.fixture
def here(monkeypatch, capsys):
    """The same without a new process, for what needs no training: quick enough for many wrong inputs."""
    from latebloom.cli import main

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["latebloom", *map(str, words)])
        monkeypatch.delenv("LATEBLOOM_DEBUG", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return call
