"""Codes whose heights are known, and the heights of any code by the definition of their formula, in fractions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np

PHI = (1 + 5**0.5) / 2
INF = math.inf


def axes(points):
    """A generator whose columns are the points of a solid, one of each opposite pair."""
    return np.array(points, dtype=np.float64).T


def polygon(n):
    """[n, n - 2]: every codeword is orthogonal to the cosines and the sines of n directions, evenly spread."""
    angles = np.pi * np.arange(n) / n
    return np.linalg.svd(np.stack([np.cos(angles), np.sin(angles)]))[2][2:]


def icosahedron():
    return axes([p for s in (PHI, -PHI) for p in ((0, 1, s), (1, s, 0), (s, 0, 1))])


def dodecahedron():
    corners = [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)]
    return axes(corners + [p for s in (PHI, -PHI) for p in ((0, 1 / PHI, s), (1 / PHI, s, 0), (s, 0, 1 / PHI))])


CUBE = [[1, 1, 1, -1], [1, 1, -1, 1], [1, -1, 1, 1]]

PUBLISHED = (  # whole P, and h_1, h_2, ... h_(n-k)
    (
        [[17, -36, 67, -32, 46], [-39, -21, 62, 12, -44], [100, -30, 42, -70, 52], [-1, 12, -48, -33, 96]],
        # 77.65162613536482 is a label of somebody else's public data set
        [23.8436067, 77.65162613536482, 185.4, 549.357265, 15214],
    ),
    (
        [[-10, 6, -29, -24, 9], [3, 9, 8, -14, -30], [-1, -10, 23, 20, 3], [21, 12, 8, 1, -16]],
        [8.8557365, 31.010101, 84.7843137, 354.787234, 3227],
    ),
    ([[0, 1], [1, 1]], [2, INF]),
    ([[1], [2], [3]], [6]),
    ([[0, 0], [1, 2]], [INF, INF]),
    ([[2, 4]], [2, 4]),
)


def by_fractions(G):
    """h_0 ... h_(n-1) of whole numbers or fractions: every Y, every a and every S, with nothing shared or rounded."""
    k, n = len(G), len(G[0])
    size = {S: abs(determinant([[row[j] for j in S] for row in G])) for S in itertools.combinations(range(n), k)}
    heights = [Fraction(1)]
    for m in range(1, n):
        worst = Fraction(0)
        for Y in itertools.combinations(range(n), n - m):
            for a in set(range(n)) - set(Y):
                least = INF
                for S in itertools.combinations(Y, k):
                    if size[S]:
                        others = [tuple(sorted({*S, a} - {s})) for s in S]
                        least = min(least, sum(size[one] for one in others) / size[S])
                worst = max(worst, least)
        heights.append(worst)
    return heights


def determinant(rows):
    if not rows:
        return Fraction(1)
    first, *rest = rows
    return sum(
        (-1) ** j * Fraction(entry) * determinant([row[:j] + row[j + 1 :] for row in rest])
        for j, entry in enumerate(first)
    )


def whole(chance, n, k, bound, count=None):
    shape = (k, n - k) if count is None else (count, k, n - k)
    return chance.integers(-bound, bound + 1, shape)


def generator(P):
    P = np.asarray(P)
    return np.concatenate(
        [np.broadcast_to(np.eye(P.shape[-2], dtype=P.dtype), (*P.shape[:-1], P.shape[-2])), P], axis=-1
    )
