"""A study on disk: the plan of many runs, each with its run's id, and a journal of what became of the attempts.

    <store>/studies/<name>/   plan.json  journal.jsonl  lock

The plan is written before the first run and gives every planned run the id of its folder, so that no run can ever
be made twice: whether it exists, is whole or is finished is read from that folder and from nowhere else.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from ..base.errors import StoreError
from ..base.label import why_no_folder
from . import durable, jsonl, layout
from .catalog import Store
from .durable import Log
from .lock import Lock
from .read import StoredRun

STUDIES = "studies"
PLAN = "plan.json"


class Planned(NamedTuple):
    """One run of a plan."""

    run: str  # the id that its folder has or will have
    label: dict[str, Any]  # what distinguishes it, e.g. {"arm": "l1", "seed": 3}
    key: str  # identity of the spec without its name
    spec: dict[str, Any]  # every default written out


class StoredStudy:
    """A study as it is on disk; takes no lock and changes nothing.

    Raises:
        StoreError: There is no such study, or its plan is damaged.
    """

    def __init__(self, root: str | Path, name: str) -> None:
        self.store, self.name = Store(root), name
        self.path = _folder(Path(root), name)
        if not durable.exists(self.path / PLAN):
            known = studies(root)
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}." if known else ""
            raise StoreError(f"There is no study {name!r} in {root}.{hint} Start one with `latebloom sweep`.")
        fields = jsonl.read_one(self.path / PLAN)
        self.study: dict[str, Any] = fields["study"]
        self.created_at: str = fields["created_at"]
        self.planned = [Planned(**one) for one in fields["runs"]]

    def run(self, planned: Planned) -> StoredRun | None:
        """The run as it stands; None before its first attempt."""
        exists = durable.exists(self.store.root / planned.run / layout.RUN)
        return StoredRun(self.store.root / planned.run) if exists else None

    def journal(self) -> list[dict[str, Any]]:
        """What happened to the attempts, with wall-clock times."""
        path = self.path / layout.JOURNAL
        lines = jsonl.scan(durable.read_chunks(path)) if durable.exists(path) else ()
        return [jsonl.revive(line.fields) for line in lines if line.fields is not None]

    def is_swept(self) -> bool:
        """Whether a coordinator is at work on it."""
        return durable.exists(self.path / layout.LOCK) and durable.is_locked(self.path / layout.LOCK)


class StudyWriter:
    """The one coordinator of a study; made by `open_study`. Leaving the `with` block frees the lock."""

    def __init__(self, root: Path, name: str, lock: Lock) -> None:
        self.stored = StoredStudy(root, name)
        self._lock = lock
        path = self.stored.path / layout.JOURNAL
        self._journal = Log(path)
        size = self._journal.size
        if size and b"".join(durable.read_chunks(path, size - 1, size)) != b"\n":
            self._journal.append(b"\n")  # a line torn by a power cut stays a line of its own, which readers leave out

    def note(self, what: str, **facts: Any) -> None:
        """Add a line to the journal."""
        self._journal.append(jsonl.frame(jsonl.plain({"at": layout.now(), "what": what, **facts})))

    def close(self) -> None:
        """Free the lock; again is fine."""
        self._journal.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_study(
    root: str | Path,
    name: str,
    study: Mapping[str, Any],
    runs: Sequence[tuple[dict[str, Any], str, dict[str, Any]]],
    key_of: Callable[[Planned], str] = lambda planned: planned.key,
) -> StudyWriter:
    """A new study, or one to go on with.

    Args:
        root: The store.
        name: Of the study: letters, digits, `.`, `_`, `-`.
        study: Its description, for readers.
        runs: Label, key and spec of each run. A known study may be given more runs than it had, never fewer, and
            other labels for those it has.
        key_of: The key of a run planned earlier, as today's version of the program would give it: a key covers every
            setting, also those that did not exist when the study began.

    Raises:
        StoreError: Another coordinator is at work on it, or a study of this name has other runs.
    """
    root = Path(root)
    folder = _folder(root, name)
    Store(root).found()
    durable.make_folder(folder)
    lock = Lock(folder / layout.LOCK, what=f"Study {name}")
    try:
        for left in durable.names(folder):
            if left.startswith(layout.TEMPORARY):  # half a plan, of a coordinator that was killed
                durable.remove(folder / left)
        before = StoredStudy(root, name) if durable.exists(folder / PLAN) else None
        known = {key_of(one): one for one in before.planned} if before else {}
        given = {key for _, key, _ in runs}
        if lost := [one.label for key, one in known.items() if key not in given]:
            raise StoreError(
                f"study {name!r} has {len(lost)} runs that are not in this plan, e.g. {lost[0]}. A study can be given "
                "more runs, not others: choose another name."
            )
        named = {key: one.label for key, one in known.items()}
        if named != {key: label for label, key, _ in runs} or (before and before.study != dict(study)):
            # What a run is, its key says; what it is called, and which arm it belongs to, is said anew.
            ids = _fresh_ids({*durable.folders(root), *(one.run for one in known.values())})
            planned = [
                known[key]._replace(key=key, label=label) if key in known else Planned(next(ids), label, key, spec)
                for label, key, spec in runs
            ]
            fields = {"schema": layout.SCHEMA, "name": name, "study": dict(study)}
            fields["created_at"] = before.created_at if before else layout.now()
            fields["runs"] = [one._asdict() for one in planned]
            data = jsonl.frame(jsonl.plain(fields))
            if len(data) > durable.MOST_BYTES:
                raise StoreError(
                    f"the plan of {len(runs):,} runs is {len(data):,} bytes long, more than the {durable.MOST_BYTES:,} "
                    "that are read again; split the study"
                )
            durable.replace(folder / PLAN, data)
        return StudyWriter(root, name, lock)
    except BaseException:
        lock.release()
        raise


def studies(root: str | Path) -> list[str]:
    """Names of the store's studies, in alphabetical order."""
    folder = Path(root) / STUDIES
    return sorted(name for name in durable.folders(folder) if durable.exists(folder / name / PLAN))


def _fresh_ids(taken: set[str]) -> Iterator[str]:
    """Ids that nobody has, each once: of thousands made in one second, some would be equal by chance."""
    while True:
        run_id = layout.new_run_id()
        if run_id not in taken:
            taken.add(run_id)
            yield run_id


def _folder(root: Path, name: str) -> Path:
    if why := why_no_folder(name):
        raise StoreError(why)
    return root / STUDIES / name
