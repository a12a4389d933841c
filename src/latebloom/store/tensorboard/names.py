"""What other people call the readings that we know, and what they see ours under.

Accuracies here are fractions and never per cent, and a loss without a word for its examples is no `val/loss`.
"""

from __future__ import annotations

import re

from ...base.record import Curve
from .read import Scalars

_TAGS = {  # ours -> as the grokking projects with TensorBoard write them, first among them ndtippens/grok-tests
    "train/loss": "Loss/train",
    "val/loss": "Loss/val",
    "train/accuracy": "Accuracy/train",
    "val/accuracy": "Accuracy/val",
    "learning_rate": "Learning_rate",
}
_SPLITS = dict.fromkeys(("train", "tr", "training"), "train")
_SPLITS |= dict.fromkeys(("val", "valid", "validation", "eval", "dev", "test"), "val")  # best first
_MEASURES = {"loss": "loss", "acc": "accuracy", "accuracy": "accuracy", "acc@1": "accuracy"}
_PER_CENT_FROM = 1.01  # no fraction is larger, whatever it was rounded to
_WHEN = ("epoch", "step")  # Lightning's mean over an epoch is the better of the two


def tag_of(name: str) -> str:
    """The tag under which a reading of ours is written.

    Example:
        >>> tag_of("train/loss"), tag_of("weight_norm/l2")
        ('Loss/train', 'weight_norm/l2')
    """
    return _TAGS.get(name, name)


def canonical(tag: str) -> str | None:
    """Our name for what a tag most likely means; None if it is not known, and then it keeps its own.

    A folder may stand before it: Keras writes `train/epoch_loss`, PyTorch's `add_scalars` writes `Loss_train/Loss`.

    Example:
        >>> canonical("validation_accuracy"), canonical("Loss/train"), canonical("loss")
        ('val/accuracy', 'train/loss', None)
    """
    words = _words(tag) - set(_WHEN)
    if words - {"train"} in ({"lr"}, {"learning", "rate"}):
        return "learning_rate"
    splits = {_SPLITS[word] for word in words & _SPLITS.keys()}
    measures = {_MEASURES[word] for word in words & _MEASURES.keys()}
    is_known = words <= _SPLITS.keys() | _MEASURES.keys()
    return f"{splits.pop()}/{measures.pop()}" if is_known and len(splits) == len(measures) == 1 else None


def as_readings(scalars: Scalars) -> Scalars:
    """The same curves under our names where `canonical` knows them, accuracies as fractions.

    Of several tags with one meaning the likeliest has the name, e.g. `Accuracy/val` before `Accuracy/test`; the others
    keep their own, and the report says so.
    """
    curves, report = dict[str, Curve](), list(scalars.report)
    for tag in sorted(scalars.curves, key=lambda tag: (_rank(tag), -len(scalars.curves[tag].steps), tag)):
        name = canonical(tag) or tag
        if name in curves:
            report.append(f"{tag!r} would be {name} as well; it keeps its own name.")
            name = tag
        elif name != tag:
            report.append(f"{tag!r} is read as {name}.")
        curves[name] = scalars.curves[tag]
    accuracies = [name for name in ("train/accuracy", "val/accuracy") if name in curves]
    if any((curves[name].values > _PER_CENT_FROM).any() for name in accuracies):
        report.append(f"{' and '.join(accuracies)} went above 1: taken for per cent, and divided by 100.")
        curves |= {name: Curve(curves[name].steps, curves[name].values / 100) for name in accuracies}
    return Scalars(curves, report)


def _rank(tag: str) -> tuple[int, ...]:
    """How well a tag fits the name that `canonical` gives it: of several, the one with the least rank has it."""
    words = _words(tag)
    split = min((place for place, word in enumerate(_SPLITS) if word in words), default=0)
    return (canonical(tag) != tag, split, len(words), "step" in words)


def _words(tag: str) -> set[str]:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", tag)  # valLoss
    return {word for word in re.split(r"[^0-9a-z@]+", parted.lower()) if word}
