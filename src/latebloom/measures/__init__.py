"""Read, never touch. A measure turns a `View` of the running experiment into named readings."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ..base.component import spelt_out, table
from .batchnorm import batchnorm_audit
from .complexity_estimator import LocalComplexityEstimator
from .dead_outputs import DeadOutputs
from .evaluation import Evaluation
from .feature_rank import FeatureRank
from .fourier import Fourier
from .gate_usage import GateUsage
from .gradient_norm import GradientNorm
from .linear_probe import LinearProbe
from .local_complexity import LocalComplexity
from .local_learning_coefficient import LocalLearningCoefficient
from .neural_collapse import NeuralCollapse
from .nlm_alignment import NlmAlignment
from .orbit_variance import OrbitVariance
from .parameter_norms import ParameterNorms
from .sharpness import Sharpness
from .softmax_collapse import SoftmaxCollapse
from .spectral_density import SpectralDensity
from .update_norm import UpdateNorm
from .view import View
from .violations import Violations
from .weight_norm import WeightNorm
from .weight_rank import WeightRank

Measure = Annotated[
    Evaluation
    | WeightNorm
    | SpectralDensity
    | FeatureRank
    | LinearProbe
    | LocalComplexity
    | ParameterNorms
    | GradientNorm
    | UpdateNorm
    | Fourier
    | SoftmaxCollapse
    | NlmAlignment
    | NeuralCollapse
    | Sharpness
    | LocalLearningCoefficient
    | WeightRank
    | DeadOutputs
    | OrbitVariance
    | GateUsage
    | Violations,
    Field(discriminator="kind"),
]
MEASURES = table(Measure)
Measures = Annotated[tuple[Measure, ...], BeforeValidator(spelt_out)]
"""A list in which a word stands for the measure of that kind with its defaults: `[evaluation, weight_norm]`."""

__all__ = [
    "MEASURES",
    "DeadOutputs",
    "Evaluation",
    "FeatureRank",
    "Fourier",
    "GateUsage",
    "GradientNorm",
    "LinearProbe",
    "LocalComplexity",
    "LocalComplexityEstimator",
    "LocalLearningCoefficient",
    "Measure",
    "Measures",
    "NeuralCollapse",
    "NlmAlignment",
    "OrbitVariance",
    "ParameterNorms",
    "Sharpness",
    "SoftmaxCollapse",
    "SpectralDensity",
    "UpdateNorm",
    "View",
    "Violations",
    "WeightNorm",
    "WeightRank",
    "batchnorm_audit",
]
