"""Accuracy and loss on every training and every validation example, at the same weights, without dropout."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ..base.cadence import Cadence
from ..base.component import Component
from .explained import explained
from .view import View


class Evaluation(Component):
    """`train/accuracy`, `train/loss`, `val/accuracy`, `val/loss`; for a mixture also `val/accuracy/divide` and so on.

    Where the task asks for a number, `r2` stands for accuracy: 1 - squared error / variance of the labels, of each
    part, and without a name their mean. So whoever knows only the mean of every part scores 0, and guessing less.
    `blind/one_constant` and `blind/part_means` are the training losses, as squared errors, of two that know nothing of
    an example: one always answers the mean of all training labels, one the mean of its part.

    Never a sample and never a running mean: every example counts once. For comparison `train/batch_loss` is one, what
    most training loops call their loss: the mean since the last evaluation of the losses of the batches, each before
    its update, in training mode and with violations where they are minimised. It lags behind `train/loss`, and where
    the two tell different stories, this one tells how the weights moved.
    """

    kind: Literal["evaluation"] = "evaluation"
    cadence: Cadence | None = None
    """When to read; left out: at the run's evaluations."""
    chunk: int = Field(1024, ge=1, json_schema_extra={"unit": "examples"})
    """Examples per forward pass: bounds memory, and is part of the bits."""

    def read(self, view: View) -> dict[str, float]:
        """Accuracies between 0 and 1, shares of variance at most 1, losses in the unit of the loss."""
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
                    if view.predicted_of is None:
                        readings[f"{cut}/accuracy{suffix}"] = correct / count
                    readings[f"{cut}/loss{suffix}"] = loss / count
                if view.predicted_of is not None:
                    readings |= self._blind(view) if cut == "train" else {}
                    readings |= self._explained(view, cut, {name: s[1] for name, s in sums.items()})
        view.module.train(was_training)
        return readings

    def _sums(self, view: View, examples_M: Tensor) -> tuple[int, float, float]:
        """How many examples, how many are right (or the sum of their squared errors), and the sum of their losses."""
        scored, loss = 0.0, 0.0
        for chunk_B in torch.split(examples_M, self.chunk):
            logits_BV = view.logits_of(chunk_B)
            labels_B = view.labels_N[chunk_B]
            if view.predicted_of is None:
                scored += int((logits_BV.argmax(1) == labels_B).sum())
            else:
                scored += float((view.predicted_of(logits_BV).double() - labels_B).square().sum())
            # float64, or the sum over many chunks would lose what float32 kept of each
            loss += float(view.loss_of(logits_BV, labels_B).double().sum())
        return len(examples_M), scored, loss

    def _blind(self, view: View) -> dict[str, float]:
        """Variance of the training labels, and the mean of what is left of it within the parts."""
        labels = [view.labels_N[examples_M].double() for examples_M in view.cuts["train"].values()]
        within = sum(float(labels_M.var(correction=0)) * len(labels_M) for labels_M in labels)
        count = sum(map(len, labels))
        told = {"blind/one_constant": float(torch.cat(labels).var(correction=0))}
        return told | ({"blind/part_means": within / count} if len(labels) > 1 else {})

    def _explained(self, view: View, cut: str, errors: dict[str, float]) -> dict[str, float]:
        """Shares of variance; a part whose labels are all equal has none."""
        shares = explained({name: view.labels_N[examples_M] for name, examples_M in view.cuts[cut].items()}, errors)
        if not shares:
            return {}
        by_part = {f"{cut}/r2/{name}": share for name, share in shares.items()} if len(errors) > 1 else {}
        return {f"{cut}/r2": sum(shares.values()) / len(shares), **by_part}
