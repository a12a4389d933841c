"""Sharpness: the largest eigenvalue of the Hessian of the training loss.

It is found by Lanczos' method from products of the Hessian with a vector. The largest one is what is meant, not the
one of largest size: where the loss curves down strongly, power iteration would return a negative number.

Plain gradient descent with learning rate lr is stable along a direction of curvature below 2 / lr. For Adam the
curvature counts in the unit of its own step sizes, which a measure does not see: compare a run with itself.

Source: Lanczos (1950); Cohen et al. (2021), Gradient descent on neural networks typically occurs at the edge of
stability, arXiv:2103.00065.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ..base import seeds
from ..base.cadence import Cadence
from ..base.component import Component
from .smooth_loss import Params, smooth_loss
from .view import View


class Sharpness(Component):
    """`sharpness/top` and `sharpness/residual`: largest eigenvalue of the Hessian, and how far it may be off."""

    kind: Literal["sharpness"] = "sharpness"
    cadence: Cadence | None = Cadence(per_decade=5)
    """When to read; null: at the run's evaluations."""
    examples: int = Field(1024, ge=1)
    """At most so many training examples, drawn once for the run."""
    iterations: int = Field(30, ge=1, le=1000)
    """Products of the Hessian with a vector."""

    def read(self, view: View) -> dict[str, float]:
        """In loss per squared unit of the weights. Some eigenvalue lies within the residual of what is returned."""
        with torch.inference_mode(False), torch.enable_grad():
            loss, params, _ = smooth_loss(view, self.examples, "sharpness", twice=True)
            product, numbers = hessian_product(loss, params)
            top, residual = largest_eigenvalue(product, numbers, self.iterations, view.seed)
        return {"sharpness/top": top, "sharpness/residual": residual}


def hessian_product(loss: Callable[[Params], Tensor], params: Params) -> tuple[Callable[[Tensor], Tensor], int]:
    """From a vector (D,) to H v (D,), H the second derivatives of `loss` at `params`; and D."""
    leaves = list(params.values())
    grads = torch.autograd.grad(loss(params), leaves, create_graph=True, materialize_grads=True)
    gradient_D = torch.cat([grad.flatten() for grad in grads])

    def product(v_D: Tensor) -> Tensor:
        if not gradient_D.requires_grad:  # a loss without curvature
            return torch.zeros_like(v_D)
        along = torch.autograd.grad(gradient_D @ v_D, leaves, retain_graph=True, materialize_grads=True)
        return torch.cat([one.detach().flatten() for one in along])

    return product, len(gradient_D)


def preconditioned(product: Callable[[Tensor], Tensor], scale_D: Tensor) -> Callable[[Tensor], Tensor]:
    """From products with H to those with P^-1/2 H P^-1/2, P = diag(scale_D): the curvature an adaptive optimizer sees.

    Args:
        product: From v (D,) to H v (D,).
        scale_D: The diagonal of P, positive, by which each gradient is divided before the step.

    Source: Cohen et al. (2022), Adaptive gradient methods at the edge of stability, arXiv:2207.14484.
    """
    root_D = scale_D.sqrt()
    return lambda v_D: product(v_D / root_D) / root_D


def largest_eigenvalue(
    product: Callable[[Tensor], Tensor], numbers: int, iterations: int = 30, seed: int = 0
) -> tuple[float, float]:
    """The algebraically largest eigenvalue of a symmetric matrix that is known by its products with vectors.

    Lanczos' method in float64, each vector made orthogonal to all earlier ones, from a random start.

    Args:
        product: From v (D,) to A v (D,), float64.
        numbers: D.
        iterations: Products at most; fewer where D of them, or an invariant subspace, say everything.
        seed: Of the start.

    Returns:
        The eigenvalue, and the length of A v - value v for its unit vector v: some eigenvalue is that near.

    Example:
        >>> matrix = torch.diag(torch.tensor([-5.0, 3.0, 1.0], dtype=torch.float64))
        >>> round(largest_eigenvalue(lambda v: matrix @ v, 3)[0], 9)
        3.0
    """
    start = torch.from_numpy(seeds.stream(seed, "sharpness/start").standard_normal(numbers))
    basis, along, beyond = [start / start.norm()], list[float](), list[float]()
    while True:
        image = product(basis[-1])
        along.append(float(image @ basis[-1]))
        stacked = torch.stack(basis)
        for _ in range(2):  # once leaves rounding errors that grow into copies of the eigenvalue
            image = image - stacked.T @ (stacked @ image)
        beyond.append(float(image.norm()))
        is_whole = beyond[-1] <= 1e-13 * max(map(abs, [*along, *beyond[:-1], 1e-300]))
        if len(along) == min(iterations, numbers) or is_whole:
            break
        basis.append(image / beyond[-1])
    tridiagonal = np.diag(along) + np.diag(beyond[:-1], 1) + np.diag(beyond[:-1], -1)
    values, vectors = np.linalg.eigh(tridiagonal)
    return float(values[-1]), float(beyond[-1] * abs(vectors[-1, -1]))
