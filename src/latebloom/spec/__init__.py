"""The description of a run as a value."""

from .chosen import chosen
from .codec import assigned, build, to_yaml
from .identity import identity, plain
from .merge import merged
from .named import study_named
from .plan import Trial, plan
from .recipe import Recipe, parse_recipe, read_recipe
from .run import Batches, Checkpoints, RunSpec
from .study import Study, is_study, parse_study, read_study, study_of
from .weights import InitialWeights

__all__ = [
    "Batches",
    "Checkpoints",
    "InitialWeights",
    "Recipe",
    "RunSpec",
    "Study",
    "Trial",
    "assigned",
    "build",
    "chosen",
    "identity",
    "is_study",
    "merged",
    "parse_recipe",
    "parse_study",
    "plain",
    "plan",
    "read_recipe",
    "read_study",
    "study_named",
    "study_of",
    "to_yaml",
]
