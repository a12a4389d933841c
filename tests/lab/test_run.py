"""`latebloom.run` from Python: what it takes, what it hands back, what it keeps on disk."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import latebloom
from engine.tiny import CODES, MIXTURE, MLP, TRANSFORMER, tiny
from faults.training import SPEC, Watcher
from latebloom import lab
from latebloom.base.errors import SpecError, StoreError
from latebloom.detect import replay
from latebloom.engine import start
from latebloom.lab.keeping import Keeper
from latebloom.spec import identity, plain, to_yaml
from latebloom.store import Store

QUICK = tiny(steps=10, model=MLP, evaluation={"every": 2}, checkpoints={"every": 4, "best": []})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> lab.Run:
    return latebloom.run(QUICK, name="quick", store=tmp_path_factory.mktemp("runs"))


# What it takes


def test_a_recipe_file_a_spec_and_settings_describe_the_same_run(memory: Path) -> None:
    recipe = memory / "recipe.yaml"
    recipe.write_text(to_yaml(QUICK))
    wanted = QUICK.but(seed=3, optimizer={**plain(QUICK)["optimizer"], "weight_decay": 0.3})
    store = memory / "runs"
    runs = [
        latebloom.run(recipe, ["seed=3", "optimizer.weight_decay=0.3"], store=store),
        latebloom.run(str(recipe), seed=3, optimizer={"weight_decay": 0.3}, store=store),
        latebloom.run(QUICK, ["optimizer.weight_decay=0.3"], seed=3, store=store),
        latebloom.run(wanted, store=store),
    ]
    ends = {lab.digest(run.stored.load(10)) for run in runs}
    assert len(ends) == 1
    assert len({run.stored.spec_hash for run in runs}) == 1
    assert {run.stored.spec_hash for run in runs} == {identity(run.spec) for run in runs}


def test_settings_win_over_overrides(memory: Path) -> None:
    assert latebloom.run(QUICK, ["seed=3", "steps=2"], seed=5, store=memory).stored.seed == 5


def test_every_wrong_setting_is_told_at_once_and_nothing_is_written(memory: Path) -> None:
    with pytest.raises(SpecError) as refused:
        latebloom.run(QUICK, ["optimizer.learning_rat=1", "steps=0"], store=memory / "runs")
    assert len(refused.value.problems) == 2
    with pytest.raises(SpecError, match=r"batch.size = 5000 asks for 5000 different examples of add"):
        latebloom.run(QUICK, ["batch.size=5000"], store=memory / "runs")
    assert not [path for path in memory.rglob("*") if path.name == "run.json"]


def test_the_store_is_where_the_environment_says(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATEBLOOM_STORE", str(memory / "elsewhere"))
    assert latebloom.run(QUICK).path.parent == memory / "elsewhere"
    monkeypatch.delenv("LATEBLOOM_STORE")
    monkeypatch.chdir(memory)
    assert latebloom.run(QUICK).path.parent == Path("runs")


def test_two_runs_in_one_process_do_not_touch_each_other(memory: Path) -> None:
    """Nothing global is drawn from: a run between, or torch's generator, changes no bit."""
    dropout = QUICK.but(model={**TRANSFORMER, "dropout": 0.2})
    first = latebloom.run(dropout, store=memory)
    torch.manual_seed(99)
    latebloom.run(QUICK, seed=8, store=memory)
    second = latebloom.run(dropout, store=memory)
    assert first.stored.load(10) == second.stored.load(10)
    assert (first.path / "readings.jsonl").read_bytes() == (second.path / "readings.jsonl").read_bytes()


