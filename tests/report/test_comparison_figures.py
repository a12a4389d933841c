import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from latebloom.base.record import Curve
from latebloom.report.comparison.compared import compared
from latebloom.report.comparison.figures import figures
from latebloom.report.figures.bands import MOST_STEPS, band, bands_data, bands_of, draw_bands
from latebloom.report.figures.curves import Level
from latebloom.report.figures.pairs import draw_pairs, pairs_data
from latebloom.report.figures.panels import MOST_PANELS, first_step, shortened
from latebloom.report.figures.picture import rendered
from latebloom.report.figures.survival import draw_survival, survival_data
from report.conftest import HOSTILE
from report.experiment import DIVERGED, gathered
from report.legible import illegible

FOUR = {"baseline": [2000, 4000, None, DIVERGED], "half": [1000, 2000, 5000, 5000]}
SIX = {"baseline": [2000, 3000]} | {f"arm {number}": [1000 + 100 * number, None] for number in range(5)}


def data_of(kind, told):
    if kind is bands_data:
        return bands_data(told.comparison, told.outcomes, told.curves, told.names)
    return kind(told.comparison, told.outcomes, told.names)


def test_a_survival_line_is_the_product_of_what_is_left_at_each_event():
    baseline, half = data_of(survival_data, compared(gathered(FOUR, lasts={("baseline", 2): 3000}))).lines
    # At 2,000 one of four; one leaves at 3,000; at 4,000 one of two, and the diverged one stays to the horizon.
    assert baseline.steps == (500, 2000, 2000, 4000, 4000, 10_000)
    assert baseline.shares == pytest.approx((1, 1, 3 / 4, 3 / 4, 3 / 8, 3 / 8))
    assert [(left.step, left.share, left.runs) for left in baseline.left] == [(3000, 3 / 4, 1), (10_000, 3 / 8, 1)]
    assert half.shares[-1] == 0 and half.steps[-1] == 10_000 and half.left == ()
    assert baseline.detail == "2 of 4 by then" and half.detail == "4 of 4 by then"


def test_the_band_lies_around_the_line_and_is_open_where_it_is_not_defined():
    for line in data_of(survival_data, compared(gathered(FOUR))).lines:
        # Just after a step: of corners at the same step, the last one counts.
        shares = [line.shares[max(i for i, at in enumerate(line.steps) if at <= step)] for step in line.band_steps[::2]]
        assert all(low < s < high for low, s, high in zip(line.band_low[::2], shares, line.band_high[::2], strict=True))
        assert line.band_steps[1] == line.band_steps[2]  # corners: no slanted edges
    assert data_of(survival_data, compared(gathered(FOUR))).lines[1].band_steps[-1] == 5000  # then nobody is left


def test_up_to_three_arms_share_a_panel_and_more_get_one_each_beside_the_baseline():
    assert data_of(survival_data, compared(gathered(FOUR))).panels == ((0, 1),)
    assert data_of(survival_data, compared(gathered(SIX))).panels == tuple((0, place) for place in range(1, 6))


def test_pairs_are_runs_with_the_same_start_whatever_their_order():
    runs = gathered(FOUR)
    turned = runs._replace(outcomes=[*runs.outcomes[:4], *runs.outcomes[:3:-1]])
    for told in (compared(runs), compared(turned)):
        (panel,) = data_of(pairs_data, told).panels
        assert panel.is_paired
        assert [(one.run, twin.run) for one, twin in zip(panel.of_arm, panel.of_baseline, strict=True)] == [
            (f"half/{seed}", f"baseline/{seed}") for seed in range(4)
        ]
        assert [one.height for one in panel.of_arm] == [twin.height for twin in panel.of_baseline] == [0, 1, 2, 3]
        assert [label for _, label in panel.rows] == ["seed 0", "seed 1", "seed 2", "seed 3"]


def test_a_run_without_the_event_is_where_its_observation_ended_and_a_diverged_one_at_the_horizon():
    (panel,) = data_of(pairs_data, compared(gathered(FOUR, lasts={("baseline", 2): 3000}))).panels
    assert [(dot.step, dot.happened, dot.diverged) for dot in panel.of_baseline] == [
        (2000, True, False),
        (4000, True, False),
        (3000, False, False),
        (10_000, False, True),
    ]


def test_runs_that_are_no_pairs_are_not_joined():
    (panel,) = data_of(pairs_data, compared(gathered(FOUR, is_paired=False))).panels
    assert not panel.is_paired
    assert [label for _, label in panel.rows] == ["baseline", "arm"]
    assert len({dot.height for dot in panel.of_arm}) == len(panel.of_arm)  # none covers another
    assert max(dot.height for dot in panel.of_baseline) < 0.5 < min(dot.height for dot in panel.of_arm)


def test_a_ratio_below_one_is_told_as_times_as_long():
    (panel,) = data_of(pairs_data, compared(gathered({"baseline": [1000, 1000], "slow": [2000, 2000]}))).panels
    assert panel.detail == "2 times as long [2, 2]"
    (panel,) = data_of(pairs_data, compared(gathered({"baseline": [2000, 2000], "fast": [1000, 1000]}))).panels
    assert panel.detail == "2 times as soon [2, 2]"


def straight(slope, steps):
    return Curve(np.array(steps), slope * np.array(steps, float))


def test_a_band_is_the_spread_of_lines_that_were_read_at_different_steps():
    """Readings of straight lines, interpolated, are the lines: their quantiles are those of the slopes."""
    runs = [
        (straight(slope, range(0, 1001, every)), True)
        for slope, every in zip((1, 2, 3, 4, 5), (100, 50, 40, 20, 10), strict=True)
    ]
    spread = band(runs, 1000)
    assert spread.median_K == pytest.approx(3 * spread.steps_K)
    assert spread.quartiles_2K == pytest.approx(np.outer([2, 4], spread.steps_K))
    assert spread.range_2K == pytest.approx(np.outer([1, 5], spread.steps_K))
    assert (spread.runs_K == 5).all() and spread.steps_K[0] == 10 and spread.steps_K[-1] == 1000


