"""One run in memory. It hands records to whoever listens; it does not know the store."""

from .checkpoint import pack, unpack
from .device import fingerprint, prepare
from .loop import Moment, listened, train, why_over
from .state import State, start

__all__ = [
    "Moment",
    "State",
    "fingerprint",
    "listened",
    "pack",
    "prepare",
    "start",
    "train",
    "unpack",
    "why_over",
]
