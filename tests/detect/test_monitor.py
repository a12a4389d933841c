"""The earlier project's interface, by name; and its eleven defects, which this one must not have."""

import json
import math
import random
import sys

import numpy as np
import pytest

from benchmarks.shapes import as_accuracy, as_loss, made
from latebloom import EpochMetrics, GrokAnalysis, GrokDetector, GrokDetectorConfig, TrainingPhase, WeightNormTracker


def metrics(step, readings, **given):
    names = {"train/accuracy": "train_accuracy", "val/accuracy": "val_accuracy"}
    names |= {"train/loss": "train_loss", "val/loss": "val_loss"}
    fields = {"train_loss": 1.0, "val_loss": 1.0, **{names[name]: value for name, value in readings.items()}, **given}
    return EpochMetrics(step, **fields)


def watched(records, config=None):
    detector = GrokDetector(config)
    return detector, [detector.update(metrics(step, readings)) for step, readings in records]


def run(name, evaluations=300):
    """Losses and accuracies of the same run."""
    shape = made(name, evaluations, 0)
    return [(step, {**a, **b}) for (step, a), (_, b) in zip(as_accuracy(shape), as_loss(shape), strict=True)]


def losses(name):
    return as_loss(made(name, 300, 0))


TIMELINE = {  # epoch: loss, correlation, coverage; as published
    **{0: (14.55, 0.715, 0.049), 8: (3.95, 0.71, 0.049), 25: (4.6, 0.703, 0.050), 49: (5.19, 0.695, 0.049)},
    **{50: (22.50, 0.687, 0.049), 100: (25.0, 0.55, 0.049), 200: (22.0, 0.52, 0.049), 299: (20.25, 0.502, 0.049)},
}


def published():
    at = sorted(TIMELINE)
    columns = [np.interp(range(300), at, [TIMELINE[epoch][k] for epoch in at]) for k in range(3)]
    return [
        EpochMetrics(i, float(a), float(a), correlation=float(b), coverage=float(c))
        for i, (a, b, c) in enumerate(zip(*columns, strict=True))
    ]


# ---- the eleven defects


@pytest.mark.parametrize("curves", [run, losses])
@pytest.mark.parametrize("name", ["classic", "gradual"])
def test_1_the_grokking_phase_is_reached(name, curves):
    _, told = watched(curves(name))
    assert TrainingPhase.GROKKING in {one.current_phase for one in told}
    assert told[-1].current_phase is TrainingPhase.CONVERGED


@pytest.mark.parametrize("name", ["classic", "ordinary", "memorized only"])
def test_2_a_run_without_correlations_is_not_warned_of_degradation(name):
    _, told = watched(run(name))
    assert not any("degraded" in warning for one in told for warning in one.warnings)
    assert any("degraded" in warning for one in watched(run("early best"))[1] for warning in one.warnings)  # control


def test_3_the_probability_is_one_after_grokking_and_no_guess_before():
    _, told = watched(run("classic"))
    assert told[-1].grokking_probability == 1.0
    _, told = watched([(100_000 + i, r) for i, (_, r) in enumerate(run("memorized only"))])
    assert math.isnan(told[-1].grokking_probability)  # not 0.7
    _, told = watched(run("ordinary"))
    assert told[-1].grokking_probability == 0.0


@pytest.mark.parametrize("scale", [0.001, 1.0, 1000.0])
def test_4_the_unit_of_the_loss_changes_nothing(scale):
    for name in ("classic", "memorized only", "early best"):
        scaled = [(s, {key: scale * value for key, value in r.items()}) for s, r in losses(name)]
        assert [one.current_phase for one in watched(scaled)[1]] == [
            one.current_phase for one in watched(losses(name))[1]
        ]


def test_4_accuracies_decide_where_there_are_any():
    rows = run("classic")
    for _, readings in rows:
        readings |= {"train/loss": 1.0, "val/loss": 1.0}  # losses that say nothing
    assert TrainingPhase.GROKKING in {one.current_phase for one in watched(rows)[1]}


def test_5_nothing_learned_is_not_converged():
    for name in ("confusion", "memorized only"):
        for curves in (run, losses):
            assert TrainingPhase.CONVERGED not in {one.current_phase for one in watched(curves(name))[1]}


def test_6_a_loss_alone_can_degrade():
    for name in ("grokking, then anti-grokking", "grokking, then training collapse", "early best"):
        assert watched(losses(name))[1][-1].current_phase is TrainingPhase.DEGRADATION


