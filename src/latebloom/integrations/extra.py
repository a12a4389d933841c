"""The packages that an adapter needs, and what to say when they are missing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from ..base.errors import MissingExtra


def needed(packages: Sequence[str], extra: str) -> Any:
    """The first of these modules that is there; one that the program has imported already comes first.

    Raises:
        MissingExtra: None of them is installed.
    """
    in_use = [package for package in packages if package in sys.modules]
    for package in [*in_use, *packages]:
        try:
            return importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package and error.name != package.partition(".")[0]:
                raise  # it is installed, and something that it needs is not
    missing = " or ".join(package.partition(".")[0] for package in packages)
    raise MissingExtra(
        f"latebloom.integrations.{extra} needs {missing}, which is not installed: pip install 'latebloom[{extra}]'"
    )
