"""Which minors, circuits and subsets the heights of an [n, k] code are made of, as tables of positions.

Subsets of a size are kept in colexicographic order, in which the place of {p_0 < p_1 < ...} is the sum of the
binomials C(p_j, j + 1): no dictionary is needed, and the subsets of a superset follow by two running sums.

Suffixes: S subsets, T circuits, t elements of one subset.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.errors import DataError

Positions = NDArray[np.intp]

MOST_OPERATIONS = 500_000_000  # for one matrix: [22, 11] is inside


class Term(NamedTuple):
    """One term of the expansions of all minors of one size along their last rows."""

    entries: Positions  # of the matrix, row by row
    smaller: Positions  # minors one size smaller


class Plan(NamedTuple):
    """Everything about an [n, k] code that does not depend on the entries of its matrix."""

    n: int
    k: int
    sizes: tuple[tuple[Term, ...], ...]  # sizes[i]: minors of size i + 1; term t has the sign of (-1) ** t
    minors_S: Positions  # which of all minors, counted from the one of size 0, belongs to each k-subset of columns
    circuits_Tt: Positions  # the k + 1 minors of each (k + 1)-subset: without its first element, its second, ...
    rows: Positions  # (column a, k-subset of the others) -> position in circuits_Tt flattened; shape (n, C(n - 1, k))
    levels: tuple[Positions, ...]  # levels[i]: (C(n - 1, k + 1 + i), k + 1) subsets one smaller, of the n - 1 others

    @property
    def minor_count(self) -> int:
        """How many minors of all sizes there are, with the one of size 0."""
        return 1 + sum(len(terms[0].entries) for terms in self.sizes)


def operations(n: int, k: int) -> int:
    """Roughly how many minima, products and sums all heights of one [n, k] code take.

    Example:
        >>> operations(10, 4), operations(30, 15)
        (19100, 128849018880)
    """
    return n * (k + 1) * sum(math.comb(n - 1, t) for t in range(k, n))


def affordable(n: int, k: int) -> None:
    """Refuse codes that are too large.

    Raises:
        DataError: What it would take, and what can be had instead.
    """
    if (cost := operations(n, k)) > MOST_OPERATIONS:
        gigabytes = 3 * 8e-9 * n * max(math.comb(n - 1, t) for t in range(k, n))
        raise DataError(
            f"all heights of an [n, k] = [{n}, {k}] code take about {cost:.0e} operations and {gigabytes:,.0f} GB for "
            f"each matrix; expected at most {MOST_OPERATIONS:.0e} operations. bounds(G, m), or `latebloom mheight "
            f"--bounds`, encloses one height at little cost; heights for m <= 2 can be had from "
            f"analog_codes.programs.reduced_height(G, m)."
        )


@lru_cache(maxsize=16)
def plan_of(n: int, k: int, systematic: bool) -> Plan:
    """The tables of an [n, k] code.

    Args:
        n: Columns of the generator, at least k.
        k: Its rows, at least 1.
        systematic: The matrix is P of [I | P], k x (n - k); otherwise the whole generator, k x n.

    Raises:
        DataError: There are too many.
    """
    affordable(n, k)
    sizes = _of_p(k, n - k) if systematic else _of_g(n, k)
    subsets = _subsets(n, k)
    if systematic:
        minors = _positions_in_p(subsets, n, k)
    else:
        minors = np.arange(len(subsets), dtype=np.intp) + (1 + sum(len(t[0].entries) for t in sizes[:-1]))
    circuits = _without(_subsets(n, k + 1))
    others = _subsets(n - 1, k)
    rows = np.stack([_row(others, a, k) for a in range(n)]) if n > k else np.empty((n, 0))
    levels = tuple(_without(_subsets(n - 1, t))[:, : k + 1] for t in range(k + 1, n))
    return Plan(n, k, sizes, minors, circuits, rows.astype(np.intp), tuple(map(np.ascontiguousarray, levels)))


def _of_g(n: int, k: int) -> tuple[tuple[Term, ...], ...]:
    """Minors of the first i rows, for i = 1 ... k."""
    begin, sizes = 0, []
    for i in range(1, k + 1):
        columns = _subsets(n, i)
        smaller = begin + _without(columns)
        sizes.append(tuple(Term((i - 1) * n + columns[:, t], smaller[:, t]) for t in range(i)))
        begin += math.comb(n, i - 1)
    return tuple(sizes)


def _of_p(k: int, r: int) -> tuple[tuple[Term, ...], ...]:
    """Minors of any i rows and i columns, for i = 1 ... min(k, r)."""
    begin, sizes = 0, []
    for i in range(1, min(k, r) + 1):
        rows, columns = _subsets(k, i), _subsets(r, i)
        above = begin + _place(rows[:, :-1])[:, None] * math.comb(r, i - 1)
        last = rows[:, -1:] * r
        left = _without(columns)
        sizes.append(tuple(Term(_flat(last + columns[:, t]), _flat(above + left[:, t])) for t in range(i)))
        begin += math.comb(k, i - 1) * math.comb(r, i - 1)
    return tuple(sizes)


def _positions_in_p(subsets: Positions, n: int, k: int) -> Positions:
    """The minor of [I | P] on k columns is one of P: of the rows whose unit vector is not among them."""
    r, chosen = n - k, np.zeros((len(subsets), n), dtype=bool)
    np.put_along_axis(chosen, subsets, True, axis=1)
    size_S = chosen[:, k:].sum(axis=1)
    found = np.zeros(len(subsets), dtype=np.intp)
    begin = 0
    for i in range(min(k, r) + 1):
        of_size = size_S == i
        rows = np.nonzero(~chosen[of_size, :k])[1].reshape(of_size.sum(), i)
        columns = np.nonzero(chosen[of_size, k:])[1].reshape(of_size.sum(), i)
        found[of_size] = begin + _place(rows) * math.comb(r, i) + _place(columns)
        begin += math.comb(k, i) * math.comb(r, i)
    return found


def _row(others: Positions, a: int, k: int) -> Positions:
    """Where the circuit of column a and each k-subset of the other columns has the minor without a."""
    subset = others + (others >= a)
    before = (subset < a).sum(axis=1)
    circuit = np.sort(np.column_stack([subset, np.full(len(subset), a)]), axis=1)
    return _flat(_place(circuit) * (k + 1) + before)


def _subsets(n: int, size: int) -> Positions:
    """The subsets of 0 ... n - 1 of a size, each ascending, in colexicographic order."""
    rows = np.array(list(itertools.combinations(range(n), size)), dtype=np.intp).reshape(-1, size)
    return rows[np.lexsort(rows.T)] if size else rows


def _place(subsets: NDArray[np.integer]) -> Positions:
    """The place of each subset among those of its size."""
    size, most = subsets.shape[1], int(subsets.max(initial=0))
    binomials = np.array([[math.comb(p, j + 1) for j in range(size)] for p in range(most + 1)])
    places: Positions = np.sum(binomials[subsets, np.arange(size)], axis=1, dtype=np.intp)
    return places


def _without(subsets: Positions) -> Positions:
    """The place of each subset without its first element, without its second, ..."""
    size = subsets.shape[1]
    left = [_place(np.delete(subsets, t, axis=1)) for t in range(size)]
    return np.stack(left, axis=1) if size else np.empty((len(subsets), 0), dtype=np.intp)


def _flat(positions: NDArray[np.integer]) -> Positions:
    return np.ascontiguousarray(positions.ravel(), dtype=np.intp)
