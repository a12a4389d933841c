"""Phase diagrams: the phases as Liu et al. define them, and nothing missing passed over in silence."""

import json

import pytest

from latebloom.analysis.phases import liu_phase, phase_diagram
from latebloom.base.errors import DataError
from latebloom.report.figures.phases import cell_text, draw
from latebloom.report.phases import phases_text

X, Y = "optimizer.weight_decay", "task.train_fraction"


def steps(fit, generalized, last=6000, every=100):
    """Accuracies that jump from 5 % to 100 %."""
    return [
        (
            step,
            {
                "train/accuracy": 1.0 if fit is not None and step >= fit else 0.05,
                "val/accuracy": 1.0 if generalized is not None and step >= generalized else 0.05,
            },
        )
        for step in range(0, last + 1, every)
    ]


SPEC = {"detector": {"kind": "grokking"}, "task": {"kind": "modular"}, "steps": 6000, "evaluation": {"every": 100}}


@pytest.fixture
def run(stored):
    return lambda records, **more: stored(records, spec=SPEC, **more)


@pytest.mark.parametrize(
    ("fit", "generalized", "phase"),
    [
        (None, None, "confusion"),
        (None, 500, "confusion"),  # the table asks for training first
        (400, None, "memorization"),
        (400, 1399, "comprehension"),
        (400, 1400, "grokking"),
        (400, 300, "comprehension"),
    ],
)
def test_the_phases_are_those_of_the_published_table(fit, generalized, phase):
    assert liu_phase(fit, generalized) == phase


def test_a_cell_counts_its_runs_and_takes_medians_over_all_of_them(run):
    label = {X: 1.0, Y: 0.5}
    runs = [({**label, "seed": i}, run(steps(400, at))) for i, at in enumerate((1000, 3000, None))]
    (cell,) = phase_diagram(runs, X, Y).cells
    assert cell.phases == {"comprehension": 1, "grokking": 1, "memorization": 1}
    assert cell.phase == "memorization"  # of equally frequent ones the least favourable
    assert (cell.n, cell.generalized, cell.generalized_steps, cell.delay_steps) == (3, 2, 3000, 2600)
    (cell,) = phase_diagram(runs[1:], X, Y).cells  # half of two: the later half has not happened
    assert (cell.generalized, cell.generalized_steps, cell.horizon_steps) == (1, 3000, 6000)
    (cell,) = phase_diagram(runs[2:], X, Y).cells
    assert cell.generalized_steps is None and "G" not in cell_text(cell) and ">6,000" in cell_text(cell)


def test_what_is_missing_or_unfinished_is_counted_and_marked(run):
    label = {X: 1.0, Y: 0.5}
    half = run(steps(400, None, last=3000), status="interrupted")
    (cell,) = phase_diagram([({**label, "seed": 0}, half), ({**label, "seed": 1}, None)], X, Y).cells
    assert (cell.n, cell.missing, cell.unfinished, cell_text(cell)) == (0, 1, 1, "–")  # its phase is not known yet
    ended = run(steps(400, None, last=3000))  # by a rule of its own
    (cell,) = phase_diagram([({**label, "seed": 0}, half), ({**label, "seed": 1}, ended)], X, Y).cells
    assert (cell.n, cell.missing, cell.unfinished, cell.horizon_steps) == (1, 0, 2, 3000)
    assert "*" in cell_text(cell)
    (cell,) = phase_diagram([(label, run(steps(400, 2000, last=3000), status="interrupted"))], X, Y).cells
    assert (cell.n, cell.unfinished, cell.generalized) == (1, 0, 1)  # known, whatever comes
    (cell,) = phase_diagram([({**label, "seed": 1}, None)], X, Y).cells
    assert (cell.n, cell.phase, cell_text(cell)) == (0, None, "–")
    whole = run(steps(400, None))
    (cell,) = phase_diagram([({**label, "seed": 0}, whole)], X, Y).cells
    assert (cell.unfinished, cell_text(cell)) == (0, "M  0/1\n>6,000")


def test_a_run_that_was_not_read_is_missing_and_not_confused(run):
    label = {X: 1.0, Y: 0.5}
    runs = [({**label, "seed": 0}, run([], status="interrupted")), ({**label, "seed": 1}, run(steps(400, 2000)))]
    (cell,) = phase_diagram(runs, X, Y).cells
    assert (cell.n, cell.missing, cell.phases) == (1, 1, {"grokking": 1})
    (lost,) = phase_diagram([(label, run([], status="diverged"))], X, Y).cells
    assert (lost.n, lost.phases) == (1, {"confusion": 1})  # it will not be read any more


@pytest.mark.parametrize("also", [[], [2000]])
def test_validation_that_comes_before_training_is_drawn_with_its_delay(run, also):
    """Much data and a lower threshold for validation: a delay of less than none."""
    runs = [({X: x, Y: 0.5, "seed": 0}, run(steps(900, at))) for x, at in enumerate([400, *also])]
    _, right = draw(phase_diagram(runs, X, Y)).axes
    assert right.texts[0].get_text() == "-500"


def test_values_are_sorted_as_numbers_and_the_figure_has_every_cell(run):
    runs = [({X: x, Y: y, "seed": 0}, run(steps(400, 2000))) for x in (10.0, 2.0, 0.5) for y in (0.5, 0.25)]
    diagram = phase_diagram(runs, X, Y)
    assert (diagram.xs, diagram.ys) == ([0.5, 2.0, 10.0], [0.25, 0.5])
    assert json.loads(json.dumps(diagram.to_json(), allow_nan=False))["cells"][0]["x"] == 0.5
    left, right = draw(diagram).axes
    assert len(left.texts) == len(right.texts) == 6
    assert phases_text(diagram).count("G 1/1 2,000") == 6


def test_axes_that_would_mix_runs_are_refused(run):
    done = run(steps(400, 2000))
    runs = [({X: x, Y: 0.5, "batch.size": size, "seed": 0}, done) for x in (1, 2) for size in (256, 512)]
    with pytest.raises(DataError, match=r"also differ in batch.size"):
        phase_diagram(runs, X, Y)
    with pytest.raises(DataError, match=r"have no model.width; they differ in"):
        phase_diagram(runs, "model.width", Y)
    with pytest.raises(DataError, match=r"1 of the runs have no .* e\.g\. \{'seed': 1\}"):
        phase_diagram([*runs[:1], ({"seed": 1}, done)], X, Y)
