"""Random linear codes [I | P] with all their m-heights, every one a function of (seed, split, n, k, its number).

Matrices come in blocks of 4,096 with a stream each, and a matrix that is refused is replaced by the one of the same
number in the next round. So neither the count, nor the order, nor what else is drawn moves any of them. Entries are
drawn as float32 or int8 first and labelled as they are then: rounding after labelling would make the labels wrong.

Suffixes: N matrices, k rows, r = n - k columns, m heights h_0 ... h_(n-k).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.component import did_you_mean
from ...base.errors import SpecError
from ...base.seeds import stream
from .heights import heights
from .plan import affordable

Floats = NDArray[np.float64]
Entries = NDArray[np.float32] | NDArray[np.int8]

GROUPS = tuple((n, k, m) for n in (9, 10) for k in (4, 5, 6) for m in range(2, n - k + 1))
"""The 21 groups (n, k, m) of the public m-height project."""

BLOCK = 4096
MOST_ROUNDS = 200

Shape = tuple[int, int, int]
DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, float, Shape], Entries]] = {
    "uniform": lambda chance, bound, shape: chance.uniform(-bound, bound, shape).astype(np.float32),
    "integer": lambda chance, bound, shape: chance.integers(-int(bound), int(bound) + 1, shape, dtype=np.int8),
    "scaled": lambda chance, bound, shape: (
        chance.uniform(0, bound, (shape[0], 1, 1)) * chance.uniform(-1, 1, shape)
    ).astype(np.float32),
    "gaussian": lambda chance, bound, shape: (bound / 3**0.5 * chance.standard_normal(shape)).astype(np.float32),
}
"""How entries are drawn: reals or whole numbers in -bound ... bound; the same with a bound of its own, uniform in
0 ... bound, for each matrix; normal numbers with the standard deviation of the uniform ones."""


class Codes(NamedTuple):
    """Labelled matrices."""

    matrices_Nkr: Entries
    heights_Nm: Floats  # h_m in column m, 0 ... n - k
    rejected: int  # drawn and replaced, for a height that was infinite


def groups_named(text: str) -> tuple[tuple[int, int, int], ...]:
    """Groups as a command line says them: `all`, or triples n,k,m between blanks; n,k is every m from 2 to n - k.

    Raises:
        SpecError: A word is no group of a code.

    Example:
        >>> groups_named("9,6 10,4,3")
        ((9, 6, 2), (9, 6, 3), (10, 4, 3))
    """
    if text.strip() == "all":
        return GROUPS
    found: list[tuple[int, int, int]] = []
    for word in text.replace(";", " ").split():
        match [int(part) for part in word.split(",") if part.isdecimal()]:
            case [n, k] if word.count(",") == 1 and k >= 1 and n - k >= 2:
                found += [(n, k, m) for m in range(2, n - k + 1)]
            case [n, k, m] if word.count(",") == 2 and k >= 1 and 1 <= m <= n - k:
                found.append((n, k, m))
            case _:
                raise SpecError(f"group {word!r}; expected n,k,m with 1 <= m <= n - k, e.g. 9,4,2, or n,k for all m")
    if not found:
        raise SpecError("no group is named; expected all, or n,k,m, e.g. 9,4,2")
    return tuple(dict.fromkeys(found))


def draw(
    seed: int,
    split: str,
    n: int,
    k: int,
    count: int,
    *,
    m: int | None = None,
    distribution: str = "uniform",
    bound: float = 100,
    infinite: Literal["reject", "keep"] = "reject",
) -> Codes:
    """The first `count` codes of a split.

    Args:
        seed: Any integer.
        split: `train`, `validation`, `test`, or anything else: each name has streams of its own, e.g. `online/7`.
        n: Columns of [I | P].
        k: Rows.
        count: How many.
        m: None: each matrix is for all m. A number: matrices for this m alone, from streams of their own.
        distribution: A name in `DISTRIBUTIONS`.
        bound: Largest magnitude of an entry; of whole numbers at most 127.
        infinite: Replace matrices whose h_m (without m: any of them up to m = n - k) is infinite, or keep them.

    Raises:
        SpecError: An argument is out of range, or nearly all codes have infinite heights.
        DataError: The code is too large to be enumerated.

    Example:
        >>> codes = draw(1, "train", 4, 2, 5)
        >>> codes.matrices_Nkr.shape, codes.heights_Nm.shape, bool(np.isfinite(codes.heights_Nm).all())
        ((5, 2, 2), (5, 3), True)
    """
    _refuse(n, k, m, distribution, bound, infinite)
    affordable(n, k)
    purpose = f"linear_codes/{split}/{n}/{k}" + ("" if m is None else f"/{m}")
    wanted, blocks = n - k if m is None else m, []
    for block in range(-(-count // BLOCK)):
        size = min(BLOCK, count - block * BLOCK)
        P, found = _labelled(seed, purpose, block, distribution, bound, (n, k), np.arange(size))
        rejected, round_ = 0, 0
        while infinite == "reject" and len(bad := np.flatnonzero(np.isinf(found[:, wanted]))):
            rejected += len(bad)
            if (round_ := round_ + 1) > MOST_ROUNDS:
                raise SpecError(
                    f"{len(bad)} of {size} [{n}, {k}] matrices still have an infinite h_{wanted} after {MOST_ROUNDS} "
                    f"draws; keep infinite heights, or choose entries other than {distribution} within {bound}"
                )
            P[bad], found[bad] = _labelled(seed, f"{purpose}/{round_}", block, distribution, bound, (n, k), bad)
        blocks.append(Codes(P, found, rejected))
    if not blocks:
        blocks = [Codes(*_labelled(seed, purpose, 0, distribution, bound, (n, k), np.arange(0)), 0)]
    return Codes(
        np.concatenate([one.matrices_Nkr for one in blocks]),
        np.concatenate([one.heights_Nm for one in blocks]),
        sum(one.rejected for one in blocks),
    )


def _labelled(
    seed: int,
    purpose: str,
    block: int,
    distribution: str,
    bound: float,
    code: tuple[int, int],
    numbers: NDArray[np.intp],
) -> tuple[Entries, Floats]:
    n, k = code
    P = DISTRIBUTIONS[distribution](stream(seed, purpose, block), bound, (BLOCK, k, n - k))[numbers]
    return P, heights(P.astype(np.float64))[:, : n - k + 1]


def _refuse(n: int, k: int, m: int | None, distribution: str, bound: float, infinite: str) -> None:
    """Refuse what cannot be drawn.

    Raises:
        SpecError: With all problems.
    """
    problems = []
    if not 1 <= k < n:
        problems.append(f"k = {k} of n = {n}; expected 1 to {n - 1}")
    elif m is not None and not 1 <= m <= n - k:
        problems.append(f"m = {m} of [{n}, {k}]; expected 1 to {n - k}: beyond, every height is infinite")
    if distribution not in DISTRIBUTIONS:
        problems.append(f"distribution = {distribution!r} is unknown.{did_you_mean(distribution, DISTRIBUTIONS)}")
    most = 127.0 if distribution == "integer" else 1e6
    if not 0 < bound <= most or (distribution == "integer" and bound != int(bound)):
        whole = "a whole number from 1 to 127" if distribution == "integer" else f"a number above 0, at most {most:g}"
        problems.append(f"bound = {bound}; expected {whole}")
    if infinite not in ("reject", "keep"):
        problems.append(f"infinite = {infinite!r}; expected reject or keep")
    if problems:
        raise SpecError(problems)