def test_everything_named_in_the_package_is_there() -> None:
    for name in latebloom.__all__:
        assert getattr(latebloom, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        _ = latebloom.rum  # type: ignore[attr-defined]
    assert importlib.import_module("latebloom.lab").run is latebloom.run


# What it hands back


def test_a_run_hands_out_its_curves_events_and_verdict(finished: lab.Run) -> None:
    assert finished.status == "finished" and finished.stored.name == "quick"
    assert finished.outcome == lab.Outcome("finished", "all 10 steps are done", 0)
    assert finished.spec == QUICK.but(name="quick", detector={**plain(QUICK)["detector"], "chance": 1 / 7})
    assert finished.curves["val/accuracy"].steps.tolist() == [0, 2, 4, 6, 8, 10]
    assert set(finished.curves) == {
        "train/accuracy", "train/loss", "train/batch_loss", "val/accuracy", "val/loss", "weight_norm/l2"}  # fmt: skip
    assert finished.verdict.family == "insufficient_data"  # six evaluations
    assert repr(finished) == f"<Run {finished.id} 'quick' finished at step 10>"
    summary = finished.stored.summary
    assert summary["val/accuracy"] == finished.curves["val/accuracy"].values[-1]
    assert summary["verdict"] == "insufficient_data"


def test_the_events_on_disk_are_what_the_detector_finds_in_the_readings_on_disk(memory: Path) -> None:
    run = latebloom.run(SPEC, store=memory)
    _, replayed = replay(run.spec.detector, run.stored.records())
    assert run.events == replayed != []
    assert run.story.event_differences == []


@pytest.mark.parametrize(
    "settings",
    [{"model": MLP}, {"model": TRANSFORMER}, {"model": {**TRANSFORMER, "dropout": 0.3}}, {"task": MIXTURE, "batch": {
        "size": 15}}],
    ids=["mlp", "transformer", "dropout", "mixture"],
)  # fmt: skip
def test_the_weights_handed_out_reproduce_the_stored_accuracy_exactly(settings: dict[str, Any], memory: Path) -> None:
    run = latebloom.run(tiny(**settings, checkpoints={"every": 3, "latest": 100, "best": []}), store=memory)
    split = run.spec.task.split(run.spec.seed)
    accuracy = dict(zip(*(column.tolist() for column in run.curves["val/accuracy"]), strict=True))
    labels_M = torch.from_numpy(split.labels_N[split.val_M])
    for step in (3, 12, 24, None):
        model = run.model(step)
        assert not model.training
        with torch.no_grad():
            answers_M = model(torch.from_numpy(split.inputs_NT[split.val_M])).argmax(1)
        assert int((answers_M == labels_M).sum()) / len(labels_M) == accuracy[24 if step is None else step]


def test_the_weights_of_a_step_without_a_checkpoint_are_refused(finished: lab.Run) -> None:
    with pytest.raises(StoreError, match=r"no checkpoint at step 5\. It has: 8, 10"):
        finished.model(5)


# What a reader must know


def notices_of(run: lab.Run) -> list[str]:
    return [entry["text"] for entry in run.stored.journal() if entry["what"] == "notice"]


def test_shares_that_a_batch_cannot_have_exactly_are_told(memory: Path) -> None:
    [told] = notices_of(latebloom.run(QUICK, task=MIXTURE, batch={"size": 16}, store=memory))
    assert told == "add/divide at 0.666667/0.333333 of 16 are 11/5 examples (0.6875/0.3125)"
    assert notices_of(latebloom.run(QUICK, task=MIXTURE, batch={"size": 15}, store=memory)) == []


def test_shares_that_the_full_batch_ignores_are_told(memory: Path) -> None:
    [told] = notices_of(latebloom.run(QUICK, task=MIXTURE, batch={"size": None}, store=memory))
    assert "0.706 add, 0.294 divide: the shares of the parts have no effect" in told  # half of 49 and of 20 pairs
    assert notices_of(latebloom.run(QUICK, batch={"size": None}, store=memory)) == []


def test_dropout_is_told_to_cost_the_sharing_of_prefixes(memory: Path) -> None:
    [told] = notices_of(latebloom.run(QUICK, model={**TRANSFORMER, "dropout": 0.1}, store=memory))
    assert "dropout = 0.1" in told and "no longer computed once" in told
    assert notices_of(latebloom.run(QUICK, model=TRANSFORMER, store=memory)) == []


def test_two_decays_that_pull_in_different_directions_are_told(memory: Path) -> None:
    pull = [{"kind": "decay_to_init"}]
    decay = {"kind": "adamw", "learning_rate": 0.01, "weight_decay": 0.5}
    [told] = notices_of(latebloom.run(QUICK, interventions=pull, optimizer=decay, store=memory))
    assert "optimizer.weight_decay = 0.5 to 0" in told
    alone = {**decay, "weight_decay": 0.0}
    assert notices_of(latebloom.run(QUICK, interventions=pull, optimizer=alone, store=memory)) == []


def test_a_reading_that_is_waited_for_and_never_taken_is_told(memory: Path) -> None:
    slip = {"kind": "any_of", "rules": [{"kind": "after_generalization", "reading": "val/acc"}, {"kind": "collapsed"}]}
    best = {**plain(QUICK)["checkpoints"], "best": [{"reading": "val/los"}, {"reading": "val/loss"}]}
    told = notices_of(latebloom.run(QUICK, stopping=slip, checkpoints=best, store=memory))
    assert len(told) == 2 and "Did you mean 'val/accuracy'?" in told[0] and "'val/los'" in told[1]
    assert notices_of(latebloom.run(QUICK, stopping={"kind": "after_generalization"}, store=memory)) == []


def test_a_run_says_what_it_was_computed_with(finished: lab.Run) -> None:
    environment = finished.stored.environment
    assert environment["fingerprint"]["torch"] == torch.__version__
    assert environment["fingerprint"]["threads"] == 1
    assert environment["latebloom"] and environment["python"] and environment["system"]


def test_the_journal_names_the_bits_it_ended_with(finished: lab.Run) -> None:
    assert finished.stored.journal()[-1]["state_sha256"] == lab.digest(finished.stored.load(10))


# Who watches


class Notes(Watcher):
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def start(self, *told: Any, **more: Any) -> None:
        self.calls.append(("start", *told))

    def update(self, *told: Any) -> None:
        self.calls.append(("update", *told))

    def recall(self, *told: Any) -> None:
        self.calls.append(("recall", *told))

    def event(self, text: str) -> None:
        self.calls.append(("event", text))

    def stop(self) -> None:
        self.calls.append(("stop",))


def test_a_listener_is_told_of_every_step_and_event(memory: Path) -> None:
    notes, started = Notes(), list[str]()
    run = latebloom.run(SPEC, store=memory, listener=notes, started=lambda stored: started.append(stored.id))
    assert started == [run.id]
    assert notes.calls[0] == ("start", "run  seed 1", 24) and notes.calls[-1] == ("stop",)
    updates = [call[1:] for call in notes.calls if call[0] == "update"]
    assert [step for step, *_ in updates] == list(range(run.stored.step + 1))
    assert {step: readings for step, readings, *_ in updates if readings} == dict(run.stored.records())
    assert [phase for _, _, phase, *_ in updates][-1] == run.stored.summary["phase"]
    assert all(speed >= 0 and (left is None or left >= 0) for *_, speed, left in updates)
    assert not [call for call in notes.calls if call[0] == "recall"]
    [event] = run.events
    told = f"memorized at step {event.step}, known at step {event.known_at}"
    assert [call[1] for call in notes.calls if call[0] == "event"] == [told]


def test_a_listener_changes_no_bit(memory: Path) -> None:
    watched = latebloom.run(SPEC, store=memory, listener=Notes())
    alone = latebloom.run(SPEC, store=memory)
    assert watched.stored.load(watched.stored.step) == alone.stored.load(alone.stored.step)


# What is kept


def labels_of(run: lab.Run) -> dict[int, tuple[str, ...]]:
    return {checkpoint.step: checkpoint.labels for checkpoint in run.stored.checkpoints()}


def test_the_latest_the_milestones_the_events_and_each_best_are_kept_and_nothing_else(memory: Path) -> None:
    run = latebloom.run(SPEC, store=memory)
    kept = labels_of(run)
    records = {step: readings for step, readings in run.stored.records() if "train/loss" in readings}
    best_loss = min((step for step in records if step), key=lambda step: records[step]["train/loss"])
    best_accuracy = max((step for step in records if step), key=lambda step: (records[step]["train/accuracy"], -step))
    [memorized] = run.events
    saved = [entry["step"] for entry in run.stored.journal() if entry["what"] == "saved"]
    assert set(kept) == {10, memorized.known_at, best_loss, best_accuracy, *saved[-2:]}
    assert set(kept) < set(saved)  # some were deleted
    assert "milestone" in kept[10] and "event:memorized" in kept[memorized.known_at]
    assert "best:train/loss" in kept[best_loss] and "best:train/accuracy" in kept[best_accuracy]
    assert "final" in kept[run.stored.step]


@pytest.mark.parametrize(
    ("checkpoints", "kept"),
    [
        ({"every": 4, "best": []}, {8, 10}),
        ({"every": 4, "latest": 3, "best": []}, {4, 8, 10}),
        ({"every": None, "best": []}, {10}),
        ({"every": 1, "milestones": {"at": [3, 5]}, "best": []}, {3, 5, 9, 10}),
        ({"every": None, "milestones": {"every": 3}, "best": []}, {3, 6, 9, 10}),
        ({"every": None, "best": [{"reading": "weight_norm/l2"}]}, {8, 10}),
    ],
)
def test_what_the_spec_asks_to_keep_is_kept(checkpoints: dict[str, Any], kept: set[int], memory: Path) -> None:
    settings = {} if checkpoints["best"] == [] else {"optimizer": {"kind": "sgd", "learning_rate": 0.5}}
    run = latebloom.run(QUICK.but(checkpoints=checkpoints), store=memory, **settings)
    if checkpoints["best"]:  # strong decay: the norm falls at every evaluation, so the best is the last
        assert run.curves["weight_norm/l2"].values.argmin() == 5
    assert set(labels_of(run)) == kept


def test_the_untrained_model_is_no_checkpoint_of_its_own() -> None:
    """Step 0 follows from the seed; being best so far by having been first says nothing."""
    from latebloom.engine import Moment

    keeper = Keeper(QUICK.checkpoints, {})
    assert keeper.labels(Moment(0, {"val/loss": 1.0}, [], ["best:val/loss"], None, {})) == []
    assert keeper.labels(Moment(4, {"val/loss": 0.5}, [], ["best:val/loss"], None, {})) == ["every", "best:val/loss"]


def test_keeping_never_lets_go_of_what_it_could_not_read() -> None:
    keeper = Keeper(QUICK.checkpoints, {2: ("unreadable",), 4: ("every",), 6: ("every",), 8: ("every",)})
    assert keeper.kept(start(QUICK, QUICK.task.split(1))) == {2, 6, 8}


def test_the_manifest_of_a_checkpoint_carries_the_readings_of_its_step(memory: Path) -> None:
    run = latebloom.run(QUICK.but(checkpoints={"every": 2, "latest": 9, "best": []}), store=memory)
    assert {c.step: c.readings for c in run.stored.checkpoints()} == {s: r for s, r in run.stored.records() if s}
    told = json.loads((run.stored.checkpoints()[0].path / "MANIFEST.json").read_text())
    assert told["readings"] == run.stored.checkpoints()[0].readings


def test_a_checkpoint_between_two_evaluations_claims_no_readings(memory: Path) -> None:
    run = latebloom.run(QUICK, steps=12, evaluation={"every": 4}, checkpoints={"every": 3}, store=memory)
    readings = {c.step: c.readings for c in run.stored.checkpoints() if "every" in c.labels}
    assert readings[9] == {}
    values = dict(zip(run.curves["val/loss"].steps.tolist(), run.curves["val/loss"].values.tolist(), strict=True))
    assert readings[12]["val/loss"] == values[12]


def test_a_resumed_runs_listener_is_told_what_was_read_before(memory: Path) -> None:
    latebloom.run(QUICK, store=memory)
    before = list(Store(memory).find("latest").records())
    notes = Notes()
    latebloom.resume(steps=QUICK.steps + 4, store=memory, listener=notes)
    assert [call[1:] for call in notes.calls if call[0] == "recall"] == before
    assert [call[0] for call in notes.calls].index("update") == 1 + len(before)


def test_a_run_whose_detector_waits_for_a_reading_that_the_task_has_not_says_so(memory: Path) -> None:
    numbers: dict[str, Any] = {
        "task": CODES,
        "model": MLP,
        "loss": {"kind": "log2_squared_error"},
        "batch": {"size": 12},
    }
    [told] = notices_of(latebloom.run(QUICK, **numbers, store=memory))
    assert told == (
        "This task has no train/accuracy and no val/accuracy, so nothing will be judged. Set "
        "detector.train_reading=train/r2 detector.val_reading=val/r2"
    )
    asked = {"train_reading": "train/r2", "val_reading": "val/r2"}
    assert notices_of(latebloom.run(QUICK, **numbers, detector=asked, store=memory)) == []
