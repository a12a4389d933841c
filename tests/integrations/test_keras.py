"""The adapter in real Keras trainings on torch, beside a hand record of the same training."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from integrations.sums import P, sums
from latebloom.detect import AfterGeneralization
from latebloom.store.ingest import read_log

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

X, Y, VAL_X, VAL_Y = (part.numpy() for part in sums())


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    found = pytest.importorskip("keras")
    assert found.backend.backend() == "torch"
    return found


def callback(**options: Any) -> Any:
    return importlib.import_module("latebloom.integrations.keras").GrokkingCallback(**{"say": None, **options})


def compiled(keras: Any, dropout: float = 0.0) -> Any:
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Dense(128, use_bias=False),
        keras.layers.Lambda(lambda h: h**2),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(P, use_bias=False),
    ]
    model = keras.Sequential([keras.layers.Input((2 * P,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(1e-2, weight_decay=2.0), loss, metrics=["accuracy"])
    return model


def accuracy(model: Any, inputs: Any, labels: Any) -> float:
    logits = model(inputs).detach().numpy()
    return float(np.mean(logits.argmax(-1) == labels))


def fit(model: Any, *callbacks: Any, epochs: int, batch: int = 370, **options: Any) -> Any:
    given = {"validation_data": (VAL_X, VAL_Y), "validation_batch_size": 370, "shuffle": False, "verbose": 0}
    return model.fit(X, Y, batch, epochs, callbacks=list(callbacks), **{**given, **options})


def by_hand(keras: Any, record: dict[int, dict[str, float]]) -> Any:
    def on_epoch_end(epoch: int, logs: Any) -> None:
        step = int(holder.model.optimizer.iterations)
        record[step] = {
            "train/accuracy": accuracy(holder.model, X, Y),
            "val/accuracy": accuracy(holder.model, VAL_X, VAL_Y),
        }

    holder = keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
    return holder


def read(recorder: Any) -> dict[int, dict[str, float]]:
    judged = [ours for ours in recorder.mapped if ours.endswith("/accuracy")]
    return {
        step: pytest.approx({ours: row[recorder.mapped[ours]] for ours in judged}, abs=1e-6)
        for step, row in recorder.rows
    }


def test_readings_are_those_taken_by_hand(keras: Any, tmp_path: Path) -> None:
    record: dict[int, dict[str, float]] = {}
    watching = callback(probe=(X, Y), log=tmp_path / "log.jsonl")
    fit(compiled(keras), watching, by_hand(keras, record), epochs=70)
    assert len(record) == 70
    assert record == read(watching.recorder)
    assert record[70]["train/accuracy"] > 0.99
    assert read_log(tmp_path / "log.jsonl").curves["val/accuracy"].steps.tolist() == list(range(1, 71))


def test_what_keras_calls_training_accuracy_is_a_mean_of_the_past(keras: Any) -> None:
    """Without a probe it is all there is; with one it is not used."""
    record: dict[int, dict[str, float]] = {}
    plain, probing, batches = callback(), callback(probe=(X, Y)), dict[int, list[float]]()
    each = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: batches.setdefault(len(record), []).append(logs["accuracy"])
    )
    fit(compiled(keras, dropout=0.2), plain, probing, by_hand(keras, record), each, epochs=8, batch=93)
    assert [step for step, _ in plain.recorder.rows] == [4, 8, 12, 16, 20, 24, 28, 32]  # updates, not epochs
    name = plain.recorder.mapped["train/accuracy"]
    means = [row[name] for _, row in plain.recorder.rows]
    assert means == pytest.approx([values[-1] for values in batches.values()])
    assert max(abs(mean - row["train/accuracy"]) for mean, row in zip(means, record.values(), strict=True)) > 0.05
    assert record == read(probing.recorder)


def test_steps_go_on_where_a_model_is_fitted_again_or_loaded(keras: Any, tmp_path: Path) -> None:
    watching, model = callback(), compiled(keras)
    fit(model, watching, epochs=3)
    fit(model, watching, epochs=2)
    assert [step for step, _ in watching.recorder.rows] == [1, 2, 3, 4, 5]


def test_epochs_without_validation_have_none(keras: Any) -> None:
    watching = callback()
    fit(compiled(keras), watching, epochs=6, validation_freq=3)
    assert [step for step, row in watching.recorder.rows if "val_accuracy" in row] == [3, 6]


def test_it_stops_the_training_only_if_asked_and_changes_no_weight(keras: Any) -> None:
    stopping, record = (
        callback(stop=AfterGeneralization(at_least=0.2, for_evaluations=3)),
        dict[int, dict[str, float]](),
    )
    lone, watched = compiled(keras, dropout=0.2), compiled(keras, dropout=0.2)
    keras.utils.set_random_seed(2)
    fit(lone, by_hand(keras, record), epochs=15)
    keras.utils.set_random_seed(2)
    fit(watched, callback(probe=(X, Y)), epochs=15)
    assert all(np.array_equal(a, b) for a, b in zip(lone.get_weights(), watched.get_weights(), strict=True))
    model = compiled(keras)
    fit(model, stopping, by_hand(keras, record := {}), epochs=500)
    good = [step for step, row in record.items() if row["val/accuracy"] >= 0.2]
    assert int(model.optimizer.iterations) == good[2]
