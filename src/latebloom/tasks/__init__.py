"""Where examples come from. The table below is the only list of tasks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..base.component import table
from .images import Images
from .linear_codes import LinearCodes
from .mixture import Mixture, MixturePart
from .modular import Modular
from .parity import Parity
from .permutation import Permutation
from .small_codes import SmallCodes
from .split import Part, Split, share_counts, share_notice

Task = Annotated[
    Modular | Permutation | Parity | Mixture | Images | SmallCodes | LinearCodes, Field(discriminator="kind")
]

TASKS = table(Task)

__all__ = [
    "TASKS",
    "Images",
    "LinearCodes",
    "Mixture",
    "MixturePart",
    "Modular",
    "Parity",
    "Part",
    "Permutation",
    "SmallCodes",
    "Split",
    "Task",
    "share_counts",
    "share_notice",
]
