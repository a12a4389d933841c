"""Outputs that no gradient reaches although they are wrong, and what they cost.

A loss that raises its outputs to a least value before a logarithm, as the head `raw` of `log2_squared_error` does, has
no slope below it: such an example costs as much as ever and teaches nothing, and a few of them hide in a mean what the
others do. An output z counts as dead if the loss of its example is above 0 and the loss's derivative in z is exactly 0.

Source: the definition; that it matters, the public project *Learning the m-height*, whose head it is.
"""

from __future__ import annotations

from typing import Literal

import torch

from ..base.cadence import Cadence
from ..base.component import Component
from .layer_outputs import CHUNK, examples
from .loss_gradient import evaluating
from .view import View


class DeadOutputs(Component):
    """`dead_outputs/train` and `/val`: share of the examples. `.../count`, `.../loss_with` and `.../loss_without` them.

    Nothing where the task asks for classes, and no loss without them where all are dead.
    """

    kind: Literal["dead_outputs"] = "dead_outputs"
    cadence: Cadence | None = None
    """When to read; left out: at the run's evaluations."""

    def read(self, view: View) -> dict[str, float]:
        """Shares between 0 and 1; losses are means in the unit of the loss."""
        if view.predicted_of is None:
            return {}
        readings: dict[str, float] = {}
        for cut in view.cuts:
            every_M = examples(view, cut)
            dead, loss, loss_of_dead = 0, 0.0, 0.0
            for chunk_B in torch.split(every_M, CHUNK):
                with evaluating(view.module):
                    with torch.no_grad():
                        outputs_BV = view.logits_of(chunk_B)
                    outputs_BV.requires_grad_()
                    loss_B = view.loss_of(outputs_BV, view.labels_N[chunk_B])
                    [slope_BV] = torch.autograd.grad(loss_B.sum(), outputs_BV)
                costs_B = loss_B.detach().double()
                dead_B = (costs_B > 0) & (slope_BV == 0).all(1)
                dead += int(dead_B.sum())
                loss += float(costs_B.sum())
                loss_of_dead += float(costs_B[dead_B].sum())
            name, alive = f"dead_outputs/{cut}", len(every_M) - dead
            readings |= {name: dead / len(every_M), f"{name}/count": float(dead)}
            readings[f"{name}/loss_with"] = loss / len(every_M)
            if alive:
                readings[f"{name}/loss_without"] = (loss - loss_of_dead) / alive
        return readings
