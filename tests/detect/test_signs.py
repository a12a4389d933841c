"""Signs of a run's state against curves whose slopes are known, and laws that they must obey."""

from __future__ import annotations

import math

import pytest

from latebloom.detect import Watch, gauge
from latebloom.detect.signs import signs

WATCH = Watch(also=(gauge("train/loss"), gauge("val/loss")), norm=None)
ALL = {"age", "val_progress", "val_slope", "val_loss", "val_loss_slope"}


def log(steps, *, loss_unit=1.0, rises=0.08):
    """Fitted from step 100; then validation accuracy gains `rises` and ln(loss) loses 0.4 per factor e of steps."""
    rows = []
    for step in steps:
        late = math.log(max(step, 100) / 100)
        rows.append(
            (
                step,
                {
                    "train/accuracy": 1.0 if step >= 100 else 0.1,
                    "val/accuracy": 0.1 + rises * late,
                    "train/loss": loss_unit * (2.3 if step == 0 else 0.05 * math.exp(-1.5 * late)),
                    "val/loss": loss_unit * (2.3 if step == 0 else 4.0 * math.exp(-0.4 * late)),
                },
            )
        )
    return rows


def state_after(rows, watch=WATCH):
    state = watch.init()
    for step, readings in rows:
        state, _ = watch.update(state, step, readings)
    return state


def test_levels_and_slopes_are_those_of_the_curves():
    found = signs(WATCH, state_after(log(range(0, 2001, 10))))
    late = math.log(1990 / 100)  # a level is the median of the last three readings
    assert found.keys() == ALL
    assert found["age"] == pytest.approx(math.log(2001 / 101))
    assert found["val_progress"] == pytest.approx(0.08 * late / 0.9)
    assert found["val_loss"] == pytest.approx(math.log(4.0 / 2.3) - 0.4 * late)
    # Stretches of readings are dated by their last one: a few per cent late.
    assert found["val_slope"] == pytest.approx(0.08 / 0.9, rel=0.05)
    assert found["val_loss_slope"] == pytest.approx(-0.4, rel=0.05)


def test_the_unit_of_the_losses_does_not_change_the_signs():
    one, other = (signs(WATCH, state_after(log(range(0, 2001, 10), loss_unit=unit))) for unit in (1.0, 37.0))
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


def test_the_unit_of_the_steps_does_not_change_the_signs():
    rows = log(range(0, 2001, 10))
    one, other = signs(WATCH, state_after(rows)), signs(WATCH, state_after([(1000 * step, of) for step, of in rows]))
    assert one == pytest.approx(other, rel=0.01, abs=0.01)


@pytest.mark.parametrize("every", [5, 20, 50])
def test_how_often_a_run_is_read_hardly_changes_the_signs(every):
    one, other = (signs(WATCH, state_after(log(range(0, 2001, n)))) for n in (10, every))
    assert one == pytest.approx(other, abs=0.1)
    steeper = signs(WATCH, state_after(log(range(0, 2001, every), rises=0.2)))
    assert steeper["val_slope"] > 2 * one["val_slope"]  # control


def test_the_signs_of_a_moment_do_not_depend_on_what_came_after():
    rows, whole = log(range(0, 3001, 10)), {}
    state = WATCH.init()
    for step, readings in rows:
        WATCH.take(state, step, readings)
        whole[step] = signs(WATCH, state)
    for end in (60, 150, 299):
        assert signs(WATCH, state_after(rows[:end])) == whole[rows[end - 1][0]]


def test_before_the_training_set_is_fitted_there_are_none():
    assert signs(WATCH, state_after(log(range(0, 100, 10)))) == {}
    assert signs(WATCH, state_after(log(range(0, 200, 10))))  # control


def test_accuracies_in_per_cent_have_the_signs_of_shares():
    rows = log(range(0, 2001, 10))
    in_per_cent = [
        (step, {name: 100 * value if name.endswith("accuracy") else value for name, value in of.items()})
        for step, of in rows
    ]
    assert signs(WATCH, state_after(in_per_cent)) == pytest.approx(signs(WATCH, state_after(rows)))
