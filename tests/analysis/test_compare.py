import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latebloom.analysis.compare import compare
from latebloom.analysis.conclusion import concluded
from latebloom.analysis.contrast import Contrast
from latebloom.analysis.outcome import Crossed, Outcome, outcome, outcome_of
from latebloom.base.errors import DataError

BUDGET = 20_000


def run(arm, seed, step, *, every=1, budget=BUDGET, last=None, fit=300, **fields):
    """A run that got there at `step`; with None it had not by its last step."""
    facts = {
        "run": f"{arm}-{seed}",
        "arm": arm,
        "seed": seed,
        "event": "generalized",
        "happened": None if step is None else Crossed(step, max(step - every, 0), step),
        "memorized": None if fit is None else Crossed(fit, max(fit - every, 0), fit),
        "last_step": budget if last is None else last,
        "budget_steps": budget,
        "status": "finished",
        "verdict": "grokking",
        "best_val": 0.99,
        "final_val": 0.99,
        "final_train": 1.0,
        "is_lost": False,
        "evaluated": f"every {every} steps",
        "start_key": None,
        "settings": {"optimizer.kind": "adamw", "steps": budget, "way": arm},
    }
    return Outcome(**facts | fields)


def arm(name, steps, *, paired=False, **fields):
    starts = [{"start_key": f"start {i}"} if paired else {} for i in range(len(steps))]
    return [run(name, i, step, **start | fields) for i, (step, start) in enumerate(zip(steps, starts, strict=True))]


def only(comparison):
    (found,) = comparison.contrasts
    return found


A = [8800, 8300, 4000, 11700, 6400]  # the reference case of the survival tests
B = [5400, 5300, 5400, 5400, 5400]
SLOW = [9000, 7000, 12000, 8000, 10000, 15000, 11000, 6000]
FAST = [step // 3 for step in SLOW]


def test_the_ratio_is_that_of_the_geometric_means():
    found = only(compare(arm("plain", A) + arm("other", B)))
    assert found.ratio == pytest.approx(stats.gmean(A) / stats.gmean(B))
    assert not found.is_restricted and not found.is_paired


def test_what_had_not_happened_counts_as_the_horizon_and_is_said_to():
    found = only(compare(arm("plain", [1300, 3300, None]) + arm("other", B)))
    assert found.ratio == pytest.approx(stats.gmean([1300, 3300, BUDGET]) / stats.gmean(B))
    assert found.is_restricted and (found.happened_arm, found.happened_baseline) == (5, 2)


def test_exact_p_is_the_share_of_all_arrangements():
    found = only(compare(arm("plain", A) + arm("other", B)))
    published = stats.permutation_test(
        (np.log(A), np.log(B)), lambda x, y: x.mean() - y.mean(), permutation_type="independent", n_resamples=np.inf
    )
    assert found.is_exact and found.p == pytest.approx(published.pvalue)
    assert found.p_logrank == pytest.approx(0.0599, rel=2e-3)  # published for these runs


def test_pairs_are_compared_pair_by_pair():
    theirs = [step // 2 + 37 * i for i, step in enumerate(SLOW)]
    found = only(compare(arm("plain", SLOW, paired=True) + arm("other", theirs, paired=True)))
    published = stats.permutation_test(
        (np.log(SLOW), np.log(theirs)), lambda x, y: x.mean() - y.mean(), permutation_type="samples", n_resamples=np.inf
    )
    assert found.is_paired and found.p == pytest.approx(published.pvalue)


def test_pairs_show_what_the_spread_of_seeds_hides():
    """Every seed is a fifth sooner, while seeds differ by a factor of six."""
    slow, fast = ([int(step * factor) for step in np.geomspace(2000, 12000, 8)] for factor in (1, 0.8))
    together = only(compare(arm("plain", slow, paired=True) + arm("other", fast, paired=True)))
    apart = only(compare(arm("plain", slow) + arm("other", fast)))
    assert (together.conclusion, apart.conclusion) == ("sooner", "no difference shown")
    assert together.ratio == pytest.approx(apart.ratio) == pytest.approx(1.25, rel=1e-3)


def test_twins_of_part_of_the_baseline_are_compared_with_the_twins_alone():
    slow, fast = arm("plain", [*SLOW, 19_000], paired=True), arm("fast", FAST, paired=True)
    found = only(compare(slow + fast))
    assert (found.is_paired, found.n_arm, found.n_baseline) == (True, 8, 8)
    assert found.ratio == pytest.approx(stats.gmean(SLOW) / stats.gmean(FAST))
    assert not only(compare(slow + fast, paired=False)).is_paired
    other = only(compare(fast + slow))
    assert other.is_paired and other.p == found.p and other.ratio == pytest.approx(1 / found.ratio)


def test_runs_that_are_not_paired_because_both_arms_lack_a_twin_are_told_of():
    slow, fast = arm("plain", SLOW, paired=True)[1:], arm("fast", FAST, paired=True)[:-1]
    comparison = compare(slow + fast)
    assert not only(comparison).is_paired
    assert any(
        "6 runs could be paired, but they are not" in w and "seed 0 of 'fast' has no" in w for w in comparison.warnings
    )
    told = compare(slow + fast, paired=False).warnings + compare(arm("a", SLOW) + arm("b", FAST)).warnings
    assert not any("could be paired" in text for text in told)  # asked for, or nothing to pair


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": 77}, "seed 77 of 'fast' has no run in 'plain'"),
        ({"start_key": None}, "not known whether the runs of seed 0"),
        ({"start_key": "x", "settings": {"task.modulus": 7}}, r"began differently: task\.modulus"),
    ],
)
def test_a_pairing_that_is_impossible_is_refused_with_the_reason(change, why):
    fast = arm("fast", FAST, paired=True)
    fast[0] = fast[0]._replace(**change)
    if "seed" in change:
        fast[0] = fast[0]._replace(start_key="x")
    with pytest.raises(DataError, match=why):
        compare(arm("plain", SLOW, paired=True) + fast, paired=True)


