"""When something is due: every n steps, log-spaced, at given steps, or never.

>>> [s for s in range(0, 40) if Cadence(every=10).due(s)]
[0, 10, 20, 30]
>>> [s for s in range(0, 101) if Cadence(per_decade=3).due(s)]
[0, 1, 2, 5, 10, 22, 46, 100]
"""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from .component import Component


class Cadence(Component):
    """Steps at which something happens; several fields set means the union of their steps. Step 0 is always due."""

    every: int | None = Field(None, ge=1, json_schema_extra={"unit": "steps"})
    """Every n steps."""
    per_decade: int | None = Field(None, ge=1, le=1000, json_schema_extra={"unit": "1/decade"})
    """Log-spaced: this many steps per factor of ten, at round(10 ** (k / per_decade))."""
    at: tuple[int, ...] = ()
    """At exactly these steps."""

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.every is None and self.per_decade is None and not self.at:
            raise ValueError("a cadence needs `every`, `per_decade` or `at`, e.g. {every: 100}")
        return self

    def due(self, step: int) -> bool:
        """Whether `step` (updates done, >= 0) is one of the steps; a pure function, so a resumed run agrees."""
        if step == 0 or step in self.at:
            return True
        if self.every is not None and step % self.every == 0:
            return True
        if self.per_decade is not None:
            nearest = round(self.per_decade * math.log10(step))
            return any(round(10 ** (k / self.per_decade)) == step for k in (nearest - 1, nearest, nearest + 1))
        return False
