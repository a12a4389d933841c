"""Answers that are proved wrong without knowing the right ones: below a bound that the task found by itself.

Source: the public project *Learning the m-height*, which counts predictions below the heights of sampled codewords.
"""

from __future__ import annotations

from typing import Literal

import torch

from ..base.cadence import Cadence
from ..base.component import Component
from .layer_outputs import CHUNK, examples
from .loss_gradient import evaluating
from .view import View


class Violations(Component):
    """`violations/train` and `/val`: share of the answers below the bound; `.../shortfall` by how much, over all.

    The bound is loose: a network that never violates it may know nothing. Nothing where the task knows no bounds, as
    linear codes do without `task.codewords`.
    """

    kind: Literal["violations"] = "violations"
    cadence: Cadence | None = None
    """When to read; left out: at the run's evaluations."""

    def read(self, view: View) -> dict[str, float]:
        """Shares between 0 and 1, and means in the unit of the label."""
        if view.predicted_of is None or view.floors_N is None:
            return {}
        readings: dict[str, float] = {}
        for cut in view.cuts:
            every_M = examples(view, cut)
            below, shortfall = 0, 0.0
            with evaluating(view.module), torch.no_grad():
                for chunk_B in torch.split(every_M, CHUNK):
                    lacking_B = view.floors_N[chunk_B] - view.predicted_of(view.logits_of(chunk_B)).double()
                    below += int((lacking_B > 0).sum())
                    shortfall += float(lacking_B.clamp(min=0).sum())
            readings[f"violations/{cut}"] = below / len(every_M)
            readings[f"violations/{cut}/shortfall"] = shortfall / len(every_M)
        return readings
