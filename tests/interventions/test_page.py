"""The page on interventions: its table says what the code says, and its examples run."""

import re
from pathlib import Path

import pytest
import torch

from engine.tiny import ACTING, tiny
from latebloom.interventions import INTERVENTIONS, L1, GrokfastEma
from latebloom.spec import parse_recipe

PAGE = (Path(__file__).parents[2] / "docs" / "interventions.md").read_text()
ROWS = {row.split("`")[1]: row for row in PAGE.splitlines() if row.startswith("| `")}
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def told(field):
    """A field's default as a recipe writes it."""
    return "required" if field.is_required() else str(field.default).lower()


@pytest.mark.parametrize("kind", INTERVENTIONS)
def test_the_table_tells_every_field_its_default_and_where_it_acts(kind):
    cells = [cell.strip() for cell in ROWS[kind].replace(r"\|", "").strip("|").split("|")]
    fields = {name: field for name, field in INTERVENTIONS[kind].model_fields.items() if name != "kind"}
    assert cells[2] == INTERVENTIONS[kind].acts
    assert cells[4] == ", ".join(f"`{name}` {told(field)}" for name, field in fields.items())
    remembers = INTERVENTIONS[kind](**ACTING[kind]).init({"w": torch.ones(2)}, seed=0)
    assert (cells[3] == "nothing") == (remembers == {})


def test_the_table_has_no_other_row():
    assert list(ROWS) == list(INTERVENTIONS)


def test_the_recipes_lines_build():
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    recipe = parse_recipe(block, "docs/interventions.md")
    assert tiny(**recipe.settings).interventions == (GrokfastEma(), L1(strength=1e-4))


def test_the_examples_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in BLOCKS:
        exec(compile(block, "docs/interventions.md", "exec"), names)
    assert names["resumed"].steps == 6 + 3 + 6  # plain, accumulated in pairs, mixed precision
    assert names["grokfast"].steps == names["resumed"].steps + 6
    names["optimizer"].step()
    assert names["grokfast"].steps == names["resumed"].steps + 7  # the hook
    next(names["model"].parameters()).grad.fill_(torch.inf)
    names["optimizer"].step()  # skipped, and torch is content with what the hook returns
    assert names["grokfast"].steps == names["resumed"].steps + 7
    assert len(BLOCKS) == 6


def test_an_example_that_is_wrong_is_noticed():
    """Control."""
    with pytest.raises(TypeError):
        exec(BLOCKS[0].replace("grokfast.step()", "grokfast.step(optimizer, 1)"), {})
