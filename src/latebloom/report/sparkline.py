"""A curve in one line of text, over log steps, in bounded memory."""

from __future__ import annotations

import math

BLOCKS = "▁▂▃▄▅▆▇█"


class Sparkline:
    """Values in [0, 1], the last one of each slot of a logarithmic step axis."""

    def __init__(self, total_steps: int, width: int = 36) -> None:
        self._scale = width / math.log1p(max(total_steps, 1))
        self._slots: list[float | None] = [None] * width

    def add(self, step: int, value: float) -> None:
        """Take in one reading; NaN and infinity leave the slot as it is."""
        if math.isfinite(value):
            slot = int(math.log1p(step) * self._scale)
            self._slots[min(slot, len(self._slots) - 1)] = min(max(value, 0.0), 1.0)

    def __str__(self) -> str:
        """One character per slot; a slot nothing was read in repeats the one before, the future is blank."""
        last_read = max((place for place, value in enumerate(self._slots) if value is not None), default=-1)
        line, value = "", None
        for place, read in enumerate(self._slots):
            value = value if read is None else read
            drawn = value is not None and place <= last_read
            line += BLOCKS[round((value or 0.0) * (len(BLOCKS) - 1))] if drawn else " "
        return line
