"""Accuracy and loss on every training and every validation example, at the same weights, without dropout."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ..base.cadence import Cadence
from ..base.component import Component
from .view import View


class Evaluation(Component):
    """`train/accuracy`, `train/loss`, `val/accuracy`, `val/loss`; for a mixture also `val/accuracy/divide` and so on.

    Never a sample and never a running mean: every example counts once.
    """

    kind: Literal["evaluation"] = "evaluation"
    cadence: Cadence | None = None
    """When to read; left out: at the run's evaluations."""
    chunk: int = Field(1024, ge=1, json_schema_extra={"unit": "examples"})
    """Examples per forward pass: bounds memory, and is part of the bits."""

    def read(self, view: View) -> dict[str, float]:
        """Accuracies between 0 and 1, losses in the unit of the loss."""
        readings: dict[str, float] = {}
        was_training = view.module.training
        view.module.eval()
        with torch.inference_mode():
            for cut, parts in view.cuts.items():
                sums = {name: self._sums(view, examples_M) for name, examples_M in parts.items()}
                of = {"": [sum(s) for s in zip(*sums.values(), strict=True)]}
                if len(sums) > 1:
                    of |= {f"/{name}": list(s) for name, s in sums.items()}
                for suffix, (count, correct, loss) in of.items():
                    readings[f"{cut}/accuracy{suffix}"] = correct / count
                    readings[f"{cut}/loss{suffix}"] = loss / count
        view.module.train(was_training)
        return readings

    def _sums(self, view: View, examples_M: Tensor) -> tuple[int, int, float]:
        correct, loss = 0, 0.0
        for chunk_B in torch.split(examples_M, self.chunk):
            logits_BV = view.logits_of(chunk_B)
            labels_B = view.labels_N[chunk_B]
            correct += int((logits_BV.argmax(1) == labels_B).sum())
            # float64, or the sum over many chunks would lose what float32 kept of each
            loss += float(view.loss_of(logits_BV, labels_B).double().sum())
        return len(examples_M), correct, loss
