"""Records in, events out: when a run memorized, when it generalized, what that shows, when it may stop.

Every detector, as a recipe can name it; the stopping rules have their own table beside their code.
"""

from typing import Annotated

from pydantic import Field

from .best import Best
from .crossing import Crossing
from .delayed import verdict
from .epoch import EpochMetrics, GrokAnalysis, GrokDetectorConfig, TrainingPhase
from .gauge import Gauge, gauge
from .grokking import DelayDetector, Phase
from .judge import judge
from .monitor import GrokDetector
from .phase import WatchPhase
from .replay import Detector, Readings, State, finite, follow, replay
from .scored import scored
from .stopping import AfterGeneralization, AnyOf, Collapsed, Never, OnDegradation, Patient, StoppingRule
from .verdict import Family, Verdict, between, percent
from .watch import Watch
from .weight_norms import WeightNormTracker

DETECTORS = Annotated[DelayDetector | Crossing | Best, Field(discriminator="kind")]

__all__ = [
    "DETECTORS",
    "AfterGeneralization",
    "AnyOf",
    "Best",
    "Collapsed",
    "Crossing",
    "DelayDetector",
    "Detector",
    "EpochMetrics",
    "Family",
    "Gauge",
    "GrokAnalysis",
    "GrokDetector",
    "GrokDetectorConfig",
    "Never",
    "OnDegradation",
    "Patient",
    "Phase",
    "Readings",
    "State",
    "StoppingRule",
    "TrainingPhase",
    "Verdict",
    "Watch",
    "WatchPhase",
    "WeightNormTracker",
    "between",
    "finite",
    "follow",
    "gauge",
    "judge",
    "percent",
    "replay",
    "scored",
    "verdict",
]
