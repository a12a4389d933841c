"""A jump of a real run: trained once more to the same bits, explained, forked; and what is refused."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.tiny import MIXTURE, MLP, tiny
from latebloom import lab
from latebloom.analysis.jump import Explanation, find_jumps
from latebloom.base.errors import DataError, StoreError
from latebloom.lab.jump import explain as explain_module
from latebloom.lab.jump import explain_jump
from latebloom.lab.jump.forks import variants
from latebloom.lab.jump.stretch import Comparison, Source, Stretch, groups
from latebloom.report.jump import jump_text, replay_sentence
from latebloom.store import Store
from latebloom.tasks.split import Part, Split

# Plain gradient descent beyond its edge of stability: quiet until about step 70, then the loss leaps.
LEAPS: dict[str, Any] = {
    "model": MLP,
    "steps": 120,
    "optimizer": {"kind": "sgd", "learning_rate": 2.0},
    "batch": {"size": None},
    "evaluation": {"every": 4},
    "checkpoints": {"every": 50, "milestones": {"every": 50}, "best": []},
}


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    fast = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=fast if fast.is_dir() else None) as folder:
        lab.run(tiny(**LEAPS), store=folder, name="leaps")
        yield Path(folder)


@pytest.fixture(scope="module")
def found(root: Path) -> Explanation:
    return explain_jump("leaps", store=root, forks=True)


def contents(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def test_the_replay_is_the_run_to_the_last_bit(root: Path, found: Explanation) -> None:
    assert found.replay is not None and found.replay.is_exact
    (jump,) = found.jumps
    assert found.replay.from_step == 50 * ((jump.previous_step - 50) // 50)
    stored = Store(root).find("leaps")
    last = found.curves["step"][-1]
    assert last is not None
    read = [step for step, _ in stored.records() if found.replay.from_step < step <= last]
    assert found.replay.compared == 6 * len(read)  # two accuracies, two losses, a running mean, a norm
    assert set(found.replay.checkpoints) == {
        s.step for s in stored.checkpoints() if found.replay.from_step < s.step <= last
    }
    # what was read at every step is what the run itself had read at some of them
    own = dict(zip(*(curve.tolist() for curve in stored.curves()["train/loss"]), strict=True))
    here = dict(zip(found.curves["step"], found.curves["train"], strict=True))
    assert all(here[step] == pytest.approx(own[step], rel=1e-4) for step in read)


def test_gradient_descent_beyond_its_threshold_leaps_by_curvature_and_by_nothing_that_was_changed(
    found: Explanation,
) -> None:
    verdicts = {finding.letter: finding.verdict for finding in found.findings}
    assert verdicts["c"] == "survives"
    assert {verdicts[letter] for letter in "aeg"} == {"refuted"}
    before = [value for step, value in found.sharpness.items() if step < found.top_step]
    assert max(before) > 1 and min(found.sharpness.values()) < max(before)


def test_the_leap_is_gone_with_a_third_of_the_learning_rate(found: Explanation) -> None:
    """Cohen et al. (2021): it is the learning rate that makes this curvature unstable."""
    forks = {fork.changed: fork for fork in found.forks}
    assert forks["learning rate / 3"].jumps is False
    assert forks["loss in float64"].jumps is True
    assert forks["weight decay 0"].jumps is None and forks["weight decay 0"].note == "it is 0 already"


def test_far_from_a_checkpoint_only_the_neighbourhood_is_read_at_every_step(
    root: Path, found: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_module, "DENSE", 30)
    near = explain_jump("leaps", store=root)
    assert near.curves["step"][0] == near.jumps[0].previous_step - 30 > found.curves["step"][0]
    assert near.replay == found.replay and (near.onset_step, near.top_step) == (found.onset_step, found.top_step)


def test_nothing_is_written(root: Path) -> None:
    before = contents(root)
    explain_jump("leaps", store=root)
    assert contents(root) == before


def test_a_replay_of_something_else_says_so(root: Path) -> None:
    """Control: one stored reading changed in its last bit, one checkpoint of another run."""
    stored = Store(root).find("leaps")
    source = Source.before(stored, 60, 5)
    same, other = Comparison(source), Comparison(source)
    other.stored = {
        s: {n: np.nextafter(v, 9) if n == "val/loss" else v for n, v in r.items()} for s, r in same.stored.items()
    }
    stretch = Stretch(source)
    stretch.update()
    stretch.update()
    same.look(stretch)
    assert same.told().is_exact and "equal to the last bit" in replay_sentence(same.told())
    stretch = Stretch(source)
    stretch.update()
    stretch.update()
    other.look(stretch)
    assert (other.told().compared, other.told().different) == (6, 1)
    assert "NOT THE SAME RUN" in replay_sentence(other.told()) and "val/loss at step 52" in replay_sentence(
        other.told()
    )


def test_a_step_that_the_run_has_not_read_is_refused(root: Path) -> None:
    with pytest.raises(DataError, match="is not between the readings"):
        explain_jump("leaps", 10_000, store=root)


def test_a_run_that_never_jumps_says_so(memory: Path) -> None:
    lab.run(tiny(), store=memory)
    with pytest.raises(DataError, match="name its step"):
        explain_jump(store=memory)


def test_before_the_first_checkpoint_the_replay_begins_at_the_seed_but_not_for_a_branch(root: Path) -> None:
    stored = Store(root).find("leaps")
    assert Source.before(stored, 60, 50).step == 0
    branched = lab.rollback("leaps", 100, ["optimizer.learning_rate=0.1"], store=root, name="branch")
    assert Source.before(branched.stored, 120, 50).step == 100
    with pytest.raises(StoreError, match="it branched off run"):
        Source.before(branched.stored, 90, 50)


def test_a_resume_that_the_replay_did_not_go_through_is_ruled_out(memory: Path) -> None:
    lab.run(tiny(**LEAPS | {"steps": 60}), store=memory)
    lab.resume(steps=120, store=memory)
    found = explain_jump(store=memory)
    (jump,) = find_jumps(Store(memory).find("latest").curves()["train/loss"])
    assert found.replay is not None and found.replay.is_exact and found.replay.from_step < 60 < jump.step
    assert found.findings[-1].verdict == "refuted" and "the replay was not" in found.findings[-1].because


def test_each_variant_changes_one_thing() -> None:
    spec = tiny(optimizer={"kind": "adamw", "weight_decay": 0.1})
    given = spec.model_dump()
    for variant in variants(spec):
        assert variant.spec is not None
        changed = [key for key, value in variant.spec.model_dump().items() if value != given[key]]
        assert len(changed) + (variant.order > 0) == 1


def test_examples_fall_into_groups_by_label_part_and_token() -> None:
    spec = tiny(task=MIXTURE)
    split = spec.task.split(spec.seed)
    found = groups(split)
    assert list(found) == ["label", "part", "token 1", "token 2", "token 3"]
    for kind, place in (("token 1", 0), ("token 3", 2)):
        words = [found[kind].names[i] for i in found[kind].train_M]
        assert words == [split.vocabulary[token] for token in split.inputs_NT[split.train_M, place]]
    assert [found["part"].names[i] for i in found["part"].val_V] == [
        name for name, part in split.parts.items() for _ in part.val_M
    ]


def test_labels_that_are_numbers_are_grouped_by_tenths() -> None:
    numbers = np.random.default_rng(0).exponential(size=1000)
    split = Split(np.zeros((1000, 3)), numbers, (), (), {"all": Part(np.arange(900), np.arange(900, 1000))})
    found = groups(split)["label"]
    assert np.bincount(found.train_M).tolist() == [90] * 10
    assert (np.diff([numbers[:900][found.train_M == i].mean() for i in range(10)]) > 0).all()


def test_the_text_says_every_explanation_and_every_fork(found: Explanation) -> None:
    told = jump_text(found)
    text = " ".join(told.split())
    for finding in found.findings:
        assert f"({finding.letter}) " in text
    for fork in found.forks:
        assert fork.changed in text
    assert "equal to the last bit" in text and "What survives: " in text
    assert jump_text(Explanation.from_json(json.loads(json.dumps(found.to_json())))) == told
