"""How much of what a network answers depends on things that cannot matter: 0 once it has learned the symmetry.

A task may know changes of an example that leave its label as it is, e.g. that rows and columns of a matrix change
places and signs. With g such a change, drawn evenly, and x an example of one part of the task:

    orbit variance = mean over x of Var_g f(g x) / Var_(x, g) f(g x)

Of a network that heeds the symmetry it is 0; of one whose answer says no more of the example than chance it is near 1.
No label is needed. f is the number that is answered; for classes the outputs less their mean over the classes, and
variances are summed over the classes. Var_g is the unbiased estimate from a few images of each example, so a value can
lie a little above 1. Outputs may vary little and yet be on either side of a decision, so of classes it is also read how
often two images of one example are answered with different ones.

Source: the law of total variance.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ..base import seeds
from ..base.cadence import Cadence
from ..base.component import Component
from .layer_outputs import CHUNK
from .loss_gradient import evaluating
from .view import View


class OrbitVariance(Component):
    """`orbit_variance/mean`, over the parts of the task, and `orbit_variance/<part>` where there are several.

    For classes also `orbit_disagreement/mean` and `/<part>`: of two images of one example, how often they are answered
    with different classes. Nothing for a task that tells no symmetry, and for a part in which all answers are equal.
    """

    kind: Literal["orbit_variance"] = "orbit_variance"
    cadence: Cadence | None = Cadence(per_decade=20)
    """When to read; null: at the run's evaluations."""
    examples: int = Field(64, ge=2)
    """At most so many validation examples of each part, drawn anew at each reading."""
    images: int = Field(8, ge=2)
    """Images of each example."""

    def read(self, view: View) -> dict[str, float]:
        """Shares of variance, 0 or more, and of pairs, from 0 to 1."""
        if view.image_of is None:
            return {}
        varying, disagreeing = dict[str, float](), dict[str, float]()
        for name, part_M in view.cuts["val"].items():
            draws = seeds.stream(view.seed, f"orbit_variance/{name}", view.step)
            chosen = draws.permutation(len(part_M))[: self.examples]
            inputs_XT = view.inputs_NT[part_M[torch.from_numpy(chosen)]].numpy()
            images = [torch.from_numpy(view.image_of(inputs_XT, draws)) for _ in range(self.images)]
            answers_XGA = torch.stack([self._answers(view, inputs) for inputs in images], 1)
            share = orbit_variance(answers_XGA)
            if share is not None:
                varying[name] = share
            if view.predicted_of is None:
                disagreeing[name] = disagreement(answers_XGA.argmax(2))
        several = len(view.cuts["val"]) > 1
        readings: dict[str, float] = {}
        for reading, found in (("orbit_variance", varying), ("orbit_disagreement", disagreeing)):
            if found:
                readings[f"{reading}/mean"] = sum(found.values()) / len(found)
                readings |= {f"{reading}/{name}": share for name, share in found.items()} if several else {}
        return readings

    def _answers(self, view: View, inputs_XT: Tensor) -> Tensor:
        """(X, A) the number answered to each, or the centred outputs of all classes."""
        with evaluating(view.module), torch.no_grad():
            outputs_XV = torch.cat([view.module(chunk_BT) for chunk_BT in torch.split(inputs_XT, CHUNK)])
            if view.predicted_of is not None:
                return view.predicted_of(outputs_XV).double()[:, None]
            return outputs_XV.double() - outputs_XV.double().mean(1, keepdim=True)


def orbit_variance(answers_XGA: Tensor) -> float | None:
    """Share of the variance that lies within orbits; None if nothing varies.

    Args:
        answers_XGA: To G >= 2 images of each of X examples, A numbers each.

    Example:
        >>> orbit_variance(torch.tensor([[[1.0], [1.0]], [[3.0], [3.0]]])), orbit_variance(torch.ones(2, 2, 1))
        (0.0, None)
    """
    whole = float(answers_XGA.flatten(0, 1).var(0, correction=0).sum())
    return float(answers_XGA.var(1).mean(0).sum()) / whole if whole > 0 else None


def disagreement(classes_XG: Tensor) -> float:
    """Share of the pairs of images of one example whose classes differ, the mean over examples.

    Args:
        classes_XG: The classes answered to G >= 2 images of each of X examples.

    Example:
        >>> disagreement(torch.tensor([[1, 1, 1], [1, 1, 1], [0, 1, 2], [2, 1, 0]]))  # no pair of 3, or every one
        0.5
    """
    X, G = classes_XG.shape
    counts_XV = torch.zeros(X, int(classes_XG.max()) + 1, dtype=torch.float64)
    counts_XV.scatter_add_(1, classes_XG, torch.ones(X, G, dtype=torch.float64))
    alike_X = (counts_XV * (counts_XV - 1)).sum(1) / (G * (G - 1))
    return float(1 - alike_X.mean())
