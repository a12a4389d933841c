"""Logs as programs of the field write them, of runs whose story is known because it is how they are made.

Each sample writes files below a folder and returns what is to be given to `read_log`. Nothing here was copied.
"""

from __future__ import annotations

import bz2
import json
import lzma
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.shapes import as_accuracy, as_loss, made
from latebloom.store.tensorboard import EventWriter

SHAPES = {
    "grokking": "classic",
    "ordinary_learning": "ordinary",
    "memorization": "memorized only",
    "confusion": "confusion",
    "underfit": "underfit",
    "rose_then_fell": "rose then fell",
}
NAMES = ("s", "tl", "vl", "ta", "va")
ACCURACIES, LOSSES = ("train/accuracy", "val/accuracy"), ("train/loss", "val/loss")
EVALUATIONS = 150


class Sample(NamedTuple):
    write: Callable[[Path], Path]
    family: str
    judged: tuple[str, str] = ACCURACIES
    mapping: dict[str, str] | None = None


SAMPLES: dict[str, Sample] = {}


def columns(family: str = "grokking", evaluations: int = EVALUATIONS) -> dict[str, list[float]]:
    """Steps, losses and accuracies of one run, with some noise."""
    run = made(SHAPES[family], evaluations, 0)
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for (step, a), (_, b) in zip(as_accuracy(run, 0.005, 0), as_loss(run, 0.02, 0), strict=True):
        row = (step, b["train/loss"], b["val/loss"], a["train/accuracy"], a["val/accuracy"])
        for name, value in zip(NAMES, row, strict=True):
            found[name].append(round(value, 5))
    return found


def rows(family: str = "grokking") -> list[dict[str, float]]:
    """The same by row, with the epoch and accuracies in per cent."""
    found = columns(family)
    plain = [dict(zip(NAMES, row, strict=True)) for row in zip(*found.values(), strict=True)]
    shares = [{f"{key}p": 100 * one[f"{key}a"] for key in "tv"} for one in plain]
    errors = [{f"{key}e": 100 * (1 - one[f"{key}a"]) for key in "tv"} for one in plain]
    return [{"e": e, **a, **b, **c} for e, (a, b, c) in enumerate(zip(plain, shares, errors, strict=True))]


def text(template: str, family: str = "grokking", head: str = "", end: str = "\n") -> str:
    return head + end.join(template.format(**row) for row in rows(family)) + "\n"


def sample(
    family: str = "grokking", judged: tuple[str, str] = ACCURACIES, mapping: dict[str, str] | None = None
) -> Callable[[Callable[[Path], Path]], Callable[[Path], Path]]:
    def add(write: Callable[[Path], Path]) -> Callable[[Path], Path]:
        SAMPLES[write.__name__] = Sample(write, family, judged, mapping)
        return write

    return add


def single(name: str, file: str, template: str, family: str = "grokking", **given: Any) -> None:
    """A sample of one text file."""
    judged = given.pop("judged", ACCURACIES)

    def write(folder: Path) -> Path:
        (folder / file).write_text(text(template, family, **given), encoding="utf-8")
        return folder / file

    SAMPLES[name] = Sample(write, family, judged)


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def curves(path: str, folder: Path, head: str = "step,value\n", row: str = "{0},{1}\n") -> Path:
    """One file for each of four curves, named by a pattern of split and measure."""
    found = columns()
    for split, measure, key in (
        ("train", "loss", "tl"),
        ("val", "loss", "vl"),
        ("train", "acc", "ta"),
        ("val", "acc", "va"),
    ):
        lines = [row.format(step, value) for step, value in zip(found["s"], found[key], strict=True)]
        put(folder / path.format(split=split, measure=measure), head.format(measure=measure) + "".join(lines))
    return folder


# ---- tables

single("timm_summary", "summary.csv", "{e},{tl},{vl},{vp},99.0,0.001", "ordinary_learning", judged=LOSSES,
       head="epoch,train_loss,eval_loss,eval_top1,eval_top5,lr\n")  # fmt: skip
