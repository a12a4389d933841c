import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import latebloom
from benchmarks.shapes import as_accuracy, as_loss, made
from latebloom import TrainingPhase, analyze_training_log, diagnose
from latebloom.base.errors import DataError
from latebloom.base.record import Curve, Event
from latebloom.store.ingest import read_log

LOGS = Path(__file__).parent / "logs"
LABELLED = {
    "ternary_vae.log": "early_best_degradation",
    "m_height_wd0.01.log": "rose_then_fell",
    "m_height_wd0.03.log": "rose_then_fell",
    "m_height_wd0.1.log": "unstable",
    "m_height_wd0.01_wandb.csv": "rose_then_fell",
    "m_height_wd0.03_wandb.csv": "rose_then_fell",
    "m_height_wd0.1_wandb.csv": "unstable",
}


def of(name):
    log = read_log(LOGS / name)
    return diagnose(log.curves, log.events)


def curves(records):
    names = dict.fromkeys(name for _, readings in records for name in readings)
    picked = {name: [(step, r[name]) for step, r in records if name in r] for name in names}
    return {
        name: Curve(np.array([s for s, _ in rows]), np.array([v for _, v in rows])) for name, rows in picked.items()
    }


@pytest.mark.parametrize("name", LABELLED)
def test_labelled_logs_are_judged_as_by_eye(name):
    told = of(name)
    assert told.verdict.family == LABELLED[name]
    assert "grokking" not in {span.phase for span in told.phases}
    json.dumps(told.to_json(), allow_nan=False)


def test_the_text_log_shows_degradation_both_bests_and_the_shift_at_its_schedule_step():
    told = of("ternary_vae.log")
    assert told.judged == {"train": "train/loss", "val": "val/correlation"}
    assert told.bests["train/loss"] == {"value": pytest.approx(3.95), "step": 8}
    assert told.bests["val/correlation"] == {"value": pytest.approx(0.715), "step": 0}
    (shift,) = [event for event in told.events if event.kind == "level_shift"]
    assert (shift.step, shift.evidence["direction"]) == (50, "worse")
    assert shift.evidence["factor"] == pytest.approx(4.34, rel=0.05)
    assert "beta" in shift.evidence["declared"]
    assert told.phases[-1].phase == "degradation"
    assert not {"memorization", "grokking"} & {span.phase for span in told.phases}


@pytest.mark.parametrize(("name", "at"), [("m_height_wd0.01.log", (785, 815)), ("m_height_wd0.03.log", (525, 605))])
def test_an_abrupt_transition_before_the_fit_is_called_that_and_not_grokking(name, at):
    judged = of(name).verdict
    assert at[0] <= judged.evidence["abrupt_at_step"] <= at[1]
    assert "abruptly" in judged.headline and "before the training set was fitted" in judged.headline
    assert "Not grokking" in judged.headline


def test_reading_a_log_and_analysing_it_is_one_call():
    told = analyze_training_log(LOGS / "ternary_vae.log")
    assert told.current_phase is TrainingPhase.DEGRADATION
    assert told.best_generalization_epoch == 0
    assert any("beta" in warning for warning in told.warnings)


