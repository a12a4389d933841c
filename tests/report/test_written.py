"""Written reports: what stands in them is what is stored, and what is not stored is said to be missing."""

from __future__ import annotations

import re

import pytest

from latebloom.analysis.story import tell
from latebloom.base.errors import DataError
from latebloom.recipes import about, claims
from latebloom.report.comparison.compared import Compared, compared
from latebloom.report.figures.picture import Picture
from latebloom.report.written import write
from latebloom.report.written.losses import WANTED
from latebloom.report.written.markdown import code, document, plain
from latebloom.report.written.measured import KINDS, not_measured
from latebloom.report.written.run import written_run
from latebloom.report.written.study_figures import study_figures
from latebloom.report.written.write import published
from latebloom.store import StoredStudy, open_study
from report.conftest import HOSTILE, made
from report.experiment import arms_plan, records, spec_of, store_run, stored_study

SECTIONS = ["Abstract", "Introduction", "Methods", "Results", "Discussion", "Appendix"]
NOTHING = Picture(b"<svg/>", b"x")


def sections(text):
    """The body of each section by its title."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def numbers(text):
    """Every number in a text, without thousands separators."""
    return {float(word.replace(",", "")) for word in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text)}


def test_it_has_six_sections_in_this_order_and_none_is_empty(story):
    found = sections(written_run(story, ["curves"]))
    assert list(found) == SECTIONS
    assert all(len(body.split()) > 10 for body in found.values())


def test_a_run_of_which_nearly_nothing_is_known_has_them_too(odd):
    found = sections(written_run(odd, []))
    assert list(found) == SECTIONS and all(body.strip() for body in found.values())
    assert "not known" in found["Results"]


def test_a_section_without_a_word_is_refused():
    with pytest.raises(ValueError, match="Results"):
        document("x", {"Abstract": ["a"], "Results": ["", ""]})


def test_the_numbers_of_the_results_are_those_of_the_story(story):
    results = sections(written_run(story, []))["Results"]
    for expected in (story.memorized.step, story.generalized.step, story.delay_steps):
        assert f"{expected:,}" in results
    curve = story.curves["val/accuracy"]
    assert f"| `val/accuracy` | {curve.steps[-1]:,} | {curve.values[-1]:.4g} |" in results
    assert f"{min(curve.values):.4g} | 0 |" in results, "the lowest is the first reading"


def test_another_store_gives_another_text_wherever_a_number_stands(stored, make):
    """Nothing that both tell of their own run may stand in the text of itself."""
    one, other = (tell(stored(make(last=last), name=name)) for last, name in ((20_000, "one"), (9_000, "other")))
    for title in ("Abstract", "Methods", "Results"):
        texts = [sections(written_run(story, []))[title] for story in (one, other)]
        own = [numbers(text) - numbers(again) for text, again in (texts, texts[::-1])]
        assert all(own), f"{title} says the same of two runs"
        events = [{float(event.step) for event in story.events} for story in (one, other)]
        known = [numbers(repr(story.curves["val/accuracy"].values.tolist())) for story in (one, other)]
        assert events[0] != events[1] and known[0] != known[1]  # control: the runs do differ
    assert "20,000" not in written_run(other, [])


def test_changing_one_stored_reading_changes_its_number(stored, make):
    records = make()
    step, readings = records[-1]
    text = sections(written_run(tell(stored(records, name="a")), []))["Results"]
    changed = [*records[:-1], (step, {**readings, "val/loss": 0.123456})]
    again = sections(written_run(tell(stored(changed, name="b")), []))["Results"]
    assert "| 0.1235 |" in again and "| 0.1235 |" not in text


def test_settings_are_told_as_they_were_stored(stored, make):
    spec = {"detector": {"kind": "grokking"}, "task": {"kind": "modular", "modulus": 113}, "steps": 4242}
    text = written_run(tell(stored(make(), spec=spec)), [])
    found = sections(text)
    assert "modulus `113`" in found["Introduction"] and "4,242 steps" in found["Methods"]
    assert "modulus `97`" not in text


def test_what_was_not_measured_is_said_and_what_was_is_not(story):
    methods = sections(written_run(story, []))["Methods"]
    (missing,) = re.findall(r"Not measured: (.*)\.", methods)
    assert all(words in missing for words in KINDS.values()), "this run read accuracies and losses alone"
    with_norm = story._replace(curves={**story.curves, "weight_norm/l2": story.curves["val/loss"]})
    methods = sections(written_run(with_norm, []))["Methods"]
    assert "there was read: the norm of the weights." in methods
    assert "the norm of the weights" not in re.findall(r"Not measured: (.*)\.", methods)[0]
    assert {"the training loss", "the validation score"} <= set(not_measured(["val/loss", "train/r2"]))


def test_blind_losses_are_compared_with_the_last_validation_loss(story):
    steps, values = story.curves["val/loss"]
    blind = {"blind/one_constant": values * 0 + 11.16, "blind/part_means": values * 0 + 1.352}
    curves = {**story.curves, **{name: type(story.curves["val/loss"])(steps, level) for name, level in blind.items()}}
    results = sections(written_run(story._replace(curves=curves), []))["Results"]
    assert "one constant 11.16; table of group means 1.352" in results and "is below the least" in results
    high = {**curves, "val/loss": type(story.curves["val/loss"])(steps, values * 0 + 2)}
    assert "2, is not below the least" in sections(written_run(story._replace(curves=high), []))["Results"]
    assert "table of group means" not in written_run(story, [])


def test_text_from_a_run_is_no_markup(hostile):
    text = written_run(hostile, [])
    prose = "\n".join(line for line in text.split("\n") if not line.startswith("    "))  # an indented block is code
    prose = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", prose)
    assert not re.search(r"(?<!\\)<script", prose)
    assert "\x1b" not in text and "\u202e" not in text and "\u2028" not in text


def test_escapes_and_fences():
    assert plain(HOSTILE).count("\\<") == HOSTILE.count("<")
    assert code("a`b") == "``a`b``" and code("`a`") == "`` `a` ``" and code("a|b") == "`a\\|b`"


EXPERIMENT = {"baseline": [2000, 4000, 3000], "l1": [1000, 2000, 1500]}


@pytest.fixture
def undrawn(monkeypatch):
    """What the figures show is tested elsewhere, and they take long."""
    monkeypatch.setattr(write, "study_figures", lambda study, gathered, told: dict.fromkeys(drawn_of(told), NOTHING))
    monkeypatch.setattr(write, "picture", lambda story: NOTHING)


def drawn_of(told):
    return ["survival", "pairs", "curves", "losses"] if isinstance(told, Compared) else ["curves"]


def told_of(study):
    paths = write.write_study(study)
    assert paths[0].name == "report.md" and all(path.exists() for path in paths)
    return paths[0].read_text()


def test_a_study_is_told_from_its_runs_and_their_comparison(tmp_path, undrawn):
    study = stored_study(tmp_path, arms_plan(EXPERIMENT))
    text = told_of(study)
    found = sections(text)
    assert list(found) == SECTIONS and all(body.strip() for body in found.values())
    assert "6 of 6 planned runs in 2 arms, seeds 0 to 2: 6 generalized" in found["Abstract"]
    assert "| baseline | 3 of 3 | 3,000 | 500 |" in found["Results"]
    assert "| l1 | 3 of 3 | 1,500 | 500 |" in found["Results"]
    assert re.search(r"\| l1 \| 2 \(", found["Results"]), "half the steps is twice as soon"
    for file in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (study.path / "report" / file).exists()
    assert all(one.run in found["Appendix"] for one in study.planned)


def test_other_runs_give_another_text(tmp_path, undrawn):
    later = {**EXPERIMENT, "l1": [4000, 8000, 6000]}
    found = sections(told_of(stored_study(tmp_path, arms_plan(later))))
    assert "| l1 | 3 of 3 | 6,000 | 500 |" in found["Results"]
    assert re.search(r"\| l1 \| 0\.5 \(", found["Results"])


def test_a_study_of_one_arm_says_that_it_compares_nothing(tmp_path, undrawn):
    text = told_of(stored_study(tmp_path, arms_plan({"baseline": [2000, None]})))
    found = sections(text)
    assert "nothing is compared" in found["Abstract"] and "| baseline | 1 of 2 | 2,000 |" in found["Results"]
    assert "nothing is compared" in found["Results"] and "times as soon" not in text
    assert re.findall(r"!\[.*?\]\((.*?)\)", text) == ["curves.png"], "what became of the runs is drawn all the same"


def test_what_is_not_finished_and_what_has_not_begun_is_counted(tmp_path, undrawn):
    arms = {"baseline": [2000, "waiting"], "l1": [None, 3000]}
    found = sections(told_of(stored_study(tmp_path, arms_plan(arms), lasts={("l1", 0): 900})))
    assert "3 of 4 planned runs in 2 arms, seeds 0, 1: 2 generalized" in found["Abstract"]
    assert "Not finished when this was written: 1." in found["Abstract"]
    assert "| baseline | 2 | 1 | 1 finished | 0 |" in found["Methods"]
    assert "| l1 | 2 | 2 | 1 interrupted, 1 finished | 0, 1 |" in found["Methods"]


def test_settings_that_all_runs_share_stand_in_the_methods_and_others_are_said_to_vary(tmp_path, undrawn):
    found = sections(told_of(stored_study(tmp_path, arms_plan(EXPERIMENT))))
    assert "| optimizer | `adamw` | learning\\_rate `0.001`, weight\\_decay `1.0` |" in found["Methods"]
    assert "| interventions | – | interventions varied |" in found["Methods"]


def numbers_of(spec, rows):
    """The same run as one that asks for numbers: its loss ends at 1 and a table of group means loses 1.3."""
    more = {"train/loss": 0.5, "blind/one_constant": 11.0, "blind/part_means": 1.3, "dead_outputs/val": 0.25}
    return [
        (step, {**told, **more, "val/loss": 0.9 + 0.1 * (spec["seed"] + 1) if step else 20.0}) for step, told in rows
    ]


def test_losses_stand_beside_those_of_the_blind(tmp_path, undrawn):
    plan = arms_plan({"baseline": [2000, 4000, None, None, None], "l1": [1000] * 5})
    found = sections(told_of(stored_study(tmp_path, plan, add=numbers_of)))["Results"]
    assert "| baseline | 0.5 | 1.2 | 100 | 1.2 |" in found, "seeds 0 to 4 end at 1.0 to 1.4"
    assert "one constant 11; table of group means 1.3." in found and "in 6 of 10 runs" in found, "1.0, 1.1, 1.2 twice"
    assert "| baseline | 0.25 |" in found and "without a gradient" in found
    without = sections(told_of(stored_study(tmp_path, plan, name="without")))["Results"]
    assert "table of group means" not in without and "without a gradient" not in without


def test_a_score_far_below_zero_is_not_told_in_digits(tmp_path, undrawn):
    def worse(spec, rows):
        return [(step, {"train/accuracy": -3861.7, "val/accuracy": -4379.4}) for step, _ in rows]

    text = told_of(stored_study(tmp_path, arms_plan({"baseline": [None, None], "l1": [None, None]}), add=worse))
    assert "below -100%" in text and "4379" not in text and "437," not in text


def test_what_others_claim_is_judged_where_the_recipe_has_claims(tmp_path, undrawn):
    plan = [({"seed": 0}, {}, 2000)]
    specs = [(label, "0", spec_of(0)) for label, _, _ in plan]
    open_study(tmp_path, "mine", {"recipe": "deep-grokking-4"}, specs).close()
    study = StoredStudy(tmp_path, "mine")
    store_run(tmp_path, "mine", 0, study.planned[0].spec, records(2000, 2400), run_id=study.planned[0].run)
    found = sections(told_of(study))
    claimed = claims("deep-grokking-4")
    rest = len(claimed) - 1
    assert f"{len(claimed)} claims: 1 held, {rest} not testable here." in found["Abstract"], "0.8 is there by 60,000"
    assert all(plain(one["says"]) in found["Results"] for one in claimed)
    assert "Fan, Pascanu" in found["Introduction"], "a study without a word of its own is told by its recipe"
    assert published(StoredStudy(tmp_path, "mine"))[0]["title"] == about("deep-grokking-4")["title"]


def test_nothing_is_claimed_of_a_study_of_ones_own(tmp_path, undrawn):
    study = stored_study(tmp_path, arms_plan(EXPERIMENT))
    assert published(study) == ({}, ()) and "claim" not in sections(told_of(study))["Results"]


def test_a_study_of_many_arms_has_a_short_abstract(tmp_path, undrawn):
    arms = {"baseline": [2000, 3000]} | {f"arm{number}": [1000, 1500] for number in range(8)}
    found = sections(told_of(stored_study(tmp_path, arms_plan(arms))))
    assert "Of 8 arms against baseline: no difference shown 8" in found["Abstract"]
    assert "for 8 of them no difference could have been shown with so few runs" in found["Abstract"]
    assert found["Abstract"].count("times as soon") == 0 and found["Results"].count("| arm") > 8


@pytest.mark.slow
def test_figures_of_scores_and_losses_are_drawn_for_one_arm_and_a_plane_for_two_settings(tmp_path):
    one = stored_study(tmp_path, arms_plan({"baseline": [2000, None]}), name="one", add=numbers_of)
    told = write.of_study(one, readings=WANTED)
    assert list(study_figures(one, told, "one arm")) == ["curves", "losses"]
    plane = [
        ({"a": a, "b": b, "seed": 0}, {"optimizer": {"weight_decay": a, "learning_rate": b}}, 1000)
        for a in (0.1, 1)
        for b in (1e-3, 1e-2)
    ]
    two = stored_study(tmp_path, plane, name="two")
    told = write.of_study(two, readings=WANTED)
    assert list(study_figures(two, told, compared(told))) == ["phases", "survival", "pairs", "curves"]


def test_where_a_study_comes_from_is_told_if_it_was_recorded(tmp_path, undrawn):
    text = told_of(stored_study(tmp_path, arms_plan(EXPERIMENT)))
    assert "No source was recorded." in text and "What to expect was not recorded." in text


def test_a_study_without_a_run_is_refused(tmp_path):
    runs = [({"seed": 0}, "0", {"seed": 0, "detector": {"kind": "grokking"}})]
    open_study(tmp_path, "none", {}, runs).close()
    with pytest.raises(DataError, match="has begun"):
        write.write_study(StoredStudy(tmp_path, "none"))


def test_made_records_differ_from_each_other():
    """Control for the tests above: the two runs have no reading in common at their ends."""
    assert made(20_000)[-1] != made(9_000)[-1]