single(
    "yolo_results",
    "results.csv",
    "{e:9d}, {tl:18.5g}, {tl:18.5g}, 0.5, {vl:18.5g}, {vl:18.5g}, 0.01",
    judged=LOSSES,
    head="    epoch,  train/box_loss,  train/cls_loss, metrics/mAP50(B),  val/box_loss,  val/cls_loss, lr/pg0\n",
)
single(
    "excel_with_decimal_commas",
    "e.csv",
    "{e};{tl};{vl};{ta};{va}",
    head="sep=;\nEpoche;Train Loss;Test Loss;Train Acc;Test Acc\n",
)
single("errors_for_accuracies", "e.log", "Epoch {e}: train error {te:.2f}% test error {ve:.2f}%", "memorization")
single(
    "long_form_of_metrics",
    "l.csv",
    "{e},train,accuracy,{ta}\n{e},test,accuracy,{va}\n{e},test,loss,{vl}",
    head="epoch,split,metric,value\n",
)
single("long_form_with_contexts", "aim.csv", "ab12,run 1,acc,train,{s},{e},{ta}\nab12,run 1,acc,val,{s},{e},{va}",
       head="run.hash,run.name,metric.name,metric.context.subset,step,epoch,value\n")  # fmt: skip
single("pandas_groups_of_columns", "g.csv", "{tl},{ta},{vl},{va}", head="train,train,test,test\nloss,acc,loss,acc\n")
single("in_and_out_of_sample", "i.csv", "{s},{ta},{va}", head="step,in_sample_acc,out_of_sample_acc\n")
single(
    "per_cent_columns",
    "p.csv",
    "{s},{tp:.2f},{vp:.2f}",
    "rose_then_fell",
    head="iteration,Train Accuracy (%),Validation Accuracy (%)\n",
)
single("tab_separated_by_measure", "u.tsv", "{s}\t{ta}\t{va}", "underfit", head="iteration\tacc/train\tacc/val\n")
single(
    "best_so_far_beside_now",
    "b.csv",
    "{e},{ta},{va},0.9,5",
    "memorization",
    head="epoch,train_acc,val_acc,best_val_acc,best_epoch\n",
)
single(
    "several_losses_and_one_accuracy",
    "m.csv",
    "{s},{tl},{vl},9,9,{ta},{va}",
    head="step,train_main_loss,val_main_loss,train_aux_loss,val_aux_loss,train_acc,val_acc\n",
)


@sample(judged=LOSSES)
def perplexities_alone(folder: Path) -> Path:
    lines = [f"{r['s']},{math.exp(r['tl'])},{math.exp(r['vl'])}\n" for r in rows()]
    put(folder / "p.csv", "step,train_ppl,val_ppl\n" + "".join(lines))
    return folder / "p.csv"


def late(every: float) -> tuple[Any, str]:
    """Log-spaced readings of a run that generalizes 33 times as late; their axis in epochs of `every` steps, if any."""
    at = np.linspace(0, 5, EVALUATIONS)
    levels = [1 / (1 + np.exp(-8 * (np.log(10**at + 1) - math.log(mid)))) for mid in (600, 20_000)]
    axis = at if not every else 10**at / every
    return at, "".join(f"{x:.4f},{a:.5f},{b:.5f}\n" for x, a, b in zip(axis, *levels, strict=True))


@sample()
def steps_as_powers_of_ten(folder: Path) -> Path:
    put(folder / "l.csv", "log10_step,train_acc,test_acc\n" + late(0)[1])
    return folder / "l.csv"


@sample()
def uneven_fractions_of_epochs(folder: Path) -> Path:
    put(folder / "l.csv", "epoch,train_acc,test_acc\n" + late(46.56)[1])
    return folder / "l.csv"


def side_by_side(folder: Path) -> Path:
    one, two = rows(), rows("memorization")
    lines = [f"{a['e']},{a['ta']},{a['va']},{b['ta']},{b['va']}\n" for a, b in zip(one, two, strict=True)]
    put(folder / "w.csv", "epoch,adamw_train_acc,adamw_test_acc,sgd_train_acc,sgd_test_acc\n" + "".join(lines))
    return folder / "w.csv"


SAMPLES["arms_side_by_side_1"] = Sample(side_by_side, "grokking", ACCURACIES, {"run": "adamw"})
SAMPLES["arms_side_by_side_2"] = Sample(side_by_side, "memorization", ACCURACIES, {"run": "sgd"})

# ---- texts

