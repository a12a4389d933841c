"""The description of a run as a value."""

from .codec import assigned, build, to_yaml
from .identity import identity, plain
from .merge import merged
from .recipe import Recipe, parse_recipe, read_recipe
from .run import Batches, Checkpoints, RunSpec

__all__ = [
    "Batches",
    "Checkpoints",
    "Recipe",
    "RunSpec",
    "assigned",
    "build",
    "identity",
    "merged",
    "parse_recipe",
    "plain",
    "read_recipe",
    "to_yaml",
]
