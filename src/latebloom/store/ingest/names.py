"""What other people call what we know: which examples, which measure, and which column counts the steps.

A name is taken apart into words (`valLoss`, `Val Loss (%)`, `validation/loss_epoch`), and only words decide. A word for
the examples and a word for the measure are needed; a name with a word against it (`best`, `gap`, `ood`) means nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Axis = Literal["step", "epoch", "line"]

_TRAIN = ("train", "training", "tr", "trn", "trained")
_VAL = (  # best first: what was kept for choosing comes before what was kept for the end
    *("val", "valid", "validation", "va", "vl", "eval", "evaluation", "dev"),
    *("test", "testing", "te", "tst", "holdout", "heldout"),
)
SPLITS = dict.fromkeys(_TRAIN, "train") | dict.fromkeys(_VAL, "val")
MEASURES = {
    **dict.fromkeys(("acc", "accs", "accuracy", "accuracies", "acc@1", "acc1", "top1", "prec@1", "prec1"), "accuracy"),
    **dict.fromkeys(("acc01", "accuracy01"), "accuracy"),
    **dict.fromkeys(("loss", "losses", "mse", "ce", "nll", "bce", "xent", "crossentropy", "cost"), "loss"),
    **dict.fromkeys(("bpc", "bpb"), "loss"),
    **dict.fromkeys(("err", "errs", "error", "errors"), "error"),
    **dict.fromkeys(("correlation", "correlations", "corr", "spearman", "pearson"), "correlation"),
    **dict.fromkeys(("coverage",), "coverage"),
    **dict.fromkeys(("ppl", "perplexity", "perplexities"), "perplexity"),
}
_NOISE = {  # says nothing against a name: how it was averaged, where it was kept
    *("epoch", "epochs", "step", "steps", "mean", "avg", "average", "averaged", "full", "total", "value", "values"),
    *(
        "history",
        "hist",
        "curve",
        "curves",
        "list",
        "trace",
        "metric",
        "metrics",
        "score",
        "scores",
        "scalar",
        "scalars",
        "per",
    ),
    *("iter", "all", "overall", "set", "data", "ds", "cross", "entropy", "categorical", "sparse", "rate", "pct"),
    *("percent", "percentage", "running", "token", "split", "top", "1", "raw", "log", "logs", "output", "model"),
    *("s", "of", "on", "the", "for", "in", "at", "is", "and", "id", "batch", "logged", "wise", "classification"),
}
AGAINST = {
    *("best", "final", "max", "min", "gap", "diff", "difference", "delta", "std", "stddev", "var", "variance", "se"),
    *("ci", "stderr", "target", "threshold", "thresh", "ratio", "ood", "top5", "acc5", "acc@5", "5", "log10", "ln"),
    *("grad", "gradient", "time", "size", "frac", "fraction", "samples", "patience", "initial", "init", "delay"),
    *(
        "rank",
        "every",
        "interval",
        "random",
        "chance",
        "baseline",
        "excluded",
        "restricted",
        "trig",
        "chunk",
        "improved",
    ),
}
_PHRASES = {  # in order: the longer ones first
    frozenset(("out", "of", "sample")): "holdout",
    frozenset(("in", "sample")): "train",
    frozenset(("held", "out")): "holdout",
    frozenset(("hold", "out")): "holdout",
}
_TRANSLATED = {"训练": "train", "验证": "val", "测试": "test", "损失": "loss", "准确率": "acc", "精度": "acc"}
_LETTERS = {"a": "accuracy", "l": "loss"}
_WHOLE = {"full", "all"}  # a loss over all examples is neither that of training nor of validation
_COUNTERS = {
    **dict.fromkeys(("step", "steps", "iter", "iters", "iteration", "iterations", "it", "its", "itr"), "step"),
    **dict.fromkeys(("update", "updates", "timestep", "timesteps", "globalstep"), "step"),
    **dict.fromkeys(("epoch", "epochs", "ep", "epoche", "epoca", "époque"), "epoch"),
}
_BESIDE_A_COUNTER = {
    *("global", "trainer", "log", "logs", "logged", "logging", "checkpoint", "idx", "index", "id", "list", "optimizer"),
    *(
        "optim",
        "recorded",
        "number",
        "no",
        "num",
        "history",
        "metrics",
        "data",
        "hist",
        "curve",
        "results",
        "timeseries",
    ),
}
_LOGARITHMS = {"log10", "lg", "log_10"}
_MAY_COUNT = re.compile("step|ep|it|update", re.IGNORECASE)
_WEIGHTS = {"weight", "weights", "param", "params", "parameter", "parameters", "wn", "w", "model", "theta"}
_LENGTH = {"norm", "norms", "l2", "wn"}
_GRADIENT = {"grad", "grads", "gradient", "gradients", "gnorm"}
_JOINED = re.compile(
    "(train|training|tr|valid|val|validation|test|te|eval|dev)(loss|losses|acc|accs|accuracy|err|error|errors)"
)


class Meaning(NamedTuple):
    """What a name most likely stands for."""

    split: Literal["train", "val", ""]
    measure: str  # one of the values of `MEASURES`, a whole name of ours, or "" for a split alone
    rank: tuple[int, ...]  # of several names with one meaning, the one with the least rank has it
    is_percent: bool


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in order.

    Example:
        >>> words_of("validation/AccEpoch"), words_of("testLoss (%)"), words_of("trainacc")
        (('validation', 'acc', 'epoch'), ('test', 'loss', 'pct'), ('train', 'acc'))
    """
    if not name.isascii():
        for word, ours in _TRANSLATED.items():
            name = name.replace(word, f" {ours} ")
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name[:500]).replace("%", " pct ").lower()
    words: list[str] = []
    for word in re.split(r"[^0-9a-z@]+", parted):
        if word:
            words += joined.groups() if (joined := _JOINED.fullmatch(word)) else [word]
    return tuple(words)