def test_a_clear_difference_is_told_with_its_numbers():
    sooner = only(compare(arm("plain", SLOW) + arm("fast", FAST)))
    assert sooner.conclusion == "sooner" and sooner.verdict.startswith("sooner: 3 times (95 % ")
    assert sooner.verdict.endswith(", 8 and 8 runs") and f"p = {sooner.p_holm:.2g} after Holm" in sooner.verdict
    later = only(compare(arm("plain", SLOW) + arm("fast", FAST), baseline="fast"))
    assert later.conclusion == "later" and later.verdict.startswith("later: takes 3 times as long (95 % ")


def test_five_runs_that_look_different_are_not_called_so():
    """The exact rank test of the reference case gives 0.151, the log-rank test 0.06."""
    found = only(compare(arm("plain", A) + arm("other", B)))
    assert found.conclusion == "no difference shown" and found.verdict.startswith("no difference shown: 1.37 times")


def test_so_few_pairs_that_nothing_could_be_shown_are_told_so():
    comparison = compare(arm("plain", SLOW[:5], paired=True) + arm("fast", FAST[:5], paired=True))
    assert only(comparison).p == 1 / 16 and only(comparison).verdict.endswith("no difference could have been shown")
    assert any("n = 5; the smallest p an exact test can reach is 1/16." in text for text in comparison.warnings)


@pytest.mark.parametrize(("first", "second", "p"), [(5, 5, 1 / 126), (3, 5, 1 / 56)])
def test_the_smallest_p_is_reached_where_the_arms_are_apart(first, second, p):
    slow, fast = [9000 + i * i for i in range(first)], [100 + 7 * i for i in range(second)]
    found = only(compare(arm("plain", slow) + arm("fast", fast)))
    assert found.p == found.smallest_p == pytest.approx(p)