def test_a_log_without_validation_says_so(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,train_loss\n" + "".join(f"{i},{5 * 0.9**i}\n" for i in range(50)))
    told = analyze_training_log(path)
    assert any("no validation reading" in warning for warning in told.warnings)
    assert told.current_phase in (TrainingPhase.WARMUP, TrainingPhase.PLATEAU)
    assert diagnose(read_log(path).curves).verdict.family == "insufficient_data"


def test_accuracies_are_judged_before_losses_and_what_is_judged_is_said():
    run = made("classic", 300, 0)
    both = curves(as_accuracy(run)) | curves(as_loss(run))
    told = diagnose(both)
    assert told.judged == {"train": "train/accuracy", "val": "val/accuracy"}
    assert "train/accuracy tells" in told.why[0]
    losses = diagnose(both, train="train/loss", val="val/loss")
    assert losses.judged["val"] == "val/loss" and losses.verdict.family == told.verdict.family == "grokking"
    with pytest.raises(DataError, match="val/los"):
        diagnose(both, val="val/los")


def test_per_cent_is_found_column_by_column():
    plain = curves(as_accuracy(made("classic", 300, 0)))
    told = diagnose({name: Curve(curve.steps, 100 * curve.values) for name, curve in plain.items()})
    assert told.verdict.evidence["val_target"] == 0.95 and "per cent" in told.why[0]
    assert told.verdict.headline == diagnose(plain).verdict.headline


def test_a_loss_below_zero_is_judged_by_its_own_scale():
    run = curves(as_accuracy(made("classic", 300, 0)))
    val = Curve(run["val/accuracy"].steps, 20 - 50 * run["val/accuracy"].values)
    told = diagnose({"train/accuracy": run["train/accuracy"], "val/loss": val}, val="val/loss")
    assert told.verdict.family == "grokking" and any("below 0" in why for why in told.why)


def test_a_first_loss_that_cannot_be_that_of_knowing_nothing_is_pointed_out():
    run = curves(as_loss(made("classic", 300, 0)))
    scaled = {name: Curve(curve.steps, curve.values.copy()) for name, curve in run.items()}
    for curve in scaled.values():
        curve.values[:2] = 2567.0  # weights scaled up at the start
    assert any("give its floor" in why for why in diagnose(scaled).why)
    told = diagnose(scaled, floor={"loss": np.log(97)})
    assert told.verdict.family == "grokking" and not any("give its floor" in why for why in told.why)


def test_a_reading_that_is_never_a_number_is_no_reading():
    run = curves(as_accuracy(made("classic", 300, 0)))
    nothing = Curve(run["val/accuracy"].steps, np.full(300, np.nan))
    told = diagnose({**run, "val/loss": nothing, "val/accuracy": nothing})
    assert told.verdict.family == "insufficient_data"
    assert "not_finite" in {event.kind for event in told.events}


def test_what_the_caller_knows_is_used():
    run = curves(as_accuracy(made("classic", 300, 0)))
    weak = {**run, "val/accuracy": Curve(run["val/accuracy"].steps, 0.7 * run["val/accuracy"].values)}
    assert diagnose(weak).verdict.family == "partial"
    assert diagnose(weak, ceiling={"val/accuracy": 0.7}).verdict.family == "grokking"
    assert diagnose(run, floor={"accuracy": 0.25}).verdict.evidence["val_floor"] == 0.25


def test_a_jump_is_attributed_to_what_the_log_declares():
    values = np.r_[np.full(50, 2.0), np.full(50, 8.0)] * (1 + 0.001 * (np.arange(100) % 3))
    steps = np.arange(0, 1000, 10)
    declared = Event(500, "learning_rate", 500, {"learning_rate": 0.01, "line": "lr 0.001 -> 0.01"})
    told = diagnose({"train/loss": Curve(steps, values)}, [declared])
    (shift,) = [event for event in told.events if event.kind == "level_shift"]
    assert (shift.step, shift.evidence["declared"]) == (500, "lr 0.001 -> 0.01")


def test_a_very_long_log_is_judged_by_medians_and_it_is_said():
    n = 200_000
    steps = np.arange(n)
    draw = np.random.default_rng(0)
    train = np.where(steps < 2000, 0.1, 1.0)
    val = np.clip(np.where(steps < 60_000, 0.01, 0.99) + 0.02 * draw.normal(size=n), 0, 1)
    told = diagnose({"train/accuracy": Curve(steps, train), "val/accuracy": Curve(steps, val)})
    assert told.verdict.family == "grokking"
    assert told.verdict.evidence["generalized_at_step"] == pytest.approx(60_000, abs=20)  # two medians of 10
    assert any("200,000 readings; medians of 10" in why for why in told.why)


def test_nothing_to_judge_is_said_plainly():
    told = diagnose({})
    assert told.verdict.family == "insufficient_data" and told.phases == []
    assert "no validation reading" in told.verdict.headline


def test_the_public_names_are_there_and_need_no_torch():
    names = "GrokDetector, GrokDetectorConfig, EpochMetrics, GrokAnalysis, TrainingPhase, WeightNormTracker"
    code = f"from latebloom import {names}, analyze_training_log, diagnose; import sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert set(names.split(", ")) <= set(latebloom.__all__)


def test_one_share_above_1_is_read_as_1_and_a_floor_that_nothing_uses_is_told():
    steps = np.arange(100)
    train, val = np.where(steps >= 6, 1.0, 0.2), np.where(steps >= 56, 0.99, 0.01)
    train[30] = 1.0156  # an average over batches of unequal sizes
    given = {"train/accuracy": Curve(steps, train), "val/accuracy": Curve(steps, val)}
    found = diagnose(given, floor={"acc": 0.01})
    assert found.verdict.family == "grokking" and found.verdict.evidence["evaluations"] == 100
    assert any("no share is above 1" in why for why in found.why)
    assert any("The floor given for acc changes nothing" in why for why in found.why)
    assert not any("changes nothing" in why for why in diagnose(given, floor={"accuracy": 0.01}).why)
