"""TensorBoard's scalars under our names, by the same rules as every other log's."""

from __future__ import annotations

import re
from pathlib import Path

from ..tensorboard import Scalars
from .log import Report
from .series import Raw, Series
from .understand import understand

_OURS = re.compile("(?:train|val)/[a-z_]+/")  # a part of a reading, e.g. `val/accuracy/divide`


def as_readings(scalars: Scalars) -> Scalars:
    """The same curves under our names where these are known, accuracies as fractions, and a report of that.

    Of several tags with one meaning the likeliest has the name, e.g. `Accuracy/val` before `Accuracy/test`; the others
    keep their own.

    Raises:
        DataError: No curve has a finite number, or the tags are of several runs.
    """
    kept = {tag: curve for tag, curve in scalars.curves.items() if _OURS.match(tag)}
    others = {tag: Series(*curve) for tag, curve in scalars.curves.items() if tag not in kept}
    if not others:
        return scalars
    log = understand(Path("the event files"), Raw("TensorBoard event files", "step", others, Report()), {})
    told = [f"{theirs!r} is read as {ours}." for ours, theirs in log.mapped.items()]
    return Scalars(log.curves | kept, [*scalars.report, *told, *log.converted, *log.notes])
