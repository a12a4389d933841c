"""What can go wrong, by whose hand: each error says what, where, what was expected and what to do."""

from __future__ import annotations


class LatebloomError(Exception):
    """Any failure that latebloom explains itself; the command line prints it without a traceback.

    `exit_code` is the status the command line ends with.
    """

    exit_code = 1


class SpecError(LatebloomError):
    """A run is described wrongly. Holds every problem found, not just the first."""

    exit_code = 2

    def __init__(self, problems: str | list[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class DataError(LatebloomError):
    """Data that cannot be what it claims to be: a wrong shape, a non-finite number, an undefined label."""

    exit_code = 2


class ChooseError(DataError):
    """Data that holds several of what one has to be chosen of, or not the one that was chosen."""


class DivergedError(LatebloomError):
    """The training itself left the finite numbers; the last finite checkpoint is kept."""

    exit_code = 4


class StoreError(LatebloomError):
    """A run on disk cannot be read, written, locked or found."""

    exit_code = 5


class NoRoomError(StoreError):
    """The place takes nothing more, whatever is to be written: full, over a quota, read-only."""


class EngineError(LatebloomError):
    """Where the runs were to be trained, they cannot be: no cluster, no token, a node that does not see the store."""

    exit_code = 2


class MissingExtra(LatebloomError):  # noqa: N818 (it is missing)
    """An optional package is not installed, or too old; the message says what to install."""

    exit_code = 3
