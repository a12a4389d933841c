"""The examples of docs/integrations.md run as they stand there."""

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "integrations.md"
SECTIONS = {
    title: re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
}
FRAMEWORKS = {"Lightning": "lightning", "Hugging Face": "transformers", "Keras": "keras", "accelerate": "accelerate"}


def test_every_framework_has_one_example() -> None:
    assert {title: len(blocks) for title, blocks in SECTIONS.items() if blocks} == dict.fromkeys(
        ["Any loop", *FRAMEWORKS], 1
    )


def test_the_example_of_a_loop_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with contextlib.redirect_stderr(io.StringIO()) as said:
        exec(compile(SECTIONS["Any loop"][0], str(PAGE), "exec"), names)
    assert "'test_acc' is read as val/accuracy" in said.getvalue()
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 21


@pytest.mark.slow
@pytest.mark.parametrize("title", FRAMEWORKS)
def test_the_example_of_a_framework_runs(title: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(FRAMEWORKS[title]) is None:
        pytest.skip(f"{FRAMEWORKS[title]} is not installed")
    check = "\nfor w in ('watching', 'tracker'):\n    if w in globals(): assert len(globals()[w].recorder.rows) >= 4\n"
    done = subprocess.run(
        [sys.executable, "-c", SECTIONS[title][0] + check],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "is read as val/accuracy" in done.stderr
    assert "is read as train/accuracy" in done.stderr
