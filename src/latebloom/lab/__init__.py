"""Many runs on disk: joins engine and store."""

from .handle import Run, default_store
from .run import resume, rollback, run
from .session import Listener, Outcome, Session, digest

__all__ = ["Listener", "Outcome", "Run", "Session", "default_store", "digest", "resume", "rollback", "run"]
