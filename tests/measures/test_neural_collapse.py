"""Neural collapse of features whose collapse is known because it is built in."""

from __future__ import annotations

import math

import pytest
import torch

from engine.tiny import MLP, begin, tiny
from latebloom.engine.loop import Look
from latebloom.measures import NeuralCollapse
from latebloom.measures.neural_collapse import collapse

G = torch.Generator().manual_seed(0)


def normal(*shape):
    return torch.randn(*shape, generator=G, dtype=torch.float64)


def simplex(classes):
    """Corners of length 1 of a regular simplex around 0, in `classes` dimensions."""
    corners = torch.eye(classes, dtype=torch.float64) - 1 / classes
    return corners / corners.norm(dim=1, keepdim=True)


def cloud(classes, spread, each=None):
    """Around each corner pairs of points at +-spread along every axis: mean and covariance are exact."""
    axes = spread * math.sqrt(classes) * torch.eye(classes, dtype=torch.float64)
    around = torch.cat([axes, -axes])
    each = each or [1] * classes
    parts = [(corner + around).repeat(n, 1) for corner, n in zip(simplex(classes), each, strict=True)]
    labels = torch.cat([torch.full((len(part),), c) for c, part in enumerate(parts)])
    return torch.cat(parts) + normal(classes), labels


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_a_collapsed_network_has_zeros(classes):
    features, labels = cloud(classes, 0.0)
    found = collapse(features, labels, 7.0 * simplex(classes), labels)
    assert found == pytest.approx(dict.fromkeys(("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4"), 0.0), abs=1e-9)


@pytest.mark.parametrize("spread", [0.01, 0.3])
@pytest.mark.parametrize("classes", [2, 5])
def test_nc1_of_a_round_cloud_around_a_simplex_is_its_closed_form(classes, spread):
    """S_W = spread^2 I and S_B = P / (C - 1), P a projection onto C - 1 dimensions: nc1 = spread^2 (C - 1)^2 / C."""
    features, labels = cloud(classes, spread)
    assert collapse(features, labels, simplex(classes), labels)["nc1"] == pytest.approx(
        spread**2 * (classes - 1) ** 2 / classes
    )


def test_classes_count_equally_however_many_examples_they_have():
    weight = simplex(3)
    few, many = (collapse(*cloud(3, 0.1, each), weight, cloud(3, 0.1, each)[1]) for each in ([1, 1, 1], [1, 5, 20]))
    assert few == pytest.approx(many, abs=1e-9)


def test_orthogonal_means_lack_the_angle_of_the_simplex_and_longer_ones_its_equal_lengths():
    labels = torch.arange(4)
    means = torch.cat([torch.eye(4), -torch.eye(4)]).double()  # around 0: cosines 0 and -1
    found = collapse(means, torch.arange(8), means, torch.arange(8))
    assert found["nc2_angles"] == pytest.approx((6 * (1 / 7) + 1 * (6 / 7)) / 7)
    assert found["nc2_norms"] == pytest.approx(0)
    line = torch.tensor([[-3.0], [-1.0], [1.0], [3.0]])
    assert collapse(line, labels, line, labels)["nc2_norms"] == pytest.approx(0.5)


def test_weights_across_the_means_are_as_far_as_unit_vectors_at_right_angles():
    features, labels = cloud(2, 0.0)
    across = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    assert collapse(features, labels, across, labels)["nc3"] == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("wrong", [0, 3, 20])
def test_nc4_is_the_share_that_the_nearest_mean_would_answer_otherwise(wrong):
    features, labels = cloud(5, 0.01)
    answers = labels.clone()
    answers[:wrong] = (answers[:wrong] + 1) % 5
    assert collapse(features, labels, simplex(5), answers)["nc4"] == wrong / len(labels)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_neither_unit_rotation_nor_shift_of_the_features_matters(scale):
    features, labels, weight = normal(60, 6), torch.arange(60) % 4, normal(4, 6)
    rotation = torch.linalg.qr(normal(6, 6))[0]
    turned = collapse(scale * features @ rotation + 5, labels, weight @ rotation, labels)
    assert turned == pytest.approx(collapse(features, labels, weight, labels), rel=1e-6)


@pytest.mark.parametrize("model", [{}, {"model": MLP}])
def test_a_run_reads_it_at_the_input_of_its_last_layer(model):
    spec = tiny(**model)
    split, state = spec.task.split(spec.seed), begin(spec)
    view = Look(spec, split, state).view
    found = NeuralCollapse().read(view)
    assert set(found) == {f"neural_collapse/{name}" for name in ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4")}
    assert found["neural_collapse/nc1"] > 0.1 and found["neural_collapse/nc4"] > 0  # nothing has been learned


def test_one_class_alone_has_none():
    assert collapse(normal(5, 3), torch.zeros(5, dtype=torch.int64), normal(2, 3), torch.zeros(5)) == {}
