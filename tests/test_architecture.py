"""The house stands as drawn: imports go down only, and the contracts can fail."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="import-linter comes with the dev extra; `make check` runs it")

ROOT = Path(__file__).parent.parent


def contracts(folder):
    """Exit status and words of import-linter in `folder`."""
    program = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "src", "PATH": "/usr/bin:/bin"},
    )
    return done.returncode, done.stdout + done.stderr


def test_every_import_goes_down():
    status, words = contracts(ROOT)
    assert status == 0, words


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "planted", "broken"),
    [
        ("base/planted.py", "from ..store import Store", "Layers"),
        ("store/planted.py", "def f():\n    import torch", "needs no torch"),
        ("engine/planted.py", "from ..store import Store", "does not know the store"),
        ("lab/planted.py", "import matplotlib", "Only report"),
        ("helpers/__init__.py", "", "Layers"),
    ],
)
def test_a_planted_violation_breaks_its_contract(tmp_path, file, planted, broken):
    """Control."""
    import shutil

    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "src" / "latebloom" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(planted)
    status, words = contracts(tmp_path)
    assert status != 0
    assert any(broken in line and "BROKEN" in line for line in words.splitlines()), words
