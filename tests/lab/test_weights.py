"""A run that starts from the weights of stored runs: which are meant, what is written down, and what is refused."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import latebloom
from engine.tiny import CODES, EXPERTS, MLP, RESNET, live, tiny
from faults.sweeping import fork_nurseries
from faults.training import Watcher
from latebloom import lab
from latebloom.base.errors import SpecError
from latebloom.engine import pack, start
from latebloom.engine.checkpoint import model_tensors
from latebloom.engine.weights import sha256
from latebloom.lab.jump.stretch import Source
from latebloom.lab.trained import trained
from latebloom.lab.weights import pinned
from latebloom.spec import RunSpec, Study, identity, plain, plan, read_study, to_yaml
from latebloom.store import Store, StoredStudy

KEPT: dict[str, Any] = {"every": 5, "latest": 9, "milestones": {"at": [3]}, "best": [{"reading": "train/loss"}]}
CODED: dict[str, Any] = {"task": CODES, "loss": {"kind": "log2_squared_error"}, "checkpoints": KEPT}
SELDOM: dict[str, Any] = {"evaluation": {"every": 4}}
EXPERT = tiny(**CODED, model=RESNET, steps=10)
WHOLE = tiny(**CODED, **SELDOM, model=EXPERTS, steps=8, seed=9, interventions=[{"kind": "decay_to_init"}])
THREE = ["first@5", "second@5", "third@5"]


@pytest.fixture(scope="module")
def sources() -> Iterator[Path]:
    """A store with three experts."""
    fast = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=fast if fast.is_dir() else None) as folder:
        for seed, name in enumerate(("first", "second", "third")):
            lab.run(EXPERT, store=folder, seed=seed, name=name)
        yield Path(folder)


@pytest.fixture
def shelf(sources: Path, memory: Path) -> Path:
    """The same, for a test of its own."""
    return Path(shutil.copytree(sources, memory / "runs"))


class Halted(Exception):  # noqa: N818 (it is no error of the program)
    pass


def stopped_at(step: int, spec: RunSpec, root: Path) -> str:
    class Stops(Watcher):
        def update(self, now: int, *rest: Any) -> None:
            if now == step:
                raise Halted

    with pytest.raises(Halted):
        lab.run(spec, store=root, listener=Stops())
    return Store(root).find("latest").id


def end(root: Path, run: str) -> str:
    stored = Store(root).find(run)
    return lab.digest(stored.load(stored.step))


def noticed(run: lab.Run) -> list[str]:
    return [line["text"] for line in run.stored.journal() if line["what"] == "notice"]


def test_a_run_from_weights_is_the_training_from_these_tensors(shelf: Path) -> None:
    """Truth: the engine alone, given the tensors of the three files."""
    run = latebloom.run(WHOLE, ["weights=[first@5, second@5, third@5]"], store=shelf)
    tensors = [model_tensors(Store(shelf).find(name).load(5)) for name in ("first", "second", "third")]
    state = start(run.spec, run.spec.task.split(9), tensors)
    live(run.spec, state)
    assert pack(state) == run.stored.load(8)
    others = latebloom.run(WHOLE, weights=["first@5", "second@10", "third@5"], store=shelf)
    assert others.stored.load(8) != run.stored.load(8), "control: another step of one of them"


def test_a_mixture_with_a_hard_gate_begins_as_good_as_each_of_its_experts_ended(memory: Path) -> None:
    """To the last bit: the same matrices validate, and the gate asks the expert of their size alone."""
    sizes = [(5, 3), (6, 4)]
    experts = [
        latebloom.run(EXPERT, ["steps=5", f"task.groups='{n},{k}'", "batch.size=8"], name=f"{n}-{k}", store=memory)
        for n, k in sizes
    ]
    gate = {"kind": "hard", "cases": sizes}
    whole = EXPERT.but(
        task=CODES | {"groups": "5,3 6,4"}, model={**EXPERTS, "experts": 2, "gate": gate}, steps=1, batch={"size": 8}
    )
    mixture = latebloom.run(whole, weights=["5-3", "6-4"], store=memory)
    ends = [expert.curves["val/loss"].values[-1] for expert in experts]
    parts = ["val/loss/5-3-2", "val/loss/6-4-2"]  # with these sizes there is m = 2 alone
    assert [mixture.curves[part].values[0] for part in parts] == ends
    swapped = latebloom.run(whole, weights=["6-4", "5-3"], store=memory)
    assert not {swapped.curves[part].values[0] for part in parts} & {*ends}, "control: each other's expert"


def test_the_stored_spec_says_which_weights_by_id_step_and_hash(shelf: Path) -> None:
    run, first = latebloom.run(WHOLE, weights=["first"], store=shelf), Store(shelf).find("first")
    assert plain(run.spec)["weights"] == [
        {"run": first.id, "step": 10, "sha256": sha256(model_tensors(first.load(10)))}
    ]
    assert run.stored.spec_hash == identity(run.spec)
    assert f"It starts from the weights of run {first.id} at step 10. Steps are counted from there." in noticed(run)
    again = latebloom.run(run.spec, store=shelf)
    assert again.stored.load(8) == run.stored.load(8) and again.stored.spec_hash == run.stored.spec_hash


@pytest.mark.parametrize(
    ("wanted", "step"),
    [(3, 3), (None, 10), ("milestone", 3), ("best:train/loss", None), ("final", 10), ("every", 10)],
)
def test_a_checkpoint_is_meant_by_its_step_or_by_why_it_was_kept(wanted: Any, step: int | None, sources: Path) -> None:
    first = Store(sources).find("first")
    lowest = int(first.curves()["train/loss"].steps[first.curves()["train/loss"].values.argmin()])
    spec = lab.rehearse(EXPERT.but(weights=[{"run": "first", "step": wanted}]), sources)
    assert spec.weights[0].step == (lowest if step is None else step)
    assert spec.weights[0].run == first.id


@pytest.mark.parametrize("at", [2, 6], ids=["from its seed", "from a checkpoint"])
def test_a_run_that_was_killed_goes_on_to_the_same_bits(at: int, shelf: Path) -> None:
    spec = WHOLE.but(weights=[{"run": name, "step": 5} for name in ("first", "second", "third")])
    whole = lab.run(spec, store=shelf)
    killed = stopped_at(at, spec, shelf)
    assert bool(Store(shelf).find(killed).checkpoints()) == (at == 6)
    lab.resume(killed, store=shelf)
    assert end(shelf, killed) == end(shelf, whole.id)


def test_only_a_run_without_a_checkpoint_still_needs_its_sources(shelf: Path) -> None:
    spec = WHOLE.but(weights=[{"run": "first", "step": 5}])
    whole, early, late = lab.run(spec, store=shelf), stopped_at(2, spec, shelf), stopped_at(6, spec, shelf)
    source = Store(shelf).find("first")
    shutil.rmtree(source.path)
    lab.resume(late, store=shelf)
    assert end(shelf, late) == end(shelf, whole.id)
    with pytest.raises(SpecError, match=rf"^weights\[0\]: There is no run '{source.id}'"):
        lab.resume(early, store=shelf)
    assert Store(shelf).find(early).status == "failed"


def test_a_source_that_has_other_weights_now_is_refused(shelf: Path) -> None:
    spec, source = WHOLE.but(weights=[{"run": "first", "step": 5}]), Store(shelf).find("first")
    early = stopped_at(2, spec, shelf)
    shutil.rmtree(source.path)
    lab.run(EXPERT, store=shelf, seed=77, run_id=source.id, name="first")
    with pytest.raises(SpecError, match=rf"weights\[0\]\.sha256 = .*, but the weights of run {source.id} at step 5"):
        lab.resume(early, store=shelf)


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        (["frist"], r"^weights\[0\]: There is no run 'frist' in .*Did you mean 'first'\?"),
        (["first@4"], r"^weights\[0\]: run \S+ has no checkpoint 4; it has: 3 \(milestone"),
        (["first", "second@best", "third"], r"^weights\[1\]: run \S+ has no checkpoint 'best'; it has: 3 \("),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_written(
    weights: list[str], problem: str, sources: Path
) -> None:
    before = sorted(sources.iterdir())
    with pytest.raises(SpecError, match=problem):
        latebloom.run(WHOLE, weights=weights, store=sources)
    assert sorted(sources.iterdir()) == before


def test_a_damaged_checkpoint_is_no_source(shelf: Path) -> None:
    [tensors] = Store(shelf).find("first").path.glob("checkpoints/*5/tensors.safetensors")
    data = bytearray(tensors.read_bytes())
    data[-1] ^= 1
    tensors.write_bytes(data)
    with pytest.raises(SpecError, match=r"^weights\[0\]: .*SHA-256"):
        latebloom.run(WHOLE, weights=["first@5"], store=shelf)


def test_a_setting_that_changes_what_the_same_tensors_mean_is_told(memory: Path) -> None:
    """Heads cut the same matrices into other pieces."""
    model = {"kind": "transformer", "layers": 1, "width": 16, "heads": 2}
    source = latebloom.run(tiny(steps=2, model=model), store=memory)

    def told(**changes: Any) -> list[str]:
        run = latebloom.run(tiny(steps=2, model=model | changes), weights=[source.id], store=memory)
        return [text for text in noticed(run) if "another model" in text]

    assert told(heads=4) == [f"Weights of run {source.id} in another model: heads is 4 here and was 2"]
    assert told() == []


def test_weights_that_were_trained_on_what_validates_here_are_told(memory: Path) -> None:
    """Truth: the two splits, as sets of equations."""
    spec = tiny(steps=2, model=MLP, seed=1)
    source = latebloom.run(spec, store=memory)
    splits = [spec.task.split(seed) for seed in (1, 2)]
    trained_on = {tuple(row) for row in splits[0].inputs_NT[splits[0].train_M].tolist()}
    both = trained_on & {tuple(row) for row in splits[1].inputs_NT[splits[1].val_M].tolist()}

    def told(**changes: Any) -> list[str]:
        run = latebloom.run(spec, weights=[source.id], store=memory, **changes)
        return [text for text in noticed(run) if "validate here" in text]

    assert told(seed=2) == [
        f"Run {source.id} was trained on {len(both)} of {len(splits[1].val_M)} examples that validate here"
    ]
    assert told(seed=1) == [], "control: the same split"
    other = spec.but(task={"kind": "modular", "operation": "subtract", "modulus": 7})
    assert not set(splits[0].vocabulary) >= set(other.task.split(2).vocabulary), "a minus is no plus"
    assert "validate here" not in " ".join(noticed(latebloom.run(other, weights=[source.id], store=memory, seed=2)))


def test_a_branch_keeps_the_weights_of_its_checkpoint(shelf: Path) -> None:
    run = latebloom.run(WHOLE, weights=["first@5"], store=shelf)
    with pytest.raises(SpecError, match=r"^weights: a branch goes on with those of its checkpoint"):
        lab.rollback(run.id, 5, ["weights=[second@5]"], store=shelf)
    shutil.rmtree(Store(shelf).find("first").path)
    branch = lab.rollback(run.id, 5, store=shelf)
    assert end(shelf, lab.resume(branch.id, store=shelf).id) == end(shelf, run.id)


def test_a_stretch_from_the_seed_begins_with_these_weights(shelf: Path) -> None:
    run = latebloom.run(WHOLE, weights=THREE, store=shelf)
    state = Source.before(run.stored, 4, 4).state()
    second = model_tensors(Store(shelf).find("second").load(5))
    assert state.step == 0
    assert all(state.module.state_dict()[f"experts.1.{name}"].equal(tensor) for name, tensor in second.items())


# Plans


def study(*weights: Any, **settings: Any) -> Study:
    common = {key: value for key, value in plain(WHOLE).items() if key not in ("name", "weights")} | settings
    return Study("tuned", settings=common, axes=({"weights": [*weights]},))


def test_a_sweep_takes_weights_as_an_axis_and_writes_down_which_were_meant(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_nurseries(monkeypatch)
    axis = study([], ["first"], THREE)
    assert lab.sweep(axis, store=shelf).exit_code == 0
    planned = StoredStudy(shelf, "tuned").planned
    ids = [[one["run"] for one in run.spec["weights"]] for run in planned]
    store = Store(shelf)
    assert ids == [[], [store.find("first").id], [store.find(name).id for name in ("first", "second", "third")]]
    for trial, run in zip(plan(axis), planned, strict=True):
        assert end(shelf, run.run) == end(shelf, lab.run(trial.spec, store=shelf).id)
    assert lab.sweep(axis, store=shelf).progress.finished == 3
    assert len(StoredStudy(shelf, "tuned").planned) == 3, "the same words go on with the same study"


def test_a_study_file_can_give_the_same_weights_to_every_run(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(to_yaml(WHOLE))
    file = tmp_path / "tuned.yaml"
    file.write_text("recipe: recipe.yaml\nsettings: {weights: [first@5, second@5, third@5]}\naxes: {seed: 0..2}\n")
    trials = pinned(plan(read_study(str(file))), sources)
    ids = [Store(sources).find(name).id for name in ("first", "second", "third")]
    assert [[one.run for one in trial.spec.weights] for trial in trials] == [ids] * 3
    assert all(len(one.sha256 or "") == 64 for trial in trials for one in trial.spec.weights)


def test_two_words_for_the_same_weights_are_one_run_too_many(sources: Path) -> None:
    with pytest.raises(SpecError, match="two runs of the plan start from the same weights"):
        pinned(plan(study(["first"], ["first@10"])), sources)
    assert len(pinned(plan(study(["first"], ["first@5"])), sources)) == 2


def test_a_run_from_weights_is_never_taken_for_one_from_its_seed(shelf: Path) -> None:
    tuned, alone = latebloom.run(WHOLE, weights=["first@5"], store=shelf), latebloom.run(WHOLE, store=shelf)
    trials = pinned(plan(study([], ["first@5"], ["first@10"])), shelf)
    found = trained(shelf, trials)
    assert [run.id if (run := found.get(trial.key)) else None for trial in trials] == [alone.id, tuned.id, None]


def test_a_run_of_a_version_that_knew_no_such_weights_is_one_from_its_seed(memory: Path) -> None:
    spec = tiny(steps=2, model=MLP)
    run = lab.run(spec, store=memory)
    old = {key: value for key, value in run.stored.spec.items() if key != "weights"}
    with Store(memory / "old").create(name="old", seed=1, spec=old, spec_hash="", environment={}) as writer:
        writer.state("finished", 2)
    common = {key: value for key, value in plain(spec).items() if key not in ("name", "seed")}
    trials = plan(Study("s", settings=common, axes=({"seed": [1]},)))
    assert [found.id for found in trained(memory / "old", trials).values()] == [writer.run.id]
    assert "weights" not in json.loads((writer.run.path / "run.json").read_bytes().split(b"\t")[0])["spec"]
