"""Runs of seconds on linear codes: two groups of matrices."""

from engine.tiny import begin, tiny
from latebloom.engine.loop import Look

CODES = {"kind": "linear_codes", "groups": "4,2,1 5,2,3", "train_per_group": 40, "val_per_group": 30}


def looking(*, head="log2", task=CODES, **changes):
    """The view of a run on them that has not begun."""
    loss = {"kind": "log2_squared_error", "head": head}
    model = changes.pop("model", {"kind": "mlp", "width": 8})
    spec = tiny(task=task, loss=loss, model=model, **changes)
    return Look(spec, spec.task.split(spec.seed), begin(spec)).view
