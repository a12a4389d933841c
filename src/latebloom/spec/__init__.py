"""The description of a run as a value."""

from .codec import build, merged, override, parse_recipe, read_recipe, recipe_names, to_yaml
from .identity import identity, plain
from .run import Batches, Checkpoints, RunSpec

__all__ = [
    "Batches",
    "Checkpoints",
    "RunSpec",
    "build",
    "identity",
    "merged",
    "override",
    "parse_recipe",
    "plain",
    "read_recipe",
    "recipe_names",
    "to_yaml",
]
