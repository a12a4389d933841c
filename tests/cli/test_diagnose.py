"""`latebloom diagnose` and `latebloom watch`: anybody's log in words, as JSON, as a page; and files that are none."""

import json
from types import SimpleNamespace

import pytest


class Clock:
    now = 0.0


def log_of(grokked_at: int | None, steps: int = 60) -> str:
    """A training that fits at 5 and generalizes when told: what its authors would print."""
    val = [0.97 if grokked_at is not None and step >= grokked_at else 0.02 for step in range(steps)]
    rows = [f"Epoch {step}/{steps}: train_acc={1.0 if step >= 5 else 0.1} val_acc={val[step]}" for step in range(steps)]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(("grokked_at", "family"), [(40, "grokking"), (None, "memorization"), (6, "ordinary_learning")])
def test_a_log_is_judged_by_when_it_generalized(here, tmp_path, grokked_at, family):
    path = tmp_path / "train.log"
    path.write_text(log_of(grokked_at))
    said = here("diagnose", path)
    assert said.code == 0 and said.out.startswith(f"train.log: {family.replace('_', ' ').upper()}\n")
    told = json.loads(here("diagnose", path, "--json").out)
    assert told["verdict"]["family"] == family
    assert told["log"]["mapped"] == {"train/accuracy": "train_acc", "val/accuracy": "val_acc"}
    assert (told["verdict"]["censored_at_step"] == 59) is (family == "memorization")


def test_training_readings_never_stand_in_for_validation(here, tmp_path):
    (tmp_path / "half.csv").write_text(
        "step,train_loss\n" + "".join(f"{step},{1 / (1 + step)}\n" for step in range(50))
    )
    said = here("diagnose", tmp_path / "half.csv")
    assert said.code == 0 and "training readings never stand in for one" in said.out
    assert "GROKKING" not in said.out and "MEMORIZATION" not in said.out


def test_the_page_and_the_figures_are_written(here, tmp_path):
    (tmp_path / "<b>.log").write_text(log_of(40))
    for name in ("page.html", "figure.png", "figure.svg"):
        assert here("diagnose", tmp_path / "<b>.log", "--plot", tmp_path / name).code == 0
    page = (tmp_path / "page.html").read_text()
    assert "&lt;b&gt;.log" in page and "<b>" not in page and "<script" not in page
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    refused = here("diagnose", tmp_path / "<b>.log", "--plot", tmp_path / "figure.gif")
    assert refused.code == 2 and ".html, .png or .svg" in refused.err


def test_what_cannot_be_judged_says_what_to_do(here, tmp_path):
    assert "there is no log" in here("diagnose", tmp_path / "none.csv").err
    (tmp_path / "poem.txt").write_text("Roses are red\n" * 20)
    assert here("diagnose", tmp_path / "poem.txt").code == 2
    (tmp_path / "a.log").write_text(log_of(40))
    for wrong in (("--map", "val/loss"), *(("--floor", f) for f in ("loss", "loss=low", "accuracy=1", "loss=nan"))):
        said = here("diagnose", tmp_path / "a.log", *wrong)
        assert said.code == 2 and "expected" in said.err


def test_columns_can_be_named(here, tmp_path):
    rows = "".join(f"{step},{float(step >= 5)},{0.97 if step >= 40 else 0.02}\n" for step in range(60))
    (tmp_path / "odd.csv").write_text("when,seen,unseen\n" + rows)
    mapping = ("--map", "step=when", "--map", "train/accuracy=seen", "--map", "val/accuracy=unseen")
    told = json.loads(here("diagnose", tmp_path / "odd.csv", *mapping, "--json").out)
    assert told["verdict"]["family"] == "grokking" and told["judged"]["val"] == "val/accuracy"


def test_a_growing_log_is_followed_until_it_is_quiet(here, tmp_path, monkeypatch):
    path, lines = tmp_path / "live.log", log_of(40).splitlines(keepends=True)
    path.write_text("".join(lines[:30]))
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.now += seconds
        if clock.now == 10:
            with path.open("a") as log:
                log.writelines(lines[30:])

    monkeypatch.setattr("latebloom.cli.watch.time", SimpleNamespace(sleep=sleep, monotonic=lambda: clock.now))
    said = here("watch", path, "--every", "2", "--until-quiet", "20")
    heard = said.out.splitlines()
    assert said.code == 0 and clock.now >= 30
    before = next(line for line in heard if line.startswith("epoch 29"))
    assert "right-censored" in before and "Grokking" in heard[-1] and heard[-1].startswith("epoch 59")
    assert sum("memorized at 5" in line for line in heard) == 1  # each event once
