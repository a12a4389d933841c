"""The seven explanations of one jump, put to the test together."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...base.errors import DataError
from ...base.plain import plain
from . import hypotheses
from .find import Jump
from .finding import Finding
from .fork import Fork
from .window import Replay, Span, Window

SCHEMA = 1
MOST_SHOWN = 400  # steps of a curve in JSON


class Explanation(NamedTuple):
    """What is known of one jump."""

    reading: str
    onset_step: int  # the foot: the lowest reading before the top
    top_step: int
    before: float  # the reading at the foot
    top: float
    val_before: float | None
    val_top: float | None
    findings: list[Finding]  # (a) to (g)
    replay: Replay | None
    jumps: list[Jump]  # all jumps of the reading in the whole run, as far as it was searched
    forks: list[Fork]
    curves: dict[str, list[float | None]]  # what was read at each step, `step` among them; None is not known
    sharpness: dict[int, float]
    sharpness_unit: str

    @property
    def surviving(self) -> list[Finding]:
        """What was not refuted by what was read."""
        return [finding for finding in self.findings if finding.verdict == "survives"]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data; NaN and infinity become None."""
        told: dict[str, Any] = plain(self)
        return {"schema": SCHEMA, **told}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Explanation:
        """What `to_json` told.

        Raises:
            DataError: It is something else.
        """
        try:
            given = {name: told[name] for name in cls._fields}
            if told["schema"] != SCHEMA:
                raise DataError(f"the explanation has schema {told['schema']}, this version reads {SCHEMA}")
            given["findings"] = [Finding(**one) for one in given["findings"]]
            given["jumps"] = [Jump(**one) for one in given["jumps"]]
            given["forks"] = [Fork(**one) for one in given["forks"]]
            given["sharpness"] = {int(step): value for step, value in given["sharpness"].items()}
            if given["replay"]:
                checkpoints = {int(step): same for step, same in given["replay"]["checkpoints"].items()}
                given["replay"] = Replay(**{**given["replay"], "checkpoints": checkpoints})
            return cls(**given)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"this is no explanation of a jump as `latebloom jump --json` prints it: {error!r}"
            ) from None


def explain(window: Window, after_step: int | None = None, until_step: int | None = None) -> Explanation:
    """Look for the jump in a window, and at what became of each explanation.

    Args:
        window: Readings at every step, from well before the jump until after its top.
        after_step: The last step known to be before the rise; by default the first of the window.
        until_step: The last step at which the top may be; by default the last of the window.

    Raises:
        DataError: The recorded reading does not rise in the window.
    """
    steps_S = window.steps_S
    first, last = int(steps_S[0]), int(steps_S[-1])
    span = Span.of(window, first if after_step is None else after_step, last if until_step is None else until_step)
    before, top = float(window.recorded_S[span.onset]), float(window.recorded_S[span.top])
    if not top > before:
        raise DataError(
            f"{window.reading} does not rise from step {first:,} to {last:,}: there is no jump to explain. "
            "Name another step."
        )
    val_S = window.val_S if window.recorded_val_S is None else window.recorded_val_S
    return Explanation(
        reading=window.reading,
        onset_step=int(steps_S[span.onset]),
        top_step=int(steps_S[span.top]),
        before=before,
        top=top,
        val_before=None if val_S is None else float(val_S[span.onset]),
        val_top=None if val_S is None else float(val_S[span.top]),
        findings=[test(window, span) for test in hypotheses.ALL],
        replay=window.replay,
        jumps=[],
        forks=[],
        curves=_curves(window, span),
        sharpness={step: value for step, value in sorted(window.sharpness.items()) if math.isfinite(value)},
        sharpness_unit=window.sharpness_unit,
    )


def _curves(window: Window, span: Span) -> dict[str, list[float | None]]:
    """The readings around the jump; of a long window the steps nearest to it."""
    half = MOST_SHOWN // 2
    begin = max(0, min(span.onset - half, len(window.steps_S) - MOST_SHOWN))
    part = slice(begin, begin + MOST_SHOWN)
    read = {
        "train": window.train_S,
        "median": np.median(window.losses_SM, axis=1).astype(np.float64),
        "running_mean": window.running_S,
        "recorded": window.recorded_S,
        "update": window.update_S,
        "last_update": window.last_update_S,
        "norm": window.norm_S,
        "last_norm": window.last_norm_S,
        "rate": window.rate_S,
    }
    if window.val_S is not None:
        read["val"] = window.val_S
    return {"step": window.steps_S[part].tolist()} | {
        name: [_short(value) for value in values[part]] for name, values in read.items()
    }


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None