def test_where_nothing_happened_nothing_is_claimed():
    found = only(compare(arm("plain", [None] * 8) + arm("fast", [None] * 8)))
    assert (found.ratio, found.p, found.conclusion) == (None, 1.0, "no difference shown")
    assert "by step 20,000 no run of either arm had generalized" in found.verdict


CLEAR = Contrast("fast", "plain", False, 8, 8, 8, 8, False, 2, 1.2, 3, 1.9, 2.1, 0.004, True, 0.001, 0.01, 0.01)


@pytest.mark.parametrize(
    ("change", "conclusion"),
    [
        ({}, "sooner"),
        ({"ratio": 0.5, "low": 0.3, "high": 0.8, "grid_low": 0.4, "grid_high": 0.6}, "later"),
        ({"p_holm": 0.05}, "sooner"),
        ({"p_holm": 0.051}, "no difference shown"),
        ({"low": 0.99}, "no difference shown"),
        ({"grid_low": 0.99}, "no difference shown"),
        ({"grid_high": None}, "sooner"),
        ({"p": 0.02, "smallest_p": 0.02, "p_holm": 0.04}, "sooner"),  # not the clearest of three: Holm asks less of it
    ],
)
def test_a_difference_needs_p_and_interval_and_evaluations_that_can_tell(change, conclusion):
    found = concluded(CLEAR._replace(**change), event="generalized", tests=3, horizon_steps=BUDGET)
    assert found.conclusion == conclusion and found.verdict.startswith(conclusion)


def test_one_seed_is_not_compared():
    comparison = compare(arm("plain", SLOW) + arm("fast", [100]) + arm("third", FAST))
    one, other = comparison.contrasts
    assert (one.conclusion, one.p, one.p_holm) == ("not comparable", None, None)
    assert "one seed is an anecdote" in one.verdict
    assert other.p_holm == other.p  # what could not be tested is not corrected for


def test_two_meanings_of_one_word_are_not_compared():
    strict, loose = ({"detector.generalized_at": at, "way": at} for at in (0.99, 0.95))
    sides = arm("strict", SLOW, settings=strict) + arm("loose", FAST, settings=loose)
    assert only(compare(sides)).conclusion == "not comparable"
    assert "detector.generalized_at is 0.95 in loose and 0.99 in strict" in only(compare(sides)).verdict
    assert only(compare([one._replace(event="memorized") for one in sides])).conclusion != "not comparable"
    mixed = [one._replace(settings=strict if one.seed == 0 else loose) for one in sides]  # the same mixture in both
    assert only(compare(mixed)).conclusion == "not comparable"


def test_p_is_corrected_for_every_arm():
    comparison = compare(arm("plain", SLOW) + arm("fast", FAST) + arm("same", SLOW) + arm("also", FAST))
    fast, same, also = comparison.contrasts
    assert fast.p_holm == pytest.approx(3 * fast.p) and also.p_holm == pytest.approx(3 * also.p)
    assert same.p_holm == same.p == 1.0


def test_arms_are_compared_up_to_the_smallest_budget():
    long, short = arm("long", [*SLOW[:6], 15_000, None], budget=50_000), arm("short", FAST, budget=10_000)
    comparison = compare(long + short)
    summary = comparison.arms[0]
    assert comparison.horizon_steps == 10_000
    assert summary.counts.happened == sum(step <= 10_000 for step in SLOW[:6]) == 4
    assert any(
        "long 50,000, short 10,000 steps. All runs are compared up to step 10,000" in w for w in comparison.warnings
    )
    assert compare(long + short, horizon_steps=5_000).arms[0].counts.happened == 0


def test_a_crossing_counts_once_it_is_known():
    """A run that ends with the horizon can announce only what it has seen sustained."""
    late = [one._replace(happened=Crossed(9_900, 9_800, 10_300)) for one in arm("late", SLOW)]
    assert compare(late + arm("plain", SLOW), horizon_steps=10_000).arms[0].counts.happened == 0
    assert compare(late + arm("plain", SLOW), horizon_steps=10_300).arms[0].counts.happened == 8