single("tagged_batches_of_timm", "o.log",
       "Train: {e} [   0/97 (  0%)]  Loss: {tl:.3f} ({tl:.3f})  LR: 1.0e-03\n"
       "Train: {e} [  96/97 (100%)]  Loss: {tl:.3f} ({tl:.3f})  Acc@1: {tp:.3f} ({tp:.3f})\n"
       "Test: [  10/10]  Loss: {vl:.4f} ({vl:.4f})  Acc@1: {vp:.4f} ({vp:.4f})  Acc@5: 99.0 (99.0)")  # fmt: skip
single(
    "loaders_of_catalyst",
    "log.txt",
    "train ({e}/150) accuracy01: {ta} | loss: {tl}\nvalid ({e}/150) accuracy01: {va} | loss: {vl}\n* Epoch ({e}/150)",
)
single(
    "loaders_of_older_catalyst",
    "log.txt",
    "{e}/150 * Epoch {e} (train): accuracy01={ta} | loss={tl}\n"
    "{e}/150 * Epoch {e} (valid): accuracy01={va} | loss={vl}",
)
single(
    "objects_behind_a_pipe",
    "t.log",
    '2021-03-01 10:00:01 | INFO | train | {{"epoch": {e}, "train_loss": "{tl}", "train_ppl": "8.1"}}\n'
    '2021-03-01 10:00:01 | INFO | valid | {{"epoch": {e}, "valid_loss": "{vl}", "valid_best_loss": "3.2"}}',
    "memorization",
    judged=LOSSES,
)
single("letters_for_measures", "o.log", "[{s:>6}] L_tr={tl:.4f} L_te={vl:.4f} A_tr={ta:.4f} A_te={va:.4f}")
single("chinese", "z.log", "轮次 {e}: 训练损失 {tl} 训练准确率 {ta} 测试损失 {vl} 测试准确率 {va}")
single("accuracies_in_brackets", "o.log", "ep {e:5d} | tr {tl:.4f} ({tp:5.1f}%) | te {vl:.4f} ({vp:5.1f}%)")
single(
    "a_bar_written_over",
    "o.log",
    "Training: 10%|█   | {s}/20000 [00:01<00:11, 40.0it/s, train_acc={ta:.4f}, test_acc={va:.4f}]",
    end="\r",
)
single(
    "python_dictionaries",
    "o.log",
    "{{'loss': {tl}, 'epoch': {e}.0}}\n{{'eval_loss': {vl}, 'eval_runtime': 1.2, 'epoch': {e}.0}}",
    judged=LOSSES,
)


# ---- values


@sample()
def a_dictionary_that_python_printed(folder: Path) -> Path:
    found = columns()
    put(folder / "r.txt", repr({"train_acc": found["ta"], "val_acc": found["va"], "steps": found["s"]}) + "\n")
    return folder / "r.txt"


@sample()
def steps_and_values_of_sacred(folder: Path) -> Path:
    found = columns()
    told = {name: {"steps": found["s"], "timestamps": ["-"] * EVALUATIONS, "values": found[key]}
            for name, key in (("training.accuracy", "ta"), ("validation.accuracy", "va"))}  # fmt: skip
    put(folder / "metrics.json", json.dumps(told))
    return folder / "metrics.json"


@sample()
def rows_of_comet(folder: Path) -> Path:
    names = {"train_acc": "ta", "val_acc": "va", "train_loss": "tl"}
    told = [
        {"metricName": n, "metricValue": str(r[k]), "step": r["s"], "epoch": None}
        for r in rows()
        for n, k in names.items()
    ]
    put(folder / "comet.json", json.dumps(told))
    return folder / "comet.json"


@sample()
def validation_read_less_often(folder: Path) -> Path:
    found = columns(evaluations=1501)
    put(folder / "r.json", json.dumps({"train_acc": found["ta"], "test_acc": found["va"][::10], "eval_every": 100}))
    return folder / "r.json"


# ---- folders


@sample()
def downloads_of_tensorboard(folder: Path) -> Path:
    return curves("run-exp1_{split}-tag-epoch_{measure}.csv", folder, "Wall time,Step,Value\n", "1.6e9,{0},{1}\n")


@sample()
def a_file_for_each_curve(folder: Path) -> Path:
    return curves("{split}_{measure}.csv", folder)


