"""latebloom: a laboratory for delayed generalization (grokking).

    import latebloom

    run = latebloom.run("modular-division", seed=1)
    run.verdict, run.curves["val/accuracy"], run.model()

Everything is loaded when first asked for, so that `import latebloom` alone is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.diagnosis import Diagnosis, analyze_training_log, diagnose
    from .detect import (
        EpochMetrics,
        GrokAnalysis,
        GrokDetector,
        GrokDetectorConfig,
        TrainingPhase,
        WeightNormTracker,
    )
    from .lab.handle import Run
    from .lab.jump import explain_jump
    from .lab.run import resume, rollback, run
    from .lab.sweep import sweep
    from .measures import LocalComplexityEstimator
    from .spec import RunSpec, Study
    from .store import Store

_PLACES = {
    "Diagnosis": "analysis.diagnosis",
    "EpochMetrics": "detect",
    "GrokAnalysis": "detect",
    "GrokDetector": "detect",
    "GrokDetectorConfig": "detect",
    "LocalComplexityEstimator": "measures",
    "Run": "lab",
    "RunSpec": "spec",
    "Store": "store",
    "Study": "spec",
    "TrainingPhase": "detect",
    "WeightNormTracker": "detect",
    "analyze_training_log": "analysis.diagnosis",
    "diagnose": "analysis.diagnosis",
    "explain_jump": "lab.jump",
    "resume": "lab",
    "rollback": "lab",
    "run": "lab",
    "sweep": "lab",
}

__all__ = [
    "Diagnosis",
    "EpochMetrics",
    "GrokAnalysis",
    "GrokDetector",
    "GrokDetectorConfig",
    "LocalComplexityEstimator",
    "Run",
    "RunSpec",
    "Store",
    "Study",
    "TrainingPhase",
    "WeightNormTracker",
    "analyze_training_log",
    "diagnose",
    "explain_jump",
    "resume",
    "rollback",
    "run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name == "integrations":
        return importlib.import_module(f".{name}", __name__)
    if name not in _PLACES:
        raise AttributeError(f"module 'latebloom' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
