"""Curvature beside what the optimizer can follow: the top eigenvalue of the loss, in the unit of its threshold.

    plain SGD       lambda_max(H) < 2 / lr;   with momentum (2 + 2 momentum) / lr, by Nesterov that / (1 + 2 momentum)
    Adam, AdamW     lambda_max(P^-1/2 H P^-1/2) < (2 + 2 beta1) / ((1 - beta1) lr),
                    P = (1 - beta1^t) (sqrt(v / (1 - beta2^t)) + eps), v its memory of squared gradients

Batches, weight decay and other interventions are left out of it: with batches the training is unstable before that.
Source: Cohen et al. (2021), arXiv:2103.00065; Cohen et al. (2022), Adaptive gradient methods at the edge of stability,
arXiv:2207.14484.
"""

from __future__ import annotations

import torch

from ...measures.sharpness import hessian_product, largest_eigenvalue, preconditioned
from ...measures.smooth_loss import smooth_loss
from .stretch import Stretch

EXAMPLES, ITERATIONS = 512, 12  # a top eigenvalue that is far above the others, as before a jump, takes few


def sharpness(stretch: Stretch) -> float:
    """At the current weights; nan where the optimizer's threshold is not known."""
    spec, step = stretch.spec, stretch.state.step
    optimizer = spec.optimizer
    rate = optimizer.learning_rate * spec.schedule.factor(step + 1)
    if optimizer.kind == "muon" or (optimizer.kind != "sgd" and not step):
        return float("nan")
    with torch.inference_mode(False), torch.enable_grad():
        loss, params, _ = smooth_loss(stretch.view, EXAMPLES, "sharpness", twice=True)
        product, numbers = hessian_product(loss, params)
        if optimizer.kind == "sgd":
            m = optimizer.momentum
            threshold = (2 + 2 * m) / rate / (1 + 2 * m if optimizer.nesterov else 1)
        else:
            square = stretch.state.optimizer["mean_square"]
            v_D = torch.cat([square[name].detach().double().flatten() for name in params])
            root_D = (v_D / (1 - optimizer.beta2**step)).sqrt() + optimizer.eps
            product = preconditioned(product, (1 - optimizer.beta1**step) * root_D)
            threshold = (2 + 2 * optimizer.beta1) / ((1 - optimizer.beta1) * rate)
        top, _ = largest_eigenvalue(product, numbers, ITERATIONS, spec.seed)
    return top / threshold


def unit(stretch: Stretch) -> str:
    """The threshold in words, or why there is none."""
    optimizer = stretch.spec.optimizer
    if optimizer.kind == "muon":
        return "no threshold of stability is known for Muon"
    if optimizer.kind == "sgd":
        return "that of SGD at this learning rate" + (" and momentum" if optimizer.momentum else "")
    b1 = optimizer.beta1
    return f"Adam-preconditioned sharpness, threshold {(2 + 2 * b1) / (1 - b1):g} / learning rate"
