"""Many runs on disk: joins engine and store."""

from .handle import Run
from .run import rehearse, resume, rollback, run
from .session import Listener, Outcome, Session, digest
from .sweep import SweepListener, Swept, sweep

__all__ = [
    "Listener",
    "Outcome",
    "Run",
    "Session",
    "SweepListener",
    "Swept",
    "digest",
    "rehearse",
    "resume",
    "rollback",
    "run",
    "sweep",
]
