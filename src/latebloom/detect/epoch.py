"""What goes into a `GrokDetector` and what comes out of it. Names and fields are those of an earlier project's."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class TrainingPhase(Enum):
    """What a training is doing; see `watch` for when each begins."""

    WARMUP = "warmup"
    MEMORIZATION = "memorization"
    PLATEAU = "plateau"
    GROKKING = "grokking"
    DEGRADATION = "degradation"
    CONVERGED = "converged"


@dataclass
class EpochMetrics:
    """What one epoch measured; None was not measured. Accuracies in per cent are recognised by values above 1.5."""

    epoch: int
    train_loss: float | None
    val_loss: float | None
    train_accuracy: float | None = None
    val_accuracy: float | None = None
    correlation: float | None = None
    coverage: float | None = None
    weight_norm: float | None = None
    gradient_norm: float | None = None
    local_complexity: float | None = None
    learning_rate: float | None = None

    def to_dict(self) -> dict[str, float]:
        """What was measured."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


@dataclass
class GrokDetectorConfig:
    """Settings, by the names they had.

    `short_window` is how far back the trend looks; `degradation_threshold` is the fall of a correlation or a coverage
    that matters. The others had a meaning only in one unit of the loss or one number of epochs; they are accepted and
    decide nothing here: all rules are free of scales (see `watch`).
    """

    short_window: int = 10
    long_window: int = 50
    memorization_loss_threshold: float = 0.1
    generalization_gap_threshold: float = 0.5
    improvement_threshold: float = 0.05
    degradation_threshold: float = 0.1
    grokking_patience: int = 100
    min_epochs_for_detection: int = 50
    estimate_local_complexity: bool = True
    lc_sample_points: int = 1000


@dataclass
class GrokAnalysis:
    """What is known after an epoch."""

    current_phase: TrainingPhase
    grokking_probability: float
    """That validation generalizes by 4 times the epoch; 1 and 0 once it has, late or not. nan where it is not told.

    Calibrated, and worked out anew every 2 % of the epochs. `GrokDetector.forecast` tells more, and why it is not told.
    """
    epochs_in_memorization: int
    """Epochs since the training set was fitted, while validation has not followed."""
    best_generalization_epoch: int
    """Epoch of the best validation reading; of the one that degraded, if one did."""
    current_generalization_gap: float
    """Training minus validation accuracy; without accuracies validation minus training loss; nan without both."""
    trend_direction: str
    """improving, stable or degrading: the validation level against that of `short_window` readings ago."""
    recommendations: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