def test_7_a_correlation_below_zero_can_be_the_best():
    detector = GrokDetector()
    for epoch, correlation in enumerate([-0.9, -0.5, -0.2, -0.4]):
        detector.update(EpochMetrics(epoch, 1.0, 1.0, correlation=correlation))
    assert detector.get_summary()["best_metrics"]["correlation"] == {"value": -0.2, "epoch": 2}


def test_8_a_model_is_only_looked_at():
    """The old estimate left the model in evaluation mode. The tracker reads parameters and nothing else."""

    class Model:
        def named_parameters(self):
            return [("a", np.array([3.0, 4.0])), ("b", np.array([[12.0]]))]

        def __getattr__(self, name):
            raise AssertionError(f"{name} was touched")

    assert WeightNormTracker().compute_norms(Model()) == {"a": 5.0, "b": 12.0, "total": 13.0}


def test_9_white_noise_and_noisy_descents_have_no_double_descent_and_a_clean_one_has():
    def kinds(values):
        detector = GrokDetector()
        for epoch, value in enumerate(values):
            detector.update(EpochMetrics(epoch, float(value), float(value)))
        return [event.kind for event in detector.events if event.kind == "double_descent"]

    draw = random.Random(0)
    white = sum(bool(kinds([10 * math.exp(0.3 * draw.gauss(0, 1)) for _ in range(100)])) for _ in range(100))
    falling = [[10 * 0.97**i * math.exp(0.1 * draw.gauss(0, 1)) for i in range(100)] for _ in range(100)]
    assert white + sum(bool(kinds(values)) for values in falling) == 0
    assert kinds(np.interp(range(100), [0, 20, 50, 99], [10, 4, 8, 1])) == ["double_descent"]


def test_10_a_norm_that_shrinks_is_noticed_whatever_its_unit_and_noise_is_not():
    class Model:
        def named_parameters(self):
            return [("w", np.array([self.norm]))]

    def flags(norms):
        tracker, model, found = WeightNormTracker(), Model(), []
        for model.norm in norms:
            tracker.compute_norms(model)
            found.append(tracker.detect_compression_phase())
        return found

    shrinking = 49 + 66 * np.exp(-np.arange(400) / 100)  # from 115 to 49
    for unit in (1e-3, 1.0, 1e3):
        found = flags(unit * shrinking)
        first = next(i for i, (is_compressed, _) in enumerate(found) if is_compressed)
        assert shrinking[first] == pytest.approx(0.9 * 115, rel=0.02)
        assert all(found[i] == (True, 1) for i in range(first, 400))
    draw = np.random.default_rng(0)
    assert not any(is_compressed for is_compressed, _ in flags(100 + draw.normal(0, 3, 400)))
    assert not any(is_compressed for is_compressed, _ in flags(49 + 0.1 * np.arange(400)))


def test_11_the_published_timeline_is_degradation_with_both_bests_and_the_shift_at_epoch_50():
    detector = GrokDetector()
    detector.declare(50, "beta-B warmup")
    told = [detector.update(one) for one in published()]
    assert told[-1].current_phase is TrainingPhase.DEGRADATION
    bests = detector.get_summary()["best_metrics"]
    assert bests["val_loss"] == {"value": pytest.approx(3.95), "epoch": 8}
    assert bests["correlation"] == {"value": pytest.approx(0.715), "epoch": 0}
    shifts = {
        (e.evidence["reading"], e.step, e.evidence["declared"]) for e in detector.events if e.kind == "level_shift"
    }
    assert ("val/loss", 50, "beta-B warmup") in shifts
    assert detector.verdict().family == "early_best_degradation"
    phases = {one.current_phase for one in told}
    assert not phases & {TrainingPhase.MEMORIZATION, TrainingPhase.GROKKING}  # it was never fitted
    assert any("beta-B warmup" in warning for warning in told[-1].warnings)
    assert "val/loss 3.95 at 8" in told[-1].recommendations[0]  # where to go back to


# ---- the interface


