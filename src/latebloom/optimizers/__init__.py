"""How parameters move: rules with `(init, update)` and schedules of the learning rate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..base.component import table
from .adam import Adam, AdamW
from .muon import Muon
from .schedules import SCHEDULES, Schedule
from .sgd import Sgd

Optimizer = Annotated[AdamW | Adam | Sgd | Muon, Field(discriminator="kind")]
OPTIMIZERS = table(Optimizer)

__all__ = ["OPTIMIZERS", "SCHEDULES", "Adam", "AdamW", "Muon", "Optimizer", "Schedule", "Sgd"]
