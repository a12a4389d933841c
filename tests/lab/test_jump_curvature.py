"""Curvature in the unit of the optimizer's threshold: quadratics, and descent that is stable below 1 and not above."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from engine.tiny import MLP, tiny
from latebloom import lab
from latebloom.lab.jump.sharp import sharpness, unit
from latebloom.lab.jump.stretch import Source, Stretch
from latebloom.measures import Sharpness
from latebloom.measures.sharpness import largest_eigenvalue, preconditioned
from latebloom.spec import RunSpec


def test_a_preconditioned_quadratic_has_its_largest_ratio() -> None:
    curvature_D, scale_D = torch.tensor([[8.0, 3.0, -2.0], [16.0, 2.0, 0.1]], dtype=torch.float64)
    product = preconditioned(lambda v_D: curvature_D * v_D, scale_D)
    assert largest_eigenvalue(product, 3)[0] == pytest.approx(1.5)  # 3 / 2; without the scale it is 8


@pytest.mark.parametrize(("share", "grows"), [(0.99, False), (1.01, True)])
def test_scaled_descent_is_stable_below_two_over_the_rate_and_not_above(share: float, grows: bool) -> None:
    curvature_D, scale_D = torch.tensor([[5.0, 0.3], [2.0, 0.01]], dtype=torch.float64)
    top, _ = largest_eigenvalue(preconditioned(lambda v_D: curvature_D * v_D, scale_D), 2)
    x_D, rate = torch.ones(2, dtype=torch.float64), share * 2 / top
    for _ in range(400):
        x_D = x_D - rate * curvature_D * x_D / scale_D
    assert (float(x_D.norm()) > 1) == grows


def stretched(root: Any, **changes: Any) -> Stretch:
    spec: RunSpec = tiny(model=MLP, steps=10, batch={"size": None}, **changes)
    run = lab.run(spec, store=root)
    return Stretch(Source.before(run.stored, 10, 0))


@pytest.mark.parametrize(
    ("momentum", "nesterov", "threshold"), [(0.0, False, 2.0), (0.5, False, 3.0), (0.5, True, 1.5)]
)
def test_of_sgd_the_unit_is_that_of_its_momentum(
    memory: Any, momentum: float, nesterov: bool, threshold: float
) -> None:
    """Cohen et al. (2021): 2 / lr, (2 + 2 m) / lr, and by Nesterov (2 + 2 m) / (1 + 2 m) / lr."""
    sgd = {"kind": "sgd", "learning_rate": 0.1, "momentum": momentum, "nesterov": nesterov}
    stretch = stretched(memory, optimizer=sgd)
    top = Sharpness().read(stretch.view)["sharpness/top"]
    assert sharpness(stretch) == pytest.approx(top * 0.1 / threshold, rel=0.01)  # of fewer products
    assert unit(stretch).startswith("that of SGD")


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_of_adam_with_equal_memories_everywhere_it_is_the_sharpness_over_their_root(memory: Any, kind: str) -> None:
    stretch = stretched(memory, optimizer={"kind": kind, "learning_rate": 0.01, "eps": 1e-8})
    for tensor in stretch.state.optimizer["mean_square"].values():
        tensor.fill_(0.04 * (1 - 0.98**10))
    top = Sharpness().read(stretch.view)["sharpness/top"]
    expected = top / (0.2 * (1 - 0.9**10)) * 0.01 / 38
    assert sharpness(stretch) == pytest.approx(expected, rel=0.01)
    assert "38 / learning rate" in unit(stretch)


def test_of_muon_no_threshold_is_known(memory: Any) -> None:
    stretch = stretched(memory, optimizer={"kind": "muon", "learning_rate": 0.02})
    assert math.isnan(sharpness(stretch)) and "no threshold" in unit(stretch)
