"""Where event files are, and in which order they are read."""

from __future__ import annotations

import re
from pathlib import Path

from .. import durable


def event_files(folder: Path) -> list[Path]:
    """The event files directly in a folder, by the second in their names, then by name: TensorBoard's order."""
    found = [name for name in durable.names(folder) if "tfevents" in name and not name.endswith(".profile-empty")]
    return [folder / name for name in sorted(found, key=lambda name: (stamp(name), name))]


def stamp(name: str) -> int:
    """The second in which an event file was begun, in Unix time; 0 if its name does not say."""
    said = re.search(r"tfevents\.(\d{1,15})(\.|$)", name)
    return int(said[1]) if said else 0


def find_runs(folder: Path) -> dict[str, Path]:
    """The folders with event files, here and below, named as `tensorboard --logdir` names them.

    A name is the path from `folder`, which is itself called `.`; links are not followed.

    Raises:
        StoreError: A folder cannot be listed.
    """
    found, open_folders = dict[str, Path](), [folder]
    while open_folders:
        here = open_folders.pop()
        if event_files(here):
            found[here.relative_to(folder).as_posix()] = here
        open_folders += [here / name for name in durable.folders(here)]
    return dict(sorted(found.items()))