def test_a_run_that_ended_after_the_event_goes_on_and_another_does_not():
    long, short = straight(1, [100, 200, 400]), Curve(np.array([100, 200]), np.array([7.0, 9.0]))
    carried, dropped = (band([(long, True), (short, on)], 400) for on in (True, False))
    assert carried.runs_K.tolist() == [2, 2, 2] and carried.range_2K[:, -1].tolist() == [9, 400]
    assert dropped.runs_K.tolist() == [2, 2, 1] and dropped.range_2K[:, -1].tolist() == [400, 400]


def test_a_band_has_holes_for_what_is_no_number_and_none_for_nothing():
    curve = Curve(np.array([100, 200, 300]), np.array([0.1, math.nan, 0.3]))
    assert band([(curve, True)], 300).median_K == pytest.approx([0.1, 0.2, 0.3])
    assert band([(None, True), (Curve(np.array([1]), np.array([math.nan])), True)], 300) is None
    assert len(band([(straight(1, range(1, 5000)), True)], 5000).steps_K) <= MOST_STEPS


def test_the_curves_say_how_many_runs_go_on():
    first, second = data_of(bands_data, compared(gathered(FOUR))).panels
    assert (first.carried, second.carried) == (3, 4)  # two generalized, one diverged; all four
    assert first.val.median_K[-1] == pytest.approx(0.55)  # two at 1, two at 0.1
    assert first.train.median_K[0] == pytest.approx(0.2)  # step 100 of 500


@pytest.mark.parametrize("steps", [[1], [3], [99, 1e6], [1250], [1249]])
def test_an_axis_begins_below_its_first_step_but_not_far(steps):
    first = first_step(steps)
    assert first <= min(steps) and (first == 1 or min(steps) / first < 3.2)
    assert first / 10 ** math.floor(math.log10(first)) in (1, 2, 5)


def test_shortening_keeps_both_ends():
    assert shortened("abcdefgh", 8) == "abcdefgh" and shortened("abcdefgh", 5) == "ab…gh"


def test_the_same_comparison_gives_the_same_svg_and_a_png():
    told = compared(gathered(FOUR))
    drawn = figures(told)
    assert rendered(lambda: draw_pairs(data_of(pairs_data, told))).svg == drawn.pairs.svg
    for picture in drawn:
        ET.fromstring(picture.svg)
        assert picture.png.startswith(b"\x89PNG") and b"date" not in picture.svg.lower()


def test_names_of_arms_are_neither_mathematics_nor_markup():
    told = compared(gathered({HOSTILE: [2000, 3000], "b": [1000, None]}))
    svg = rendered(lambda: draw_pairs(data_of(pairs_data, told))).svg
    ET.fromstring(svg)
    assert b"<script" not in svg and b"\x1b" not in svg and "\u202e".encode() not in svg


LONG = {"a" * 60: [None, None], "b" * 60: [None, None]}


@pytest.mark.parametrize(
    ("arms", "is_paired"),
    [(FOUR, True), (FOUR, False), (SIX, True), (LONG, False)],
    ids=["two", "strips", "six", "long"],
)
def test_no_text_of_a_figure_lies_on_another_or_outside(arms, is_paired):
    told = compared(gathered(arms, is_paired=is_paired))
    for kind, draw in ((survival_data, draw_survival), (pairs_data, draw_pairs), (bands_data, draw_bands)):
        assert illegible(lambda draw=draw, kind=kind: draw(data_of(kind, told))) == []


def test_more_arms_than_fit_are_said_to_be_missing():
    told = compared(gathered({f"arm {number}": [1000, 2000] for number in range(MOST_PANELS + 2)}))
    assert f"The figures show the first {MOST_PANELS} arms only." in told.comparison.warnings
    assert len(data_of(bands_data, told).panels) == MOST_PANELS


def test_losses_are_drawn_on_a_log_axis_with_the_levels_of_the_blind():
    told = compared(gathered(FOUR))
    steps = np.arange(0, 10_001, 100)
    lost = {one.run: (Curve(steps, 10.0 / (1 + steps)), Curve(steps, np.full(101, 2.0))) for one in told.outcomes}
    data = bands_of(told.names, told.outcomes, lost, 10_000, "loss")
    data = data._replace(is_loss=True, levels=(Level("blind: a", 11.16), Level("blind: b", 1.352)))
    figure = draw_bands(data)
    for axes in figure.axes:
        assert axes.get_yscale() == "log"
        assert {11.16, 1.352} <= {line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1}
    assert "blind: b" in {text.get_text() for text in figure.legends[0].get_texts()}
    assert not illegible(lambda: draw_bands(data))
    assert draw_bands(data_of(bands_data, told)).axes[0].get_yscale() == "linear"  # control


def test_explained_variance_below_zero_is_shown_and_what_is_off_the_panel_is_said():
    told = compared(gathered(FOUR))
    steps = np.arange(0, 10_001, 100)
    for level, is_off in ((-0.5, False), (-4000.0, True)):
        scores = {one.run: (None, Curve(steps, np.full(101, level))) for one in told.outcomes}
        axes = draw_bands(bands_of(told.names, told.outcomes, scores, 10_000, "explained variance")).axes[0]
        assert axes.get_ylim()[0] < -1 and ("below -100%" in {text.get_text() for text in axes.texts}) == is_off
    assert draw_bands(data_of(bands_data, told)).axes[0].get_ylim()[0] > -0.1  # control
