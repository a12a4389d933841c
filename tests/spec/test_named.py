"""What a command line means by a study, and that what it assigns is what is trained."""

import pytest

from latebloom.base.errors import SpecError
from latebloom.recipes import STUDIES, names
from latebloom.spec import plan, study_named


@pytest.mark.parametrize("name", names(STUDIES))
def test_every_shipped_study_can_be_planned_and_says_what_it_is(name):
    study = study_named(name)
    assert study.name == name and set(study.about) == {"title", "source", "expect"}
    trials = plan(study)
    seeds = {trial.label["seed"] for trial in trials}
    least = 2 if name.startswith("forecast-") else 5  # a corpus of many configurations; nothing is compared in it
    assert len(trials) == study.size and len(seeds) >= least
    by_arm = {}
    for trial in trials:
        by_arm.setdefault(trial.label.get("arm"), set()).add(trial.spec.seed)
    assert all(of_arm == seeds for of_arm in by_arm.values())  # so that arms can be paired


def test_the_six_arms_have_the_same_weight_decay_and_differ_in_interventions_alone():
    for name in ("grokfast-l1-s5", "grokfast-l1-division"):
        specs = {t.label["arm"]: t.spec.model_dump() for t in plan(study_named(name, ["seed=0"]))}
        assert len(specs) == 6
        for spec in specs.values():
            assert spec["optimizer"]["weight_decay"] == 1.0
            assert {k: v for k, v in spec.items() if k not in ("interventions", "name")} == {
                k: v for k, v in specs["baseline"].items() if k not in ("interventions", "name")
            }


def test_an_assignment_replaces_axes_settings_and_arms():
    changed = study_named("grokfast-weight-decay", ["seed=0..1", "steps=100", "batch.size=64,128"])
    trials = plan(changed)
    assert {t.spec.seed for t in trials} == {0, 1} and {t.spec.steps for t in trials} == {100}
    assert {t.label["batch.size"] for t in trials} == {64, 128} and len(trials) == 7 * 2 * 2
    assert changed.name.startswith("grokfast-weight-decay-") and changed.name != "grokfast-weight-decay"
    with pytest.raises(SpecError, match=r"are the same run"):  # arms that differed in nothing else
        plan(study_named("grokfast-weight-decay", ["optimizer.weight_decay=0.3"]))


def test_the_same_words_mean_the_same_study_and_other_words_another():
    words = ["seed=0..1", "steps=100"]
    assert study_named("task-diversity", words) == study_named("task-diversity", words)
    assert study_named("task-diversity", words).name != study_named("task-diversity", ["seed=0..1", "steps=101"]).name
    assert study_named("task-diversity", words, "mine").name == "mine"


def test_half_of_what_moves_together_is_refused(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("recipe: demo\nzip:\n  - {optimizer.weight_decay: [0.1, 1], steps: [20, 10]}\n")
    with pytest.raises(SpecError, match=r"weight_decay and steps move together"):
        study_named(str(path), ["steps=5"])
    assert len(plan(study_named(str(path), ["zip(optimizer.weight_decay=1,2,3; steps=1,2,3)"]))) == 3


@pytest.mark.parametrize(
    ("what", "hint"), [("grokfast-l1-s6", "grokfast-l1-s5"), ("modular-divison", "modular-division")]
)
def test_what_is_neither_is_answered_with_the_nearest(what, hint):
    with pytest.raises(SpecError, match=f"Did you mean '{hint}'"):
        study_named(what)
