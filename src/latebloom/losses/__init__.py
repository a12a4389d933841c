"""What is minimised. `answers` says what a loss can score: `classes`, `numbers` or both; the latter has `predicted`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..base.component import table
from .cross_entropy import CrossEntropy
from .log2_squared_error import Log2SquaredError
from .squared_error import SquaredError
from .stablemax import StableMax

Loss = Annotated[CrossEntropy | StableMax | SquaredError | Log2SquaredError, Field(discriminator="kind")]
LOSSES = table(Loss)

__all__ = ["LOSSES", "CrossEntropy", "Log2SquaredError", "Loss", "SquaredError", "StableMax"]
