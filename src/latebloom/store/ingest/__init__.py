"""Anybody's training log as curves under our names, with a report of what was mapped, converted and left out.

    log = read_log("metrics.csv")
    log.curves["val/accuracy"], log.axis, log.mapped, log.dropped

TensorBoard folders, exports of W&B, CSV of Lightning, Keras and others, JSON Lines, trainer_state.json and other JSON,
NumPy archives, notebooks, and text. Every reader fills the same table or tree; `axis` finds what counts the steps, and
only `understand` decides what is what. Training is never taken for validation.
"""

from .follow import follow
from .growing import GrowingLog
from .log import ForeignLog
from .read import interpret, read_log
from .scalars import as_readings
from .sniff import FORMATS, is_torch

__all__ = ["FORMATS", "ForeignLog", "GrowingLog", "as_readings", "follow", "interpret", "is_torch", "read_log"]
