"""What is written out runs again as the same spec, and the short names mean what they say."""

from __future__ import annotations

import pytest

from latebloom import recipes
from latebloom.cli.aliases import ALIASES, SHARES
from latebloom.spec import RunSpec, build, identity, parse_recipe, read_recipe


@pytest.mark.parametrize("name", recipes.names())
def test_what_recipes_show_prints_is_a_recipe_of_the_same_spec(here, name):
    shown = here("recipes", "show", name).out
    assert build(parse_recipe(shown, "my.yaml")) == build(read_recipe(name))


def test_what_dry_run_prints_runs_again_to_the_same_spec(here, tmp_path):
    first = here("run", "demo", "optimizer.kind=sgd", "--seed", "7", "name=1e-4 ☃", "--dry-run")
    path = tmp_path / "my.yaml"
    path.write_text(first.out, encoding="utf-8")
    again = here("run", path, "--dry-run")
    assert again.out == first.out and "seed: 7" in again.out and first.err == ""


def test_every_short_name_sets_a_key_that_exists(here):
    from latebloom.base.fields import dotted

    assert set(ALIASES.values()) <= set(dotted(RunSpec))
    listed = here("run", "--help").out
    assert all(f"--{alias}" in listed for alias in [*ALIASES, *SHARES]) and "latebloom recipes show" in listed


@pytest.mark.parametrize("spelling", ["--num-steps", "--num_steps", "--steps"])
def test_dash_and_underscore_mean_the_same(here, spelling):
    assert "steps: 33\n" in here("run", "demo", spelling, "33", "--dry-run").out


@pytest.mark.parametrize("twice", [["--lr", "1e-3", "optimizer.learning_rate=1e-2"], ["--lr", "1e-2", "--lr", "1e-3"]])
def test_the_same_setting_with_two_values_is_an_error_that_names_both(here, twice):
    said = here("run", "demo", *twice)
    assert said.code == 2 and "optimizer.learning_rate is given twice, as " in said.err
    assert "1e-2" in said.err and "1e-3" in said.err


def test_shares_are_in_proportion_and_take_the_recipes_task_over(here):
    said = here("run", "modular-addition", "--multi-task", "--task-subtraction", "0.2", "--dry-run")
    parts = build(parse_recipe(said.out, "")).task.parts
    assert {name: part.share for name, part in parts.items()} == {"divide": 0.5, "add": 0.5, "subtract": 0.2}
    assert {(part.task.modulus, part.task.train_fraction) for part in parts.values()} == {(113, 0.3)}


def test_the_identity_is_that_of_the_run(here, tmp_path):
    """A recipe saved from a page and the recipe it came from are recognised as one experiment."""
    path = tmp_path / "my.yaml"
    path.write_text(here("run", "demo", "--dry-run").out)
    assert identity(build(read_recipe(str(path)))) == identity(build(read_recipe("demo")))
