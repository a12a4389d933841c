"""The code of an earlier project's text, as it stands there: it runs against this package under their module's name.

That text describes a detector with the same names; only the import line would have to be changed.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

import latebloom

EARLY_STOPPING = """
from src.training import GrokDetector, TrainingPhase

detector = GrokDetector()

for epoch in range(num_epochs):
    # ... training ...
    analysis = detector.update(metrics)

    # Early stop on degradation
    if analysis.current_phase == TrainingPhase.DEGRADATION:
        if epoch - analysis.best_generalization_epoch > 50:
            print(f"Early stopping: best was epoch {analysis.best_generalization_epoch}")
            break

    # Continue if potential grokking
    if analysis.current_phase == TrainingPhase.MEMORIZATION:
        if analysis.grokking_probability > 0.3:
            print("Potential grokking - extending training")
            continue
"""

LOCAL_COMPLEXITY = """
lc_estimator = LocalComplexityEstimator()

for epoch in range(num_epochs):
    # ... training ...
    lc = lc_estimator.estimate(model, sample_batch)

    # Log for TensorBoard
    writer.add_scalar("training/local_complexity", lc, epoch)

    # Check for double-descent (grokking predictor)
    detected, start_epoch = lc_estimator.detect_double_descent()
    if detected:
        print(f"Double-descent detected at epoch {start_epoch}")
"""

BATCH_NORM = """
# List all BatchNorm layers
for name, module in model.named_modules():
    if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        print(f"BatchNorm found: {name}")
        # Consider: LayerNorm alternative
"""

BASIC_USAGE = """
from src.training import GrokDetector, EpochMetrics

detector = GrokDetector()

# During training loop
metrics = EpochMetrics(
    epoch=epoch,
    train_loss=train_loss,
    val_loss=val_loss,
    correlation=correlation,
    coverage=coverage,
)

analysis = detector.update(metrics)

print(f"Phase: {analysis.current_phase.value}")
print(f"Grokking probability: {analysis.grokking_probability:.2%}")
print(f"Best epoch: {analysis.best_generalization_epoch}")

for warning in analysis.warnings:
    print(f"WARNING: {warning}")

for rec in analysis.recommendations:
    print(f"RECOMMENDATION: {rec}")
"""

EXISTING_LOGS = """
from pathlib import Path
from src.training import analyze_training_log

log_path = Path("outputs/results/training/logs/training_full_run.log")
analysis = analyze_training_log(log_path)

print(f"Training phase: {analysis.current_phase.value}")
print(f"Trend: {analysis.trend_direction}")
"""

TENSORBOARD = """
# Add to training loop
writer.add_scalar("grokking/probability", analysis.grokking_probability, epoch)
writer.add_scalar("grokking/gen_gap", analysis.current_generalization_gap, epoch)
writer.add_text("grokking/phase", analysis.current_phase.value, epoch)
"""

LOG = Path(__file__).parent / "analysis" / "logs" / "ternary_vae.log"  # in the format of that project, of its numbers
CORRELATIONS = [(0, 0.715), (8, 0.705), (25, 0.703), (49, 0.70), (50, 0.50), (300, 0.45)]
LOSSES = [(0, 12.0), (8, 3.95), (49, 5.19), (50, 22.5), (60, 20.0), (300, 18.0)]


def timeline(points: list[tuple[int, float]], epoch: int) -> float:
    """A straight line between the points that the text prints."""
    (x0, y0), (x1, y1) = next((a, b) for a, b in pairwise(points) if a[0] <= epoch <= b[0])
    return y0 + (y1 - y0) * (epoch - x0) / (x1 - x0)


class Writer:
    """What a SummaryWriter is asked for."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float | str, int]] = []

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.rows.append((name, float(value), step))

    def add_text(self, name: str, text: str, step: int) -> None:
        self.rows.append((name, text, step))


@pytest.fixture
def as_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "src", latebloom)
    monkeypatch.setitem(sys.modules, "src.training", latebloom)


@pytest.mark.usefixtures("as_their_package")
def test_early_stopping_ends_the_run_that_the_text_describes(capsys: pytest.CaptureFixture[str]) -> None:
    epochs = iter(range(300))

    class Names(dict[str, object]):
        """`metrics` is another epoch's each time it is looked up, as after some training."""

        def __getitem__(self, name: str) -> object:
            if name != "metrics":
                return super().__getitem__(name)
            epoch = next(epochs)
            loss = timeline(LOSSES, epoch)
            return latebloom.EpochMetrics(epoch, None, loss, correlation=timeline(CORRELATIONS, epoch))

    names = Names(num_epochs=300)
    exec(EARLY_STOPPING, {}, names)
    assert capsys.readouterr().out.startswith("Early stopping: best was epoch")
    assert 50 < int(str(names["epoch"])) < 150


@pytest.mark.usefixtures("as_their_package")
def test_basic_usage_tensorboard_and_the_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = {"epoch": 3, "train_loss": 1.0, "val_loss": 1.5, "correlation": 0.4, "coverage": 0.05, "writer": Writer()}
    exec(BASIC_USAGE + TENSORBOARD, names)
    out = capsys.readouterr().out
    assert "Phase: warmup" in out and "Best epoch: 3" in out
    told = {name: value for name, value, step in names["writer"].rows if step == 3}
    assert told["grokking/gen_gap"] == pytest.approx(0.5) and told["grokking/phase"] == "warmup"
    assert math.isnan(told["grokking/probability"]) or 0 <= told["grokking/probability"] <= 1
    names["detector"].save_report(tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["history"] == [names["metrics"].to_dict()] and report["summary"]["total_epochs"] == 1


@pytest.mark.usefixtures("as_their_package")
def test_an_existing_log_is_analysed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "outputs/results/training/logs/training_full_run.log"
    log.parent.mkdir(parents=True)
    shutil.copy(LOG, log)
    monkeypatch.chdir(tmp_path)
    exec(EXISTING_LOGS, {})
    out = capsys.readouterr().out
    assert "Training phase: degradation" in out and "Trend: " in out


def test_local_complexity_and_batch_norm_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    names = {
        "LocalComplexityEstimator": latebloom.LocalComplexityEstimator,
        "num_epochs": 9,
        "model": model,
        "nn": nn,
        "sample_batch": torch.randn(32, 4),
        "writer": Writer(),
    }
    exec(LOCAL_COMPLEXITY + BATCH_NORM, names)
    assert [name for name, _, _ in names["writer"].rows] == ["training/local_complexity"] * 9
    assert len({value for _, value, _ in names["writer"].rows}) == 1  # the model did not learn in between
    assert capsys.readouterr().out == "BatchNorm found: 1\n"


def test_weight_norms_are_tracked() -> None:
    model, tracker = nn.Linear(3, 2), latebloom.WeightNormTracker()
    for _ in range(12):
        norms = tracker.compute_norms(model)
        with torch.no_grad():
            model.weight *= 0.9
            model.bias *= 0.9
    assert set(norms) == {"weight", "bias", "total"}
    assert norms["total"] == pytest.approx(math.hypot(norms["weight"], norms["bias"]))
    assert tracker.detect_compression_phase()[0]
