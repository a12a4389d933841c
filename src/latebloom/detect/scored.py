"""What a reading between chance and 1 is called in a sentence."""

from __future__ import annotations

EXPLAINED = "r2"


def scored(examples: str, reading: str) -> str:
    """The score of some examples, or with "" of any, by the name of its reading.

    Example:
        >>> scored("training", "train/accuracy"), scored("validation", "val/r2/9-4-2"), scored("", "train/r2")
        ('training accuracy', 'explained validation variance', 'explained variance')
    """
    _, _, rest = reading.partition("/")
    what = rest.partition("/")[0] or "accuracy"
    words = ["explained", examples, "variance"] if what == EXPLAINED else [examples, what]
    return " ".join(filter(None, words))
