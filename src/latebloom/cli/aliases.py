"""Short names of often used settings: the spellings of the field's programs, each for one key of a spec."""

from __future__ import annotations

ALIASES: dict[str, str] = {
    "lr": "optimizer.learning_rate",
    "learning-rate": "optimizer.learning_rate",
    "weight-decay": "optimizer.weight_decay",
    "wd": "optimizer.weight_decay",
    "optimizer": "optimizer.kind",
    "steps": "steps",
    "num-steps": "steps",
    "seed": "seed",
    "batch-size": "batch.size",
    "p": "task.modulus",
    "modulus": "task.modulus",
    "operation": "task.operation",
    "train-fraction": "task.train_fraction",
    "d-model": "model.width",
    "width": "model.width",
    "nhead": "model.heads",
    "num-layers": "model.layers",
    "dropout": "model.dropout",
    "checkpoint-interval": "checkpoints.every",
    "log-interval": "evaluation.every",
    "run-name": "name",
    "name": "name",
    "threads": "threads",
}
"""Option without its dashes, `-` and `_` alike -> dotted key."""
