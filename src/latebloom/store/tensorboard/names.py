"""Under which tags our readings are written. What other people's tags mean is decided by `store.ingest`."""

from __future__ import annotations

_TAGS = {  # ours -> as the grokking projects with TensorBoard write them, first among them ndtippens/grok-tests
    "train/loss": "Loss/train",
    "val/loss": "Loss/val",
    "train/accuracy": "Accuracy/train",
    "val/accuracy": "Accuracy/val",
    "learning_rate": "Learning_rate",
}


def tag_of(name: str) -> str:
    """The tag under which a reading of ours is written.

    Example:
        >>> tag_of("train/loss"), tag_of("weight_norm/l2")
        ('Loss/train', 'weight_norm/l2')
    """
    return _TAGS.get(name, name)