def test_a_horizon_beyond_what_was_watched_is_refused():
    with pytest.raises(DataError, match=r"horizon_steps = 30,000; expected 1 to 20,000"):
        compare(arm("plain", [*SLOW, None]) + arm("fast", FAST), horizon_steps=30_000)
    everything = compare(arm("plain", SLOW) + arm("fast", FAST), horizon_steps=30_000)  # nothing is left to watch for
    assert everything.arms[0].event.restricted_mean_steps == np.mean(SLOW)


def test_the_horizon_of_an_arm_that_was_not_watched_to_its_budget_is_where_it_was_lost_sight_of():
    stopped = arm("stopped", [*FAST[:6], None, None], last=7_000)
    comparison = compare(arm("plain", SLOW) + stopped)
    assert comparison.horizon_steps == 7_000 and "No run of stopped without it" in comparison.warnings[0]


def test_a_run_that_ended_early_counts_for_as_long_as_it_was_watched():
    """By hand: 3 at risk at 2,000; then one leaves; then 1 at 9,000. Mass 1/3 at 2,000 and 2/3 at 9,000."""
    crashed = [run("a", 0, 2000), run("a", 1, None, last=5000, status="crashed"), run("a", 2, 9000)]
    comparison = compare(crashed + arm("b", [3000, 3000]))
    summary = comparison.arms[0]
    assert summary.counts == (2, 0, 0, 0, 1)
    assert summary.event.restricted_mean_steps == pytest.approx(2000 / 3 + 9000 * 2 / 3)
    assert only(comparison).ratio == pytest.approx(math.exp(math.log(2000) / 3 + math.log(9000) * 2 / 3) / 3000)
    assert summary.event.share == 1 and summary.event.share_high == 1 and summary.event.share_low < 2 / 3


def test_a_diverged_run_is_not_one_that_may_still_get_there():
    diverged = [run("a", 0, 2000), run("a", 1, None, last=500, status="diverged"), run("a", 2, 9000)]
    comparison = compare(diverged + arm("b", [3000, 3000]))
    assert comparison.arms[0].counts == (2, 0, 0, 1, 0)
    assert comparison.arms[0].event.restricted_mean_steps == pytest.approx((2000 + BUDGET + 9000) / 3)
    assert comparison.arms[0].event.share == pytest.approx(2 / 3)
    assert any("1 run of a diverged or collapsed" in text for text in comparison.warnings)


def test_every_run_of_an_arm_is_counted_once():
    mixed = [
        run("a", 0, 2000),
        run("a", 1, None),
        run("a", 2, None, fit=None),
        run("a", 3, None, last=700, status="diverged"),
        run("a", 4, None, last=700, status="interrupted"),
        run("a", 5, 9000, status="diverged", is_lost=True),
    ]
    summary = compare(mixed + arm("b", B)).arms[0]
    assert summary.counts._asdict() == {
        "happened": 2,
        "memorized_only": 1,
        "never_fitted": 1,
        "diverged": 1,
        "unfinished": 1,
    }
    assert summary.n == sum(summary.counts) and summary.lost == 1 and summary.fit.happened == 5


def test_a_run_that_never_got_there_is_later_than_any_that_did():
    """To leave it out would make an arm with more failures look less late."""
    some = compare(arm("a", [2999, 5999, 8999, None, None], fit=299) + arm("b", B)).arms[0]
    none = compare(arm("a", [2999, 5999, None, None, None], fit=299) + arm("b", B)).arms[0]
    assert (some.lateness, none.lateness) == (30, None)