@lru_cache(maxsize=1 << 17)
def meaning_of(name: str) -> Meaning | None:
    """What a name stands for; None if that is not known, and then it keeps its own name.

    Example:
        >>> [(m.split, m.measure) for m in map(meaning_of, ("test_acc", "Loss/train", "val_loss_epoch", "loss"))]
        [('val', 'accuracy'), ('train', 'loss'), ('val', 'loss'), ('', 'loss')]
        >>> meaning_of("best_val_acc"), meaning_of("train_test_gap")
        (None, None)
    """
    in_order = words_of(name)
    words = set(in_order)
    for phrase, word in _PHRASES.items():
        if phrase <= words:
            words = words - phrase | {word}
    if len(words) == 2 and words & _LETTERS.keys() and words & SPLITS.keys():  # A_tr, L_te
        words = {_LETTERS.get(word, word) for word in words}
    if whole := _whole_name(words):
        return Meaning("", whole, (0, len(words), len(name)), False)
    if words & AGAINST or not words:
        return None
    found = words & SPLITS.keys()
    splits = {SPLITS[word] for word in found}
    if splits == {"train", "val"} and found & {"eval", "evaluation"} and not found & set(_VAL) - {"eval", "evaluation"}:
        found, splits = found - {"eval", "evaluation"}, {"train"}  # training examples, read in evaluation mode
        words = words - {"eval", "evaluation"}
    measures = {MEASURES[word] for word in words & MEASURES.keys()}
    if len(splits) > 1 or len(measures) > 1 or not (splits or measures):
        return None
    if not measures and words & _COUNTERS.keys():
        return None  # `training_epochs` counts them
    unknown = words - SPLITS.keys() - MEASURES.keys() - _NOISE
    split = splits.pop() if splits else ""
    if unknown and not (measures and (split or measures <= {"correlation", "coverage"})):
        return None
    if not split and (words & _WHOLE or ("log" in words and "loss" in words)):
        return None
    place = min((_VAL.index(word) for word in found if word in _VAL), default=0)
    rank = (len(unknown), place, "step" in words, "batch" in words, "full" not in words, len(words), len(name))
    measure = measures.pop() if measures else ""
    return Meaning(
        "train" if split == "train" else "val" if split else "", measure, rank, bool(words & {"pct", "percent"})
    )


@lru_cache(maxsize=1 << 17)
def axis_of(name: str) -> tuple[Axis, tuple[int, ...]] | None:
    """Whether a column counts steps or epochs, and how well its name says so; None if it does neither.

    Example:
        >>> axis_of("trainer/global_step")[0], axis_of("Epoch")[0], axis_of("steps_per_second")
        ('step', 'epoch', None)
    """
    if not _MAY_COUNT.search(name):
        return None
    words = words_of(name)
    counters = [word for word in words if word in _COUNTERS]
    beside = {word for word in words if word not in _COUNTERS}
    if len(counters) != 1 or beside - _BESIDE_A_COUNTER - SPLITS.keys() - _LOGARITHMS:
        return None
    kind: Axis = "step" if _COUNTERS[counters[0]] == "step" else "epoch"
    rank = (bool(beside & _LOGARITHMS), len(beside & SPLITS.keys()), name.startswith("_"), len(words), len(name))
    return kind, tuple(map(int, rank))


def is_log10(name: str) -> bool:
    """Whether a counter says that it counts in powers of ten, or may do so: `log_step`, `log10(epoch)`."""
    return axis_of(name) is not None and bool(set(words_of(name)) & {*_LOGARITHMS, "log"})


def split_of(text: str) -> str:
    """`train` or `val` if all words of a text are about one of them, else nothing.

    Example:
        >>> split_of("Test set"), split_of("train"), split_of("warmup")
        ('val', 'train', '')
    """
    words = set(words_of(text)) - {"set", "data", "split", "dataset", "phase", "results", "metrics"}
    splits = {SPLITS.get(word, "?") for word in words}
    return splits.pop() if len(splits) == 1 and "?" not in splits else ""


def is_noise(word: str) -> bool:
    """Whether a word says nothing against a name."""
    return word in _NOISE or word in _COUNTERS or word.isdigit()


def clean(name: str) -> str:
    """A name that may stand in a table, a page and a terminal: printable, without blanks around it, not endless."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name[:200])
    return " ".join(shown.split()) or "unnamed"


def _whole_name(words: set[str]) -> str:
    plain = words - {
        "train",
        "training",
        "total",
        "global",
        "mean",
        "avg",
        "step",
        "epoch",
        "metrics",
        "log",
        "history",
    }
    if plain & _GRADIENT and plain <= _GRADIENT | _LENGTH:
        return "gradient_norm"
    if plain <= _WEIGHTS | _LENGTH and (plain & _WEIGHTS or plain == {"l2", "norm"}) and plain & _LENGTH:
        return "weight_norm/l2"
    rest = plain - {"adam", "adamw", "sgd", "muon", "pg1", "group", "0", "rates"}
    if rest in ({"lr"}, {"lrs"}, {"learning", "rate"}, {"learningrate"}) or rest | {"rates"} == {"learning", "rates"}:
        return "learning_rate"
    return ""