@sample()
def a_list_of_numbers_for_each_curve(folder: Path) -> Path:
    return curves("{split}_{measure}.txt", folder, "", "{1}\n")


@sample()
def metrics_of_mlflow(folder: Path) -> Path:
    put(folder / "params" / "lr", "0.001")
    put(folder / "meta.yaml", "run_id: 1\n")
    return curves("metrics/{split}_{measure}", folder, "", "1600000000000 {1} {0}\n")


@sample()
def plots_of_dvclive(folder: Path) -> Path:
    put(folder / "metrics.json", '{"train": {"loss": 0.1}, "step": 200}')
    return curves("plots/metrics/{split}/{measure}.tsv", folder, "step\t{measure}\n", "{0}\t{1}\n")


@sample()
def a_file_for_each_set_of_examples(folder: Path) -> Path:
    put(folder / "train.csv", text("{e},{tl},{ta}", head="step,loss,accuracy01\n"))
    put(folder / "valid.csv", text("{e},{vl},{va}", head="step,loss,accuracy01\n"))
    return folder


@sample()
def a_file_for_each_epoch(folder: Path) -> Path:
    for r in rows():
        row = {"epoch": r["e"], "training_epochs": r["e"], "training_accuracy": r["ta"], "validation_accuracy": r["va"]}
        put(folder / f"metrics_epoch_{r['e']}.json", json.dumps({**row, "best_validation_accuracy": 1.0}))
    put(folder / "metrics.json", json.dumps({"best_epoch": 3, "validation_accuracy": 1.0}))
    return folder


@sample()
def a_folder_of_wandb(folder: Path) -> Path:
    put(folder / "run-ab.wandb", b":W&B\0" + b"x" * 99)
    put(folder / "logs" / "debug.log", "2024-01-01 10:00:00 INFO x\n" * 20)
    put(folder / "files" / "wandb-summary.json", '{"val_acc": 1.0}')
    put(folder / "files" / "requirements.txt", "torch==2\n")
    put(folder / "files" / "output.log", text("Epoch {e}: train_acc={ta:.4f} val_acc={va:.4f}"))
    return folder


@sample()
def an_export_of_wandb_for_each_metric(folder: Path) -> Path:
    for place, (name, key) in enumerate((("train_acc", "ta"), ("val_acc", "va"))):
        head = f'"Step","sun-3 - {name}","sun-3 - {name}__MIN","sun-3 - {name}__MAX"\n'
        put(
            folder / f"wandb_export_2024-01-01T10_0{place}.csv",
            text(f'"{{s}}","{{{key}}}","{{{key}}}","{{{key}}}"', head=head),
        )
    return folder


def two_runs(folder: Path) -> Path:
    for seed, family in enumerate(("grokking", "memorization")):
        put(folder / f"seed{seed}" / "metrics.csv", text("{s},{ta},{va}", family, head="step,train_acc,val_acc\n"))
        put(folder / f"seed{seed}" / "config.json", '{"lr": 0.1}')
    return folder


SAMPLES["a_folder_for_each_run_1"] = Sample(two_runs, "grokking", ACCURACIES, {"run": "seed0"})
SAMPLES["a_folder_for_each_run_2"] = Sample(two_runs, "memorization", ACCURACIES, {"run": "seed1"})


@sample("memorization")
def event_files_in_per_cent(folder: Path) -> Path:
    writer = EventWriter(folder, wall_time=1.7e9)
    for r in rows("memorization"):
        writer.append(int(r["s"]), {"Accuracy/train (%)": r["tp"], "Accuracy/test (%)": r["vp"]}, 1.7e9)
    writer.close()
    return folder


# ---- packed


def packed(name: str, pack: Callable[[bytes], bytes]) -> None:
    def write(folder: Path) -> Path:
        put(folder / name, pack(text("{s},{ta},{va}", head="step,train_acc,val_acc\n").encode()))
        return folder / name

    SAMPLES[f"packed_{name.rpartition('.')[2]}"] = Sample(write, "grokking")


packed("e.csv.bz2", bz2.compress)
packed("e.csv.xz", lzma.compress)


@sample()
def packed_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run/metrics.csv", text("{s},{ta},{va}", head="step,train_acc,val_acc\n"))
    return folder / "e.zip"
