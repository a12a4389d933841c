"""How well the label can be read off each layer by a linear map: a ridge regression, in closed form.

    W = (C + lambda I)^-1 cov(h, y),   C = cov(h),   lambda = ridge * trace(C) / O

h are the outputs of a layer at the training examples, before the nonlinearity, y the labels as one-hot vectors. The
reading is the share of validation examples whose label is the largest of the O -> V outputs. Where the task asks for a
number, y is that number, and the reading the share of its variance that is explained, of each part of the task and over
them the mean. It depends on nothing but the weights and the task, and not on the unit or the rotation of h.

Deep Grokking probes the same outputs with a softmax head, trained by Adam for 30 epochs on 80 % of the training
examples with a penalty on the norm of the head. Its code selects the best of these heads and then reads the last; its
heads have one output per example instead of one per label. A solution in closed form has no such choices: nothing to
seed, to stop or to select. Expect the same order of layers, not the same digits.

Source: Alain & Bengio (2016), arXiv:1610.01644; Fan, Pascanu & Jaggi (2024), arXiv:2405.19454.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ..base.cadence import Cadence
from ..base.component import Component
from .explained import explained
from .layer_outputs import examples, layer_outputs
from .view import View


class LinearProbe(Component):
    """`linear_probe/<layer>`: validation accuracy of a linear map fitted to a layer's outputs on the training set.

    Where the task asks for a number, the share of its variance that the map explains, as `val/r2` has it.
    """

    kind: Literal["linear_probe"] = "linear_probe"
    cadence: Cadence | None = Cadence(per_decade=20)
    """When to read; null: at the run's evaluations."""
    ridge: float = Field(1e-2, gt=0)
    """Strength of the ridge, as a share of the mean variance of the layer's outputs."""

    def read(self, view: View) -> dict[str, float]:
        """One for each linear layer; one that acts on each position is probed at the last."""
        train, val = layer_outputs(view, "train"), layer_outputs(view, "val")
        train_labels_M, val_labels_M = (view.labels_N[examples(view, cut)] for cut in ("train", "val"))
        readings: dict[str, float] = {}
        for name, outputs in train.items():
            if len(outputs) != len(train_labels_M) or len(val.get(name, ())) != len(val_labels_M):
                continue  # an expert of a mixture, which only some of the examples reach
            if view.predicted_of is not None:
                numbers_MV = train_labels_M.double()[:, None]
                errors_M = regressed(_last(outputs), numbers_MV, _last(val[name]), self.ridge)[:, 0] - val_labels_M
                if (share := _explained(view, errors_M)) is not None:
                    readings[f"linear_probe/{name}"] = share
                continue
            logits_MV = probed(
                _last(outputs), train_labels_M, _last(val[name]), int(view.labels_N.max()) + 1, self.ridge
            )
            readings[f"linear_probe/{name}"] = float((logits_MV.argmax(1) == val_labels_M).double().mean())
        return readings


def probed(train_MO: Tensor, labels_M: Tensor, val_MO: Tensor, labels: int, ridge: float) -> Tensor:
    """(M, labels) outputs at `val_MO` of the ridge regression from `train_MO` to one-hot labels."""
    return regressed(train_MO, F.one_hot(labels_M, labels).to(train_MO.dtype), val_MO, ridge)


def regressed(train_MO: Tensor, targets_MV: Tensor, val_MO: Tensor, ridge: float) -> Tensor:
    """(M, V) outputs at `val_MO` of the ridge regression from `train_MO` to `targets_MV`."""
    centre_O, mean_V = train_MO.mean(0), targets_MV.mean(0)
    centred_MO = train_MO - centre_O
    scatter_OO = centred_MO.T @ centred_MO
    scatter_OO.diagonal().add_(ridge * scatter_OO.diagonal().mean())
    # pinv, not solve: of a layer that is constant there is nothing to invert, and the mean of the targets is answered
    weight_OV = torch.linalg.pinv(scatter_OO, hermitian=True) @ (centred_MO.T @ (targets_MV - mean_V))
    outputs_MV: Tensor = (val_MO - centre_O) @ weight_OV + mean_V
    return outputs_MV


def _explained(view: View, errors_M: Tensor) -> float | None:
    """The mean over parts; None if no part has two different labels."""
    parts, labels, squares, begin = view.cuts["val"], dict[str, Tensor](), dict[str, float](), 0
    for name, part_M in parts.items():
        labels[name] = view.labels_N[part_M]
        squares[name] = float(errors_M[begin : begin + len(part_M)].square().sum())
        begin += len(part_M)
    shares = explained(labels, squares)
    return sum(shares.values()) / len(shares) if shares else None


def _last(outputs: Tensor) -> Tensor:
    return outputs if outputs.ndim == 2 else outputs[:, -1]