def test_names_fields_and_defaults_are_those_of_the_earlier_project():
    assert [phase.value for phase in TrainingPhase] == (
        ["warmup", "memorization", "plateau", "grokking", "degradation", "converged"]
    )
    assert list(EpochMetrics.__dataclass_fields__) == [
        *("epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy", "correlation", "coverage"),
        *("weight_norm", "gradient_norm", "local_complexity", "learning_rate"),
    ]
    assert EpochMetrics(1, 2.0, 3.0, coverage=0.5).to_dict() == {
        "epoch": 1,
        "train_loss": 2.0,
        "val_loss": 3.0,
        "coverage": 0.5,
    }
    config = GrokDetectorConfig()
    assert (config.short_window, config.long_window, config.grokking_patience) == (10, 50, 100)
    assert list(GrokAnalysis.__dataclass_fields__) == [
        *("current_phase", "grokking_probability", "epochs_in_memorization", "best_generalization_epoch"),
        *("current_generalization_gap", "trend_direction", "recommendations", "warnings"),
    ]


def test_a_summary_and_a_report_tell_the_whole_training(tmp_path):
    detector, told = watched(run("classic"))
    summary = detector.get_summary()
    assert summary["total_epochs"] == 300 and summary["current_phase"] == "converged"
    fit = next(step for step, r in run("classic") if r["train/accuracy"] >= 0.99)
    assert summary["memorization_started_at"] == fit
    changes = [(one["from"], one["to"]) for one in summary["phase_transitions"]]
    assert changes[-1] == ("grokking", "converged")
    detector.save_report(tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report) == {"summary", "history"} and len(report["history"]) == 300
    assert report["summary"]["final_metrics"]["val_accuracy"] == pytest.approx(1.0, abs=1e-3)
    assert told[-1].trend_direction == "stable" and told[-1].current_generalization_gap == pytest.approx(0.0, abs=1e-3)


def test_time_in_memorization_and_the_trend_follow_the_curves():
    records = run("classic")
    _, told = watched(records)
    fit = next(step for step, r in records if r["train/accuracy"] >= 0.99)
    waiting = next(i for i, (step, _) in enumerate(records) if step >= 4000)
    assert told[waiting].epochs_in_memorization == records[waiting][0] - fit
    assert told[-1].epochs_in_memorization == 0
    rising = next(i for i, (_, r) in enumerate(records) if r["val/accuracy"] >= 0.6)
    assert told[rising].trend_direction == "improving"
    _, told = watched(run("grokking, then anti-grokking"))
    assert "degrading" in {one.trend_direction for one in told}


def test_a_reading_that_first_comes_later_is_taken_up():
    records = run("classic")
    for _, readings in records[:20]:
        del readings["train/accuracy"], readings["val/accuracy"]
    detector, told = watched(records)
    assert told[-1].current_phase is TrainingPhase.CONVERGED
    assert detector.verdict().evidence["val_reading"] == "val/accuracy"


def test_a_change_of_the_learning_rate_explains_a_jump():
    detector = GrokDetector()
    for epoch in range(100):
        loss = (1.0 if epoch < 50 else 3.0) * (1 + 0.001 * (epoch % 3))
        detector.update(EpochMetrics(epoch, loss, loss, learning_rate=1e-3 if epoch < 50 else 1e-2))
    shift = next(event for event in detector.events if event.kind == "level_shift")
    assert shift.evidence["declared"] == "learning rate 0.001 -> 0.01"


def test_the_same_epoch_twice_is_a_resume():
    detector = GrokDetector()
    for epoch in [*range(30), *range(20, 60)]:
        detector.update(EpochMetrics(epoch, 1.0, 1.0))
    assert [event.kind for event in detector.events] == ["resume"]


def test_an_empty_detector_has_a_summary_and_a_verdict():
    assert GrokDetector().get_summary()["total_epochs"] == 0
    assert GrokDetector().verdict().family == "insufficient_data"


def test_the_work_of_an_update_does_not_grow_with_the_history():
    """In bytecode instructions, so that it does not matter what else the machine does."""
    counts = []

    def count(frame, event, _):
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counts[-1] += event == "opcode"
        return count

    detector, before = GrokDetector(), sys.gettrace()
    for epoch in range(4400):
        a = 1 + 0.1 * math.sin(epoch * epoch)
        metrics = EpochMetrics(epoch, 0.1 * a, 2 * a, 1.0, 0.1 + 0.01 * a)
        counts.append(0)
        if 300 <= epoch % 4000 < 400:
            sys.settrace(count)
        detector.update(metrics)
        sys.settrace(before)
    early, late = (sorted(counts[start : start + 100])[50] for start in (300, 4300))
    assert early > 1000  # control: they are counted
    assert late < 1.05 * early
    assert max(counts[4300:]) < 1.5 * max(
        counts[300:400]
    )  # nor are there epochs at which everything is gone over again
