import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latebloom.analysis.story import tell
from latebloom.report.figures.curves import MOST_POINTS, curves_data, thinned
from latebloom.report.figures.draw import draw, picture
from latebloom.report.summary import facts


def test_the_figure_shows_the_readings_as_they_are(story, make):
    data = curves_data(story)
    expected = make(parts=("add", "divide"))
    assert [one.label for one in data.accuracy] == ["training", "validation", "val: add", "val: divide"]
    assert [one.name for one in data.loss] == ["train/loss", "val/loss"]
    for one in (*data.accuracy, *data.loss):
        assert one.steps.tolist() == [step for step, _ in expected]
        assert one.values.tolist() == [readings[one.name] for _, readings in expected]


def test_marks_phases_and_delay_are_those_of_the_story(story):
    data = curves_data(story)
    assert [(mark.label, mark.step) for mark in data.marks] == [(event.kind, event.step) for event in story.events]
    assert data.delay == (story.memorized.step, story.generalized.step)
    assert data.phases == story.phases
    assert (data.first_step, data.last_step) == (100, 20_000)


def test_a_run_that_did_not_grok_gets_no_arrow(story):
    ordinary = story._replace(verdict=story.verdict._replace(family="ordinary_learning"))
    assert curves_data(ordinary).delay is None


def test_a_loss_that_has_no_logarithm_is_a_gap(odd):
    for one in curves_data(odd).loss:
        assert not (one.values <= 0).any() and not np.isinf(one.values).any()


@given(arrays(np.float64, st.integers(1, 3000), elements=st.floats(-10, 10)), st.integers(4, 200))
def test_thinning_keeps_the_ends_the_highest_and_the_lowest(values, most):
    steps = 10 * np.arange(len(values))
    thin = thinned(steps, values, first_step=10, most=most)
    assert len(thin.steps) <= max(most, 4)
    assert (np.diff(thin.steps) > 0).all()
    assert thin.steps[[0, -1]].tolist() == steps[[0, -1]].tolist()
    assert (thin.values.min(), thin.values.max()) == (values.min(), values.max())
    assert (thin.values == values[thin.steps // 10]).all()


def test_a_spike_in_a_hundred_thousand_evaluations_is_seen(story):
    steps = np.arange(0, 1_000_000, 10)
    values = np.where(steps == 777_770, 50.0, 1.0)
    curve = type(story.curves["val/loss"])(steps, values)
    (loss,) = curves_data(story._replace(curves={"val/loss": curve}, step=1_000_000)).loss
    assert len(loss.steps) <= MOST_POINTS and loss.values.max() == 50.0


def test_the_same_story_gives_the_same_svg(story):
    assert picture(story).svg == picture(story).svg
    assert b"date" not in picture(story).svg.lower()


def test_the_panels_share_a_logarithmic_step_axis_that_says_where_it_is_linear(story):
    accuracy, loss = draw(curves_data(story)).axes
    assert accuracy.get_xscale() == "symlog" and loss.get_yscale() == "log"
    assert "linear from 0 to 100" in loss.get_xlabel()
    assert accuracy.get_xlim()[0] == 0


def test_curves_differ_by_line_style_and_not_by_colour_alone(story):
    lines = [line for line in draw(curves_data(story)).axes[0].lines if not line.get_label().startswith("_")]
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert len({line.get_color() for line in lines}) == len(lines)


def test_odd_runs_are_drawn(odd):
    assert picture(odd).png.startswith(b"\x89PNG")
    ET.fromstring(picture(odd).svg)


def test_text_from_a_run_is_neither_mathematics_nor_markup(hostile):
    svg = picture(hostile).svg
    ET.fromstring(svg)
    assert b"<script" not in svg and b"\x1b" not in svg and "\u202e".encode() not in svg


@pytest.mark.slow
def test_a_run_of_a_hundred_thousand_evaluations_is_told_and_drawn(stored, make):
    from latebloom.analysis.story import tell

    story = tell(stored(make(last=1_000_000, every=10)))
    assert len(picture(story).svg) < 2_000_000


def with_blind(story):
    curve = story.curves["val/loss"]
    levels = {"blind/one_constant": 11.16, "blind/part_means": 1.352}
    blind = {name: type(curve)(curve.steps, np.full(len(curve.steps), value)) for name, value in levels.items()}
    return story._replace(curves={**story.curves, **blind})


def test_losses_that_need_no_knowledge_are_drawn_through_the_losses_and_named(story):
    figure = draw(curves_data(with_blind(story)))
    levels = {line.get_label(): set(line.get_ydata()) for line in figure.axes[1].get_lines()}
    assert levels["blind: one constant"] == {11.16} and levels["blind: table of group means"] == {1.352}
    named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert {"blind: one constant", "blind: table of group means"} <= set(named)
    assert not any("blind" in str(line.get_label()) for line in figure.axes[0].get_lines())


def test_a_run_on_classes_has_no_such_lines(story):
    assert curves_data(story).blind == ()


def test_a_share_of_variance_is_not_called_accuracy(story):
    judge = story.detector.but(train_reading="train/r2", val_reading="val/r2")
    curves = {name.replace("accuracy", "r2"): curve for name, curve in story.curves.items()}
    numbers = story._replace(detector=judge, curves=curves)
    assert (curves_data(story).score, curves_data(numbers).score) == ("accuracy", "explained variance")
    told = " ".join(what for what, _, _ in facts(numbers))
    assert "Explained training variance reached" in told and "ccuracy" not in told
    assert "Training accuracy reached" in " ".join(what for what, _, _ in facts(story))


def test_many_parts_are_a_crowd_with_one_name(stored, make):
    few, many = (tell(stored(make(last=2000, parts=names), name=f"of {len(names)}")) for names in ("ab", "abcdefghij"))
    assert {one.label for one in curves_data(few).accuracy} == {"training", "validation", "val: a", "val: b"}
    data = curves_data(many)
    assert {one.label for one in data.accuracy} == {"training", "validation", "val: each of 10 parts"}
    assert len(data.accuracy) == 12, "each is drawn all the same"
    named = [text.get_text() for legend in draw(data).figure.legends for text in legend.get_texts()]
    assert named == ["training", "validation", "val: each of 10 parts"]


@pytest.mark.parametrize(("lowest", "low"), [(0.0, -0.04), (-0.01, -0.04), (-170.0, -1.04)])
def test_scores_below_zero_are_shown_down_to_minus_one(story, lowest, low):
    steps, values = story.curves["val/accuracy"]
    curve = type(story.curves["val/accuracy"])(steps, np.where(steps == 0, lowest, values))
    figure = draw(curves_data(story._replace(curves={**story.curves, "val/accuracy": curve})))
    assert figure.axes[0].get_ylim() == pytest.approx((low, 1.04))
    assert figure.axes[0].get_yticks()[0] == (0 if low > -1 else -1)
