"""Records in, events out: when a run memorized, when it generalized, what that shows, when it may stop.

Every detector, as a recipe can name it; the stopping rules have their own table beside their code.
"""

from typing import Annotated

from pydantic import Field

from .best import Best
from .crossing import Crossing
from .grokking import GrokDetector, Phase
from .replay import Detector, Readings, State, finite, follow, replay
from .stopping import AfterGeneralization, Never, StoppingRule
from .verdict import Family, Verdict, between, percent, verdict

DETECTORS = Annotated[GrokDetector | Crossing | Best, Field(discriminator="kind")]

__all__ = [
    "DETECTORS",
    "AfterGeneralization",
    "Best",
    "Crossing",
    "Detector",
    "Family",
    "GrokDetector",
    "Never",
    "Phase",
    "Readings",
    "State",
    "StoppingRule",
    "Verdict",
    "between",
    "finite",
    "follow",
    "percent",
    "replay",
    "verdict",
]