def test_evaluations_too_far_apart_show_nothing_however_many_runs_there_are():
    """Every crossing lies in (0, 5000] in one arm and in (5000, 10000] in the other: perhaps one step apart."""
    comparison = compare(arm("plain", [10_000] * 8, every=5000) + arm("fast", [5000] * 8, every=5000))
    found = only(comparison)
    assert found.p < 0.01 and found.low > 1
    assert (found.ratio, found.grid_low) == (pytest.approx(2), pytest.approx(1))
    assert found.grid_high == pytest.approx(10_000)  # at step 0 no run had got there, so at step 1 at the soonest
    assert found.conclusion == "no difference shown" and "too far apart to tell" in found.verdict
    assert any("a smaller effect cannot be resolved" in text for text in comparison.warnings)


def watched(name, at, steps, **fields):
    """A run by its log, of which the accuracy is 1 from step `at` on."""
    log = [(step, {"train/accuracy": 1.0, "val/accuracy": float(step >= at)}) for step in steps]
    return outcome(log, run=f"{name}-{at}", arm=name, seed=at, start_key=str(at), budget_steps=10_000, **fields)


@pytest.mark.parametrize("steps", [range(0, 10_001, 2000), [0, *np.geomspace(10, 10_000, 31).round().astype(int)]])
def test_an_arm_is_not_later_because_it_was_read_less_often(steps):
    """The same eight runs twice. Seldom read, too few evaluations are left to confirm a crossing that is there."""
    times = [5801 + 13 * i for i in range(8)]
    often = [watched("often", at, range(0, 10_001, 100)) for at in times]
    seldom = [watched("seldom", at, [int(step) for step in steps]) for at in times]
    found = only(compare(often + seldom))
    assert all(one.happened is None and one.possible.previous_step <= 5801 for one in seldom)
    assert (found.happened_arm, found.happened_baseline) == (0, 8) and found.p < 0.01 and found.high < 1
    assert found.grid_low < 1 < found.grid_high
    assert found.conclusion == "no difference shown" and "too far apart to tell" in found.verdict
    late = [watched("late", 20_000 + at, range(0, 10_001, 100)) for at in times]  # control: these had not crossed
    late = [one._replace(start_key=twin.start_key) for one, twin in zip(late, often, strict=True)]
    assert only(compare(often + late)).conclusion == "later"


def test_a_crossing_known_after_the_horizon_may_have_been_before_it():
    late = [one._replace(happened=Crossed(10_100, 9_000, 10_300)) for one in arm("late", SLOW)]
    found = only(compare(arm("plain", [9_500] * 8) + late, horizon_steps=10_000))
    assert found.happened_arm == 0 and found.grid_high == pytest.approx(9_500 / 9_000)


def test_one_run_that_has_just_begun_does_not_shorten_the_others():
    sides = arm("plain", SLOW) + arm("fast", FAST)
    comparison = compare([*sides, run("new", 0, None, last=500, status="interrupted", fit=None)])
    whole = compare(sides)
    assert comparison.horizon_steps == whole.horizon_steps and comparison.contrasts[0] == whole.contrasts[0]
    assert comparison.arms[2].event.restricted_mean_steps is None  # and none is made up for what nobody saw
    both = [run("new", seed, None, last=500, status="interrupted", fit=None) for seed in range(2)]
    lowered = compare(sides + both)  # control
    assert lowered.horizon_steps == 500 and "Wait for it, or leave it out." in lowered.warnings[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"p": 0.03, "p_holm": 0.09}, "p = 0.03 alone, too much after the correction for 3 contrasts"),
        ({"p": 0.06, "p_holm": 0.18, "smallest_p": 0.06}, "with so few runs no difference could have been shown"),
        ({"p": 0.3, "p_holm": 0.9}, "chance alone does as much"),
    ],
)
def test_the_reason_is_the_one_that_holds(change, why):
    assert concluded(CLEAR._replace(**change), event="generalized", tests=3, horizon_steps=BUDGET).verdict.endswith(why)


