"""Resume, extend, roll back: what goes on, what stays as it was, and what is refused."""

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load

from engine.tiny import DECISIVE, MLP, TRANSFORMER, tiny
from faults.training import End, Watcher, end_of, live, only, wait_until, warm_up
from latebloom import lab
from latebloom.base.errors import DivergedError, SpecError, StoreError
from latebloom.spec import RunSpec
from latebloom.store import Store

EVERY_STEP: dict[str, Any] = {"every": 1, "latest": 100, "milestones": {"at": [100]}}
PLAIN = tiny(steps=20, model=MLP, evaluation={"every": 5}, checkpoints=EVERY_STEP)
EARLY = tiny(**{**DECISIVE, "checkpoints": {**EVERY_STEP, "best": [{"reading": "val/loss"}]}})  # ends at step 54 of 60


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of every file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def stop_at(step: int, spec: RunSpec, root: Path) -> lab.Run:
    """A run that somebody stopped."""

    class Stops(Watcher):
        def update(self, now: int, *rest: Any) -> None:
            if now == step:
                raise Halted

    with pytest.raises(Halted):
        lab.run(spec, store=root, listener=Stops())
    return lab.Run(only(root))


class Halted(Exception):  # noqa: N818 (it is no error of the program)
    pass


def weights(run: lab.Run, step: int) -> dict[str, bytes]:
    return {name: t.numpy().tobytes() for name, t in load(run.stored.load(step)["tensors.safetensors"]).items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one undisturbed run that has a checkpoint of every step."""
    warm_up()
    root = tmp_path_factory.mktemp("whole")
    lab.run(PLAIN, store=root)
    return root


# Resume


def test_a_listener_that_raises_ends_the_run_as_failed_with_its_traceback_and_it_resumes(
    memory: Path, whole: Path
) -> None:
    run = stop_at(7, PLAIN, memory)
    assert run.status == "failed" and "Halted" in run.stored.reason
    assert "raise Halted" in run.stored.journal()[-1]["traceback"]
    lab.resume(store=memory)
    assert end_of(memory) == end_of(whole)


@pytest.mark.parametrize("spec", [PLAIN, EARLY], ids=["all its steps", "ended by its rule"])
def test_resuming_a_finished_run_changes_nothing_but_the_journal(spec: RunSpec, memory: Path) -> None:
    run = lab.run(spec, store=memory)
    before, summary = contents(run.path), run.stored.summary
    again = lab.resume(store=memory)
    after = contents(run.path)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {"journal.jsonl", "lock"}  # the lock says who had it last
    assert again.stored.summary == summary and "val/accuracy" in summary
    assert (again.status, again.stored.reason) == (run.status, run.stored.reason)


@pytest.mark.parametrize("stopped_at", [None, 7])
def test_more_steps_give_the_weights_of_a_run_that_had_them_from_the_start(
    stopped_at: int | None, memory: Path
) -> None:
    longer = lab.run(PLAIN.but(steps=33), store=memory / "longer")
    if stopped_at:
        stop_at(stopped_at, PLAIN, memory / "extended")
    else:
        lab.run(PLAIN, store=memory / "extended")
    extended = lab.resume(steps=33, store=memory / "extended")
    assert extended.status == "finished" and extended.stored.step == 33
    assert end_of(memory / "extended") == end_of(memory / "longer")  # 20 is due anyway: equal in everything
    assert extended.spec.steps == 20 and extended.stored.journal()[-1]["reason"] == "all 33 steps are done"
    assert lab.resume(store=memory / "extended").stored.step == 33  # the longer budget is remembered
    assert weights(extended, 33) == weights(longer, 33)


def test_the_extra_reading_at_a_former_last_step_stays_and_changes_no_weight(memory: Path) -> None:
    """A last step is always read. In a longer run it may not be due: that line is the only difference, but for the
    running mean after it, which begins at each reading."""
    spec = PLAIN.but(steps=18)
    longer = lab.run(spec.but(steps=33), store=memory / "longer")
    lab.run(spec, store=memory / "extended")
    extended = lab.resume(steps=33, store=memory / "extended")
    assert weights(extended, 33) == weights(longer, 33)
    ours, theirs = dict(extended.stored.records()), dict(longer.stored.records())
    assert set(ours) - set(theirs) == {18}
    differing = {(step, name) for step in theirs for name in theirs[step] if ours[step][name] != theirs[step][name]}
    assert differing == {(min(step for step in theirs if step > 18), "train/batch_loss")}


@pytest.mark.parametrize("steps", [3, 20])
def test_steps_that_are_not_more_than_before_are_refused_and_change_nothing(
    memory: Path, whole: Path, steps: int
) -> None:
    stop_at(7, PLAIN, memory)
    with pytest.raises(SpecError, match=rf"steps = {steps}; run .* has 20 already. Give a larger number"):
        lab.resume(steps=steps, store=memory)
    assert lab.resume(store=memory).stored.step == 20
    assert end_of(memory) == end_of(whole)


def test_another_fingerprint_is_noted_with_the_step_from_which_bits_may_differ(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(7, PLAIN, memory)
    monkeypatch.setenv("OMP_LATEBLOOM_TEST", "1")
    run = lab.resume(store=memory)
    [notice] = [entry for entry in run.stored.journal() if "Not bit-exact" in entry.get("text", "")]
    assert notice["text"].startswith("Not bit-exact from step 7 on: variables was")
    assert notice["fingerprint"]["variables"]["OMP_LATEBLOOM_TEST"] == "1"
    assert notice["text"] in run.story.notices


def test_the_same_fingerprint_is_not_noted(memory: Path) -> None:
    stop_at(7, PLAIN, memory)
    assert not [e for e in lab.resume(store=memory).stored.journal() if "Not bit-exact" in e.get("text", "")]


# Divergence


def test_a_diverging_run_keeps_its_last_finite_state_and_says_so_again_when_resumed(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latebloom.engine.step import Step

    update = Step.update

    def overflow(step: Step) -> float:
        if step.state.step == 13:
            object.__setattr__(step.state.module, "answer", lambda fed: fed[0].sum() * float("nan"))
            step.loss_of = lambda fed, labels: step.state.params["unembed.weight"].sum() * float("nan")
        return update(step)

    monkeypatch.setattr(Step, "update", overflow)
    spec = PLAIN.but(checkpoints={"every": 5})
    messages = []
    for act in (lambda: lab.run(spec, store=memory), lambda: lab.resume(store=memory)):
        with pytest.raises(
            DivergedError, match=r"the loss of step 14 is nan.*its last finite state, of step 13, is ke"
        ):
            act()
        run = only(memory)
        assert (run.status, run.step) == ("diverged", 13)
        assert run.checkpoints()[-1].step == 13
        messages.append(run.reason)
    assert messages[0] == messages[1]
    monkeypatch.setattr(Step, "update", update)
    lab.resume(store=memory)  # the cause is gone
    lab.run(spec, store=memory / "undisturbed")
    assert end_of(memory).state == end_of(memory / "undisturbed").state


def test_a_run_that_diverges_at_its_first_step_can_be_resumed(memory: Path) -> None:
    spec = PLAIN.but(model={**MLP, "init_scale": 1e25})
    for act in (lambda: lab.run(spec, store=memory), lambda: lab.resume(store=memory)):
        with pytest.raises(DivergedError, match=r"(loss|gradient) of step 1 is"):
            act()
        assert only(memory).status == "diverged"


def test_a_checkpoint_that_is_not_finite_is_never_written(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from latebloom.engine.step import Step

    update = Step.update

    def freeze(step: Step) -> float:
        loss = update(step)
        if step.state.step == 13:
            step.state.optimizer["mean_square"]["unembed.weight"][0, 0] = float("inf")  # reaches no loss
        return loss

    monkeypatch.setattr(Step, "update", freeze)
    spec = PLAIN.but(checkpoints={"every": 7}, evaluation={"every": 7})
    told = r"the state after step 14 is not finite in optimizer/mean_square/unembed.weight.*of step 7, is kept"
    with pytest.raises(DivergedError, match=told):
        lab.run(spec, store=memory)
    assert [checkpoint.step for checkpoint in only(memory).checkpoints()] == [7]
    monkeypatch.setattr(Step, "update", update)
    lab.resume(store=memory)
    lab.run(spec, store=memory / "undisturbed")
    assert end_of(memory) == end_of(memory / "undisturbed")


# Damage at rest


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "cut off":
        del data[len(data) * 2 // 3 :]
    elif how == "one bit flipped":
        data[len(data) // 2] ^= 4
    elif how == "emptied":
        data.clear()
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["cut off", "one bit flipped", "emptied"])
@pytest.mark.parametrize("file", ["tensors.safetensors", "counts.json", "MANIFEST.json"])
def test_a_damaged_newest_checkpoint_is_named_put_aside_and_the_one_before_is_used(
    file: str, how: str, memory: Path, whole: Path
) -> None:
    run = stop_at(12, PLAIN, memory)
    newest = run.stored.checkpoints()[-1]
    assert newest.step == 12
    damage(newest.path / file, how)
    resumed = lab.resume(store=memory)
    assert end_of(memory) == end_of(whole)
    [notice] = [text for text in resumed.story.notices if "damaged" in text]
    assert notice.startswith("The checkpoint at step 12 is damaged and was moved to") and file in notice
    assert (run.path / "quarantine/step-000000012-1" / file).exists()


def test_a_finished_run_whose_last_checkpoint_is_damaged_computes_it_again(memory: Path, whole: Path) -> None:
    lab.run(PLAIN, store=memory)
    damage(only(memory).checkpoints()[-1].path / "tensors.safetensors", "one bit flipped")
    lab.resume(store=memory)
    assert end_of(memory) == end_of(whole)


def test_with_every_checkpoint_damaged_the_run_starts_over_to_the_same_bits(memory: Path, whole: Path) -> None:
    run = stop_at(12, PLAIN, memory)
    for checkpoint in run.stored.checkpoints():
        damage(checkpoint.path / "counts.json", "cut off")
    resumed = lab.resume(store=memory)
    assert end_of(memory) == end_of(whole)
    assert any("starts over from its seed" in text for text in resumed.story.notices)


@pytest.mark.parametrize("tail", [b'{"step":', b"\0" * 40, b'{"step":11,"readings":{},"crc":"00000000"}\n'])
@pytest.mark.parametrize("log", ["readings.jsonl", "events.jsonl"])
def test_a_torn_last_line_is_cut_off_before_the_next_is_written(
    log: str, tail: bytes, memory: Path, whole: Path
) -> None:
    run = stop_at(12, PLAIN, memory)
    with (run.path / log).open("ab") as file:
        file.write(tail)
    lab.resume(store=memory)
    assert end_of(memory) == end_of(whole)


def test_a_log_shorter_than_its_checkpoint_sends_the_run_back_to_an_earlier_one(memory: Path, whole: Path) -> None:
    run = stop_at(12, PLAIN, memory)
    log = run.path / "readings.jsonl"
    log.write_bytes(log.read_bytes()[:-3])  # the line of step 10
    lab.resume(store=memory)
    assert end_of(memory) == end_of(whole)
    assert (run.path / "quarantine/step-000000012-1").is_dir()


# Two processes, names


def test_a_second_process_is_refused_naming_the_first_which_goes_on_unharmed(memory: Path, whole: Path) -> None:
    store = memory / "store"

    class Waits(Watcher):
        def update(self, now: int, *rest: Any) -> None:
            if now == 7:
                (memory / "waiting").touch()
                wait_until((memory / "go").exists)

    child = os.fork()
    if child == 0:
        code = 1
        try:
            lab.run(PLAIN, store=store, listener=Waits())
            code = 0
        finally:
            os._exit(code)
    wait_until((memory / "waiting").exists)
    with pytest.raises(StoreError, match=rf"is being written by process {child} on "):
        lab.resume(store=store)
    assert only(store).status == "running"
    (memory / "go").touch()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert end_of(store) == end_of(whole)


@pytest.mark.parametrize("name", ["../escaped", "a/b", "..\\escaped", "\x1b[31mred", "two\nlines", " "])
def test_a_name_that_is_no_label_is_refused_and_nothing_is_written(name: str, memory: Path) -> None:
    store = memory / "deep" / "store"
    with pytest.raises((StoreError, SpecError), match="name"):
        lab.run(PLAIN, store=store, name=name)
    assert not [path for path in memory.rglob("*") if path.name != "FORMAT" and path.is_file()]
    assert Store(store).runs() == []


def test_a_run_that_does_not_exist_is_refused_by_name(whole: Path) -> None:
    for wanted in ("../escaped", "nobody", "20990101T000000-abcdef"):
        with pytest.raises(StoreError, match="There is no run"):
            lab.resume(wanted, store=whole)


# Rollback


def test_a_branch_from_any_checkpoint_goes_on_to_the_same_bits_and_leaves_the_old_run_alone(
    memory: Path, whole: Path
) -> None:
    shutil.copytree(whole, memory / "store")
    old = only(memory / "store")
    before = contents(old.path)
    for step in [checkpoint.step for checkpoint in old.checkpoints()]:
        branch = lab.rollback(old.id, step, store=memory / "store")
        assert branch.id != old.id and branch.stored.parent == {"run": old.id, "step": step}
        assert (branch.status, branch.stored.step) == ("interrupted", step)
        lab.resume(branch.id, store=memory / "store")
        ended = Store(memory / "store").find(branch.id)
        assert ended.load(20) == old.load(20)
        for log in ("readings.jsonl", "events.jsonl"):
            assert (ended.path / log).read_bytes() == (old.path / log).read_bytes()
        assert step in [checkpoint.step for checkpoint in ended.checkpoints()]
    assert contents(old.path) == before


def test_a_branch_from_latest_every_milestone_event_and_each_best(memory: Path) -> None:
    """All the kinds of checkpoints that a run keeps can be gone back to."""
    run = live(memory)
    by_label = {label: c.step for c in run.stored.checkpoints() for label in c.labels}
    wanted = {"final", "milestone", "event:memorized", "best:train/loss", "best:train/accuracy"}
    assert wanted <= set(by_label)
    end = end_of(memory)
    for label in wanted:
        branch = lab.rollback(run.id, by_label[label], store=memory)
        ended = lab.resume(branch.id, store=memory)
        assert (
            End(
                ended.stored.step,
                lab.digest(ended.stored.load(ended.stored.step)),
                *[(ended.path / log).read_bytes() for log in ("readings.jsonl", "events.jsonl", "arrays.jsonl")],
            )
            == end
        )


def test_a_branch_with_other_settings_differs_from_there_on_and_not_before(memory: Path, whole: Path) -> None:
    shutil.copytree(whole, memory / "store")
    old = lab.Run(only(memory / "store"))
    branch = lab.rollback(old.id, 10, ["optimizer.learning_rate=0.001"], name="slower", store=memory / "store")
    assert branch.stored.name == "slower" and branch.spec.optimizer.learning_rate == 0.001
    assert weights(branch, 10) == weights(old, 10)
    ended = lab.resume("slower", store=memory / "store")
    assert weights(ended, 11) != weights(old, 11)
    ours, theirs = dict(ended.stored.records()), dict(old.stored.records())
    assert all(ours[step] == theirs[step] for step in (0, 5, 10)) and ours[15] != theirs[15]


def test_a_branch_with_another_stopping_rule_goes_on_where_the_old_run_ended(memory: Path) -> None:
    old = lab.run(EARLY, store=memory)
    assert old.stored.step == 54
    branch = lab.rollback(old.id, 54, ["stopping.kind=never"], store=memory)
    ended = lab.resume(branch.id, store=memory)
    assert (ended.status, ended.stored.step) == ("finished", 60)
    never = lab.run(EARLY, store=memory, stopping={"kind": "never"})
    assert lab.digest(ended.stored.load(60)) == lab.digest(never.stored.load(60))


def test_another_rule_or_best_in_a_branch_has_heard_the_readings_before_it(memory: Path) -> None:
    """As if it had been there from the start: the rule's count and the best so far come from the log."""
    settings = ["stopping.kind=after_generalization", "stopping.reading=train/accuracy", "stopping.at_least=0.9",
                "stopping.for_evaluations=4", "checkpoints.best=[{reading: train/loss}]"]  # fmt: skip
    old = lab.run(EARLY, ["stopping.kind=never"], store=memory)
    there_before = lab.run(EARLY, settings, store=memory)
    assert 36 < there_before.stored.step < 60
    branch = lab.rollback(old.id, 36, settings, store=memory)
    ended = lab.resume(branch.id, store=memory)
    assert ended.stored.step == there_before.stored.step
    assert ended.stored.load(ended.stored.step) == there_before.stored.load(ended.stored.step)


def test_a_branch_without_a_whole_checkpoint_is_refused_and_not_begun_anew(memory: Path) -> None:
    """From its seed it would be another experiment under the same name."""
    old = lab.run(PLAIN, store=memory)
    branch = lab.rollback(old.id, 10, ["optimizer.learning_rate=0.001"], store=memory)
    path = next((branch.path / "checkpoints").glob("step-*/tensors.safetensors"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match=rf"began at step 10 of run {old.id}, and none .* rollback {old.id} 10"):
        lab.resume(branch.id, store=memory)
    again = lab.rollback(old.id, 10, ["optimizer.learning_rate=0.001"], store=memory)  # what the message says
    assert lab.resume(again.id, store=memory).status == "finished"


@pytest.mark.parametrize("setting", ["seed=2", "task.train_fraction=0.3", "task.operation=subtract"])
def test_a_branch_with_other_examples_is_refused(memory: Path, setting: str) -> None:
    """What it was trained on would be among what it is validated on."""
    old = lab.run(PLAIN, store=memory)
    with pytest.raises(SpecError, match=rf"examples it has.*weights=\[{old.id}@10\]"):
        lab.rollback(old.id, 10, [setting], store=memory)
    assert len(Store(memory).runs()) == 1


def test_another_detector_in_a_branch_has_heard_the_readings_before_it(memory: Path) -> None:
    loose = ["detector.memorized_at=0.5"]
    old, there_before = lab.run(EARLY, store=memory), lab.run(EARLY, loose, store=memory)
    branch = lab.rollback(old.id, 30, loose, store=memory)
    ended = lab.resume(branch.id, store=memory)
    assert ended.stored.load(54) == there_before.stored.load(54)
    assert old.stored.load(54) != there_before.stored.load(54)  # control


def test_more_steps_for_a_run_that_its_rule_ended_are_refused_with_the_way_on(memory: Path) -> None:
    old = lab.run(EARLY, store=memory)
    with pytest.raises(
        SpecError, match=rf"resume {re.escape(old.stored.words)} --from 54 stopping\.kind=never steps=80"
    ):
        lab.resume(old.id, steps=80, store=memory)
    assert not any(entry["what"] == "extended" for entry in old.stored.journal())
    branch = lab.rollback(old.id, 54, ["stopping.kind=never", "steps=80"], store=memory)
    assert lab.resume(branch.id, store=memory).stored.step == 80


def test_a_branch_of_a_run_of_a_study_is_no_run_of_the_study(memory: Path) -> None:
    old = lab.run(PLAIN, store=memory, origin={"study": "many", "label": {}})
    assert old.stored.environment["study"] == "many"
    assert "study" not in lab.rollback(old.id, 10, store=memory).stored.environment


def test_a_branch_of_an_extended_run_keeps_the_longer_budget(memory: Path) -> None:
    lab.run(PLAIN, store=memory)
    old = lab.resume(steps=33, store=memory)
    branch = lab.rollback(old.id, 25, store=memory)
    ended = lab.resume(branch.id, store=memory)
    assert ended.stored.step == 33 and ended.stored.load(33) == old.stored.load(33)


def test_a_branch_of_a_branch(memory: Path, whole: Path) -> None:
    shutil.copytree(whole, memory / "store")
    old = only(memory / "store")
    first = lab.rollback(old.id, 5, store=memory / "store")
    lab.resume(first.id, store=memory / "store")
    second = lab.rollback(first.id, 15, store=memory / "store")
    assert second.stored.parent == {"run": first.id, "step": 15}
    assert lab.resume(second.id, store=memory / "store").stored.load(20) == old.load(20)


def test_rolling_back_to_what_is_not_there_is_refused_with_what_is(whole: Path) -> None:
    before = contents(whole)
    with pytest.raises(StoreError, match=r"has no checkpoint of step 999; it has 1, 2, 3,"):
        lab.rollback("latest", 999, store=whole)
    with pytest.raises(SpecError, match=r"learning_rat is unknown\. Did you mean 'learning_rate'"):
        lab.rollback("latest", 10, ["optimizer.learning_rat=1"], store=whole)
    with pytest.raises(SpecError, match="steps = 5 is over at step 10 already"):
        lab.rollback("latest", 10, ["steps=5"], store=whole)
    with pytest.raises(StoreError, match="does not fit the run's spec"):
        lab.rollback("latest", 10, ["model.width=48"], store=whole)
    assert contents(whole) == before


def test_rolling_back_to_a_damaged_checkpoint_is_refused(memory: Path, whole: Path) -> None:
    shutil.copytree(whole, memory / "store")
    damage(only(memory / "store").checkpoints()[9].path / "tensors.safetensors", "one bit flipped")
    with pytest.raises(StoreError, match="SHA-256"):
        lab.rollback("latest", 10, store=memory / "store")
    assert len(Store(memory / "store").runs()) == 1


def test_dropout_goes_on_to_the_same_bits_too(memory: Path) -> None:
    spec = tiny(steps=12, model={**TRANSFORMER, "dropout": 0.2})
    stop_at(7, spec, memory / "stopped")
    lab.resume(store=memory / "stopped")
    lab.run(spec, store=memory / "undisturbed")
    assert end_of(memory / "stopped") == end_of(memory / "undisturbed")


def test_a_resume_that_forgets_the_detectors_would_be_caught(
    memory: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the comparison of ends sees it."""
    module = sys.modules["latebloom.lab.run"]
    unpack, start = module.unpack, module.start

    def forgetful(spec: Any, split: Any, blobs: Any) -> Any:
        state = unpack(spec, split, blobs)
        state.detectors = start(spec, split).detectors
        return state

    monkeypatch.setattr(module, "unpack", forgetful)
    stop_at(7, PLAIN, memory)
    lab.resume(store=memory)
    assert end_of(memory).state != end_of(whole).state


def test_a_run_resumed_between_two_evaluations_still_shows_its_last_readings(memory: Path) -> None:
    seen: list[dict[str, Any]] = []

    class Looks(Watcher):
        def start(self, *told: Any, **more: Any) -> None:
            seen.append(only(memory).summary)

    stop_at(7, PLAIN, memory)
    last_step, readings = list(only(memory).records())[-1]
    assert last_step < 7  # otherwise nothing is shown
    lab.resume(store=memory, listener=Looks())
    assert seen[0] | readings == seen[0]
