"""Many runs on disk: joins engine and store."""

from .handle import Run
from .run import rehearse, resume, rollback, run
from .session import Listener, Outcome, Session, digest

__all__ = ["Listener", "Outcome", "Run", "Session", "digest", "rehearse", "resume", "rollback", "run"]
