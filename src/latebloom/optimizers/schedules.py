"""How the learning rate changes with the step: a factor on the optimizer's own, a pure function of the step.

`step` counts updates from 1: it is the number of the update that the factor applies to.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from ..base.component import Component, table


class Constant(Component):
    """Always 1."""

    kind: Literal["constant"] = "constant"

    def factor(self, step: int) -> float:
        """1 at every step."""
        return 1.0


class Warmup(Component):
    """Rises in a straight line to 1 at step `steps`, then stays. Never 0, so that the first update moves."""

    kind: Literal["warmup"] = "warmup"
    steps: int = Field(10, ge=1, json_schema_extra={"unit": "steps"})
    """First step at full learning rate."""

    def factor(self, step: int) -> float:
        """step / steps, at most 1."""
        return min(1.0, step / self.steps)


class Cosine(Component):
    """Warm-up, then half a cosine from 1 down to `final` at step `until`, then constant."""

    kind: Literal["cosine"] = "cosine"
    until: int = Field(ge=1, json_schema_extra={"unit": "steps"})
    """Step at which `final` is reached. Its own field, so that a longer run does not bend the past."""
    warmup_steps: int = Field(0, ge=0, json_schema_extra={"unit": "steps"})
    """First step at full learning rate; 0 for no warm-up."""
    final: float = Field(0.0, ge=0, le=1)
    """Factor at the end."""

    def factor(self, step: int) -> float:
        """The warm-up's straight line, then the cosine."""
        if step <= self.warmup_steps:
            return step / self.warmup_steps
        way = min(1.0, (step - self.warmup_steps) / max(1, self.until - self.warmup_steps))
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * way))


class Steps(Component):
    """Multiplied by `factor_each` after every `every` steps."""

    kind: Literal["step"] = "step"
    every: int = Field(ge=1, json_schema_extra={"unit": "steps"})
    """Length of one stair."""
    factor_each: float = Field(0.1, gt=0, le=1)
    """Height of a stair relative to the one before."""

    def factor(self, step: int) -> float:
        """factor_each to the power of the stairs already passed."""
        return self.factor_each ** ((step - 1) // self.every)


Schedule = Annotated[Constant | Warmup | Cosine | Steps, Field(discriminator="kind")]
SCHEDULES = table(Schedule)
