"""The documents say what the code and the committed results say."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("draw", ROOT / "docs" / "draw.py")
draw = importlib.util.module_from_spec(spec)
spec.loader.exec_module(draw)


def test_what_the_documents_take_from_code_and_results_is_up_to_date():
    names = [str(path.relative_to(ROOT)) for path in draw.outdated()]
    assert not names, f"run `make docs`, then read what changed: {names}"


def test_a_changed_figure_is_noticed():
    """Control."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert draw.drawn(text.replace("Imports nothing of ours", "Imports the moon")) == text


def test_every_room_is_drawn():
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [path.name for path in (ROOT / "src" / "latebloom").iterdir() if (path / "__init__.py").exists()]
    missing = [room for room in rooms if f"### `{room}/`" not in text]
    assert not missing


DOCUMENTS = [str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]]


@pytest.mark.parametrize("document", sorted(DOCUMENTS))
def test_links_between_documents_lead_somewhere(document):
    import re

    text = (ROOT / document).read_text()
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)]+)\)", text) if not t.startswith(("http", "#"))]
    dead = [t for t in targets if not ((ROOT / document).parent / t).exists()]
    assert not dead
