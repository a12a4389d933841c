"""Why the training loss of a stored run jumped: train the stretch once more, read at every step, and look."""

from .explain import explain_jump
from .record import Recorder

__all__ = ["Recorder", "explain_jump"]