def test_seven_contrasts_ask_for_nine_pairs():
    """The smallest p of 8 pairs is 1/128, and 7/128 is above 0.05; of 9 pairs it is 7/256."""

    def warned(pairs):
        times = [*SLOW, 9999][:pairs]
        sides = [
            arm("plain", times, paired=True),
            *(arm(f"a{i}", [t // 3 for t in times], paired=True) for i in range(7)),
        ]
        return [w for w in compare([one for side in sides for one in side]).warnings if "Plan " in w]

    assert len(warned(8)) == 7 and all("Plan 9 or more seeds" in text for text in warned(8)) and not warned(9)


def test_the_bounds_by_the_grid_hold_every_crossing_the_grid_allows():
    sides = arm("plain", SLOW, every=100) + arm("fast", FAST, every=200)
    found = only(compare(sides))
    assert found.grid_low == pytest.approx(stats.gmean(np.subtract(SLOW, 100)) / stats.gmean(FAST))
    assert found.grid_high == pytest.approx(stats.gmean(SLOW) / stats.gmean(np.subtract(FAST, 200)))
    assert any("plain every 100 steps, fast every 200 steps" in text for text in compare(sides).warnings)


def settled(arm_name, times, **values):
    return arm(arm_name, times, settings={key.replace("__", "."): value for key, value in values.items()})


def test_what_else_differs_is_listed_and_warned_of():
    sides = settled("plain", SLOW, optimizer__weight_decay=0.0, seed=1, name="a") + settled(
        "grokfast", FAST, optimizer__weight_decay=0.01, seed=2, name="b", interventions__0__kind="grokfast_ema"
    )
    comparison = compare(sides)
    assert comparison.differs == {
        "interventions.0.kind": {"plain": None, "grokfast": "grokfast_ema"},
        "optimizer.weight_decay": {"plain": 0.0, "grokfast": 0.01},
    }
    assert any(
        text.startswith("grokfast differs from plain in optimizer.weight_decay, too") for text in comparison.warnings
    )


@pytest.mark.parametrize("named", ["other", "optimizer.weight_decay=0.01"])
def test_what_is_compared_is_no_confound(named):
    also = {"schedule__kind": "cosine"} if named != "other" else {}
    sides = settled("plain", SLOW, optimizer__weight_decay=0.0) + settled(
        named, FAST, optimizer__weight_decay=0.01, **also
    )
    assert not any("cannot be told" in text for text in compare(sides).warnings)


def test_a_longer_budget_does_not_make_the_change_a_confound():
    sides = settled("plain", SLOW, optimizer__weight_decay=0.0, steps=1) + settled(
        "decayed", FAST, optimizer__weight_decay=0.01, steps=2
    )
    assert not any("cannot be told" in text for text in compare(sides).warnings)


def test_runs_of_one_arm_that_differ_and_arms_that_do_not_are_told():
    mixed = settled("plain", SLOW[:4], optimizer__learning_rate=0.1) + settled(
        "plain", SLOW[4:], optimizer__learning_rate=1.0
    )
    same = settled("same", FAST, optimizer__learning_rate=0.1)
    comparison = compare(mixed + same + settled("twin", FAST, optimizer__learning_rate=0.1), baseline="same")
    assert comparison.differs["optimizer.learning_rate"] == {"same": 0.1, "plain": "0.1, 1.0", "twin": 0.1}
    assert "Runs of plain differ among themselves: optimizer.learning_rate (0.1, 1.0)." in comparison.warnings
    assert any(text.startswith("twin and same differ in no setting") for text in comparison.warnings)


def test_unknown_settings_are_not_taken_for_equal_ones():
    comparison = compare(arm("plain", SLOW) + arm("foreign", FAST, settings={}))
    assert comparison.differs == {}
    assert any(text.startswith("The settings of foreign are not known") for text in comparison.warnings)


@pytest.mark.parametrize(
    ("outcomes", "options", "why"),
    [
        ([], {}, "at least two arms"),
        (arm("plain", SLOW), {}, "at least two arms, but the runs are of plain"),
        (arm("plain", SLOW) + arm("fast", FAST), {"baseline": "plane"}, "Did you mean 'plain'"),
        (arm("plain", SLOW) + arm("fast", FAST, event="memorized"), {}, "different events: generalized, memorized"),
        (arm("plain", SLOW) + arm("fast", FAST, start_key="s"), {}, "fast-0 and fast-1 of fast both began with"),
        (arm("plain", SLOW) + arm("fast", [0, 5]), {}, "run fast-0 had generalized at step 0"),
        (arm("plain", SLOW) + arm("fast", [None], last=0), {}, "no run of fast was evaluated after step 0"),
        (arm("plain", SLOW) + arm("fast", FAST), {"horizon_steps": 0}, "horizon_steps = 0"),
        (
            arm("a", [None], budget=0, status="diverged") + arm("b", [None], budget=0, status="diverged"),
            {},
            "no run of a was evaluated after step 0",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(outcomes, options, why):
    with pytest.raises(DataError, match=why):
        compare(outcomes, **options)


def test_a_comparison_is_json_whatever_is_missing():
    odd = [run("odd", 0, None, best_val=None, final_val=None, fit=None), run("odd", 1, 40, every=40)]
    comparison = compare(arm("plain", [None] * 3) + odd + arm("one", [5]) + arm("fast", FAST))
    told = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert told["schema"] == 1 and [one["arm"] for one in told["arms"]] == ["plain", "odd", "one", "fast"]
    assert told["arms"][3]["event"]["curve"]["steps"] == sorted(FAST)
    assert told["contrasts"][1]["verdict"].startswith("not comparable")


def test_the_same_outcomes_and_seed_give_the_same_numbers_and_another_seed_others():
    sides = arm("plain", [*SLOW, 9500, 9700]) + arm("other", [*SLOW[::2], *A, 500])  # too many to go through
    assert compare(sides, seed=1) == compare(sides, seed=1)
    one, other = (only(compare(sides, seed=seed)) for seed in (1, 2))
    assert one.low != other.low and one.p != other.p and not one.is_exact


def test_stored_runs_can_be_compared(stored, records):
    spec = {"task": {"kind": "modular"}, "model": {"kind": "mlp"}, "steps": 20_000, "detector": {"kind": "grokking"}}
    sooner = [(step // 2, readings) for step, readings in records]
    outcomes = [outcome_of(stored(records, spec=spec), "plain"), outcome_of(stored(sooner, spec=spec), "fast")]
    comparison = compare(outcomes)
    assert only(comparison).conclusion == "not comparable" and only(comparison).is_paired
    assert comparison.arms[0].event.median_steps == 2 * comparison.arms[1].event.median_steps


times = st.lists(st.none() | st.integers(50, BUDGET), min_size=2, max_size=6)


@given(times, times, st.integers(2, 1000))
@settings(max_examples=10, deadline=None)
def test_the_unit_of_the_steps_changes_no_ratio_and_no_p(first, second, factor):
    def scaled(name, steps, by):
        steps = [None if step is None else step * by for step in steps]
        return arm(name, steps, budget=BUDGET * by, every=by, fit=300 * by)

    one, other = (
        only(compare(scaled("a", first, by) + scaled("b", second, by), horizon_steps=BUDGET * by)) for by in (1, factor)
    )
    assert other.p == one.p and other.conclusion == one.conclusion
    for name in ("ratio", "low", "high", "grid_low", "grid_high", "p_logrank"):
        assert getattr(other, name) == pytest.approx(getattr(one, name))


MANY = [*SLOW, 9500, 9700, 3000, None, 500, None, 16_000]  # too many to go through, and so are the pairs


@pytest.mark.parametrize("paired", [False, True])
def test_the_order_and_the_names_of_runs_change_nothing(paired):
    sides = arm("a", MANY, paired=paired) + arm("b", MANY[::-1], paired=paired)
    shuffled = [one._replace(run=f"{100 - i}") for i, one in enumerate(sides)]
    random.Random(1).shuffle(shuffled)
    assert compare(shuffled, baseline="a") == compare(sides, baseline="a")


@given(times, times, st.booleans())
@settings(max_examples=10, deadline=None)
def test_exchanging_baseline_and_arm_inverts_the_ratio_and_keeps_p(first, second, paired):
    first, second = (first[: len(second)], second[: len(first)]) if paired else (first, second)
    sides = arm("a", first, paired=paired) + arm("b", second, paired=paired)
    one, other = (only(compare(sides, baseline=name)) for name in ("a", "b"))
    assert one.p == other.p and one.p_logrank == pytest.approx(other.p_logrank)
    assert (one.conclusion, other.conclusion) in [
        ("sooner", "later"),
        ("later", "sooner"),
        ("no difference shown",) * 2,
    ]
    if one.ratio is not None:
        assert (one.ratio, one.low, one.high) == pytest.approx((1 / other.ratio, 1 / other.high, 1 / other.low))


@pytest.mark.parametrize("paired", [False, True])
def test_exchanging_arms_keeps_what_is_drawn_as_well(paired):
    sides = arm("a", MANY, paired=paired) + arm("b", [step and step // 2 for step in MANY[::-1]], paired=paired)
    one, other = (only(compare(sides, baseline=name)) for name in ("a", "b"))
    assert not one.is_exact and one.p == other.p
    assert (one.ratio, one.low, one.high) == pytest.approx((1 / other.ratio, 1 / other.high, 1 / other.low))


def test_arms_without_pairs_are_resampled_apart():
    """Two arms with the same times: drawn together they would always agree, and the interval be a point."""
    found = only(compare(arm("a", SLOW) + arm("b", SLOW)))
    assert found.low < 0.75 and found.high > 1.33


@given(st.lists(st.integers(50, BUDGET), min_size=2, max_size=6), st.floats(1.1, 9), st.integers(1, BUDGET - 1))
@settings(max_examples=10, deadline=None)
def test_a_horizon_that_comes_too_soon_brings_the_ratio_towards_1(steps, factor, horizon):
    """Where one arm is the other made slower, as is true of every pair of curves that do not cross."""
    sides = arm("fast", steps) + arm("slow", [int(step * factor) for step in steps], budget=10 * BUDGET)
    whole, cut = (only(compare(sides, horizon_steps=h)) for h in (10 * BUDGET, horizon))
    assert cut.ratio is None or whole.ratio - 1e-9 <= cut.ratio <= 1 + 1e-9


def rates(experiments, conclude):
    draw = np.random.default_rng(8)
    conclusions = [conclude(draw) for _ in range(experiments)]
    return {word: conclusions.count(word) / experiments for word in set(conclusions)}


def simulated(draw, factor):
    """Eight runs an arm, times with a spread of a factor of two, two budgets, one run in ten lost at random."""

    def side(name, slower, budget):
        steps = (draw.lognormal(8.5, 0.7, 8) * slower).astype(int) + 1
        ends = np.where(draw.random(8) < 0.1, draw.integers(1, budget, 8), budget)
        return [
            run(name, i, int(step) if step <= end else None, budget=budget, last=int(end))
            for i, (step, end) in enumerate(zip(steps, ends, strict=True))
        ]

    return only(compare(side("plain", factor, 20_000) + side("fast", 1, 8_000))).conclusion


@pytest.mark.slow
def test_equal_arms_are_called_different_at_most_one_time_in_twenty():
    found = rates(200, lambda draw: simulated(draw, 1))
    wrong = found.get("sooner", 0) + found.get("later", 0)
    assert wrong <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)  # three standard deviations of the binomial law


@pytest.mark.slow
def test_a_factor_of_four_is_found_with_eight_runs_and_never_the_other_way_round():
    """Control: a comparison that never calls a difference would pass the test above."""
    found = rates(60, lambda draw: simulated(draw, 4))
    assert found["sooner"] > 0.7 and "later" not in found
