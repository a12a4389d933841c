"""Neural collapse: training examples of a class fall onto their mean, and the means onto the corners of a simplex.

Of what the last linear layer gets, mu_c is the mean of class c, mu the mean of the C means, m_c = mu_c - mu; w_c is row
c of that layer's weights:

    nc1          trace(S_W pinv(S_B)) / C,  S_W the mean over examples of (h - mu_c) (h - mu_c)', S_B that of m_c m_c'
    nc2_norms    standard deviation of |m_c| / mean of |m_c|
    nc2_angles   mean over pairs of |cos(m_c, m_d) + 1 / (C - 1)|
    nc3          | W / |W| - M / |M| |, rows w_c and m_c, Frobenius norms
    nc4          share of the examples whose nearest class mean is not what the network answers

All are 0 in a collapsed network. Classes count equally, however many examples they have.

Source: Papyan, Han & Donoho (2020), Prevalence of neural collapse during the terminal phase of deep learning training,
PNAS 117(40), arXiv:2008.08186.
"""

from __future__ import annotations

import copy
from typing import Literal

import torch
from torch import Tensor, nn

from ..base.cadence import Cadence
from ..base.component import Component
from .layer_outputs import CHUNK, examples
from .view import View


class NeuralCollapse(Component):
    """`neural_collapse/nc1`, `nc2_norms`, `nc2_angles`, `nc3` and `nc4` of the training examples; smaller is nearer.

    None where labels are numbers, the network ends in no linear layer with an output for each class, or fewer than two
    classes have examples.
    """

    kind: Literal["neural_collapse"] = "neural_collapse"
    cadence: Cadence | None = None
    """When to read; left out: at the run's evaluations."""

    def read(self, view: View) -> dict[str, float]:
        """Five readings without unit, from a copy of the model in float64."""
        if view.labels_N.is_floating_point():
            return {}
        module = copy.deepcopy(view.module).double().eval()
        linears = [part for part in module.modules() if isinstance(part, nn.Linear)]
        seen: list[tuple[nn.Linear, Tensor]] = []
        for one in linears:
            one.register_forward_pre_hook(lambda part, inputs: seen.append((part, inputs[0])))
        features, answers, last = list[Tensor](), list[Tensor](), None
        every_M = examples(view, "train")
        with torch.inference_mode():
            for chunk_B in torch.split(every_M, CHUNK):
                seen.clear()
                logits_BV = module(view.inputs_NT[chunk_B])
                if not seen or seen[-1][0].out_features != logits_BV.shape[-1] or seen[-1][1].ndim != 2:
                    return {}
                last, inputs_BD = seen[-1]
                features.append(inputs_BD)
                answers.append(logits_BV.argmax(1))
            assert last is not None
            found = collapse(torch.cat(features), view.labels_N[every_M], last.weight.detach(), torch.cat(answers))
        return {f"neural_collapse/{name}": value for name, value in found.items()}


def collapse(features_MD: Tensor, labels_M: Tensor, weight_CD: Tensor, answers_M: Tensor) -> dict[str, float]:
    """The five numbers of the file's docstring; nothing of fewer than two classes.

    Args:
        features_MD: What the last layer gets.
        labels_M: Classes 0 .. C-1; those without examples are left out of everything.
        weight_CD: The last layer's weights.
        answers_M: What the network answers.
    """
    present_K, places_M = torch.unique(labels_M, return_inverse=True)
    if (classes := len(present_K)) < 2:
        return {}
    h_MD = features_MD.double()
    counts_K = torch.bincount(places_M).double()
    sums_KD = torch.zeros(classes, h_MD.shape[1], dtype=torch.float64).index_add(0, places_M, h_MD)
    mu_KD = sums_KD / counts_K[:, None]
    m_KD = mu_KD - mu_KD.mean(0)
    # Each example counts 1 / (C times the size of its class): classes count equally.
    left_MD = (h_MD - mu_KD[places_M]) / (classes * counts_K[places_M]).sqrt()[:, None]
    within_DD, between_DD = left_MD.T @ left_MD, m_KD.T @ m_KD / classes
    lengths_K = m_KD.norm(dim=1)
    cosines = (m_KD @ m_KD.T) / (lengths_K[:, None] * lengths_K).clamp(min=1e-300)
    pairs = ~torch.eye(classes, dtype=torch.bool)
    w_KD = weight_CD.double()[present_K]
    nearest_M = present_K[torch.cdist(h_MD, mu_KD).argmin(1)]
    return {
        "nc1": float(torch.trace(within_DD @ torch.linalg.pinv(between_DD, hermitian=True)) / classes),
        "nc2_norms": float(lengths_K.std(correction=0) / lengths_K.mean()),
        "nc2_angles": float((cosines[pairs] + 1 / (classes - 1)).abs().mean()),
        "nc3": float((w_KD / w_KD.norm() - m_KD / m_KD.norm()).norm()),
        "nc4": float((nearest_M != answers_M).double().mean()),
    }
