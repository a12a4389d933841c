"""A comparison on disk: a page that explains itself, figures for a paper, tables for other programs."""

from __future__ import annotations

import json
from pathlib import Path

from ...store import durable
from .compared import Compared
from .figures import figures
from .page import page
from .tables import arms_csv, runs_csv


def write_comparison(told: Compared, folder: Path) -> list[Path]:
    """Write everything, each file replaced whole; returns the paths, the page first.

    Args:
        told: The comparison.
        folder: Where to write; made if missing.

    Raises:
        StoreError: It cannot be written.
    """
    drawn = figures(told)
    files = {"comparison.html": page(told, drawn).encode()}
    for name, picture in drawn._asdict().items():
        files |= {f"{name}.svg": picture.svg, f"{name}.png": picture.png}
    files |= {"runs.csv": runs_csv(told).encode(), "arms.csv": arms_csv(told).encode()}
    files["comparison.json"] = json.dumps(told.comparison.to_json(), indent=1, allow_nan=False).encode() + b"\n"
    durable.make_folder(folder)
    for name, data in files.items():
        durable.replace(folder / name, data)
    return [folder / name for name in files]
