"""Who answers in a mixture of experts: how the gate spreads the examples over them.

    share_e = mean over examples of w_e,    w the weights of the experts for one example, which sum to 1

`balance` is the entropy of the shares: 0 bits if one expert answers everything, log2 of their number if all do as much.
`indecision` is the mean entropy of w of one example: 0 bits if one expert answers alone.

Source: Shazeer et al. (2017), arXiv:1701.06538, for the shares; the entropies are the definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..base.cadence import Cadence
from ..base.component import Component
from .layer_outputs import CHUNK, examples
from .loss_gradient import evaluating
from .view import View


@runtime_checkable
class Gated(Protocol):
    """A network of experts that can tell who answers."""

    experts: nn.ModuleList

    def feed(self, inputs_NT: Tensor) -> Callable[[Tensor], Any]:
        """From indices of examples to what `weights` takes."""

    def weights(self, fed_BT: Any) -> Tensor:
        """(B, E) how much each expert counts; rows sum to 1."""


class GateUsage(Component):
    """`gate_usage/share/<expert>`, `gate_usage/balance` and `gate_usage/indecision`, over the validation examples.

    Nothing for a network without a gate.
    """

    kind: Literal["gate_usage"] = "gate_usage"
    cadence: Cadence | None = None
    """When to read; left out: at the run's evaluations."""

    def read(self, view: View) -> dict[str, float]:
        """Shares between 0 and 1 that sum to 1; entropies in bits."""
        module: Any = view.module
        if not isinstance(module, Gated):
            return {}
        every_M, shares_E, indecision = examples(view, "val"), torch.zeros(len(module.experts)).double(), 0.0
        feed = module.feed(view.inputs_NT)
        with evaluating(view.module), torch.no_grad():
            for chunk_B in torch.split(every_M, CHUNK):
                weights_BE = module.weights(feed(chunk_B)).double()
                shares_E += weights_BE.sum(0) / len(every_M)
                indecision += float(entropy(weights_BE).sum()) / len(every_M)
        return {
            **{f"gate_usage/share/{expert}": share for expert, share in enumerate(shares_E.tolist())},
            "gate_usage/balance": float(entropy(shares_E)),
            "gate_usage/indecision": indecision,
        }


def entropy(shares: Tensor) -> Tensor:
    """Over the last axis, in bits; of shares that sum to 1."""
    bits: Tensor = -torch.special.xlogy(shares, shares).sum(-1) / math.log(2)
    return bits
