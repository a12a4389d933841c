"""Prefix sharing: in a causal transformer, sequences that begin alike are computed alike, so compute them once.

The activations at position t depend on tokens 0..t only. A batch of 512 examples `a / b =` holds at most
97 different prefixes `a` and `a /`; only `a / b` and `a / b =` differ from example to example. A `Trie` knows
every distinct prefix of a set of sequences; `Trie.rows` says, for one batch, which rows have to be computed at
each position and which earlier rows each of them attends to.

Suffixes: N sequences of the trie, T positions, B sequences of the batch, U distinct prefixes of one length,
W distinct tokens at one position, R rows computed (at one position, or at all).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Rows(NamedTuple):
    """What a model has to compute for one batch. Rows of all positions lie below each other, position by position.

    The first block reads tokens (alike at one position means alike altogether), later blocks read rows.
    """

    tokens: list[Tensor]  # [t] (W,) the distinct tokens that occur at position t
    token_of_row_R: Tensor  # (R,) index into tokens[0], tokens[1], ... below each other
    attends_to_tokens: list[Tensor]  # [t] (R_t, t + 1) the same index, of every token up to t
    attends_to_rows: list[Tensor]  # [t] (R_t, t + 1) the row of every position up to t, itself last
    answer_B: Tensor  # (B,) which row of the last position answers each example


class Trie:
    """All distinct prefixes of a set of token sequences.

    Args:
        inputs_NT: Token ids, (N, T) int64. Sequences may repeat.

    Example:
        >>> trie = Trie(torch.tensor([[1, 9, 3], [1, 9, 4], [2, 9, 3]]))
        >>> [len(t) for t in trie.tokens_of_prefix]      # 1, 2 | 1 9, 2 9 | all three
        [2, 2, 3]
    """

    def __init__(self, inputs_NT: Tensor) -> None:
        n, self.length = inputs_NT.shape
        self.tokens: list[Tensor] = []  # [t] (W,)
        self.tokens_of_prefix: list[Tensor] = []  # [t] (U,) index into tokens[t]
        self.prefix_of: list[Tensor] = []  # [t] (N,) which distinct prefix of length t + 1 a sequence begins with
        self.ancestors: list[Tensor] = []  # [t] (U, t + 1) a prefix's own prefixes, itself last
        prefix_N = torch.zeros(n, dtype=torch.int64)
        for t in range(self.length):
            tokens, token_N = torch.unique(inputs_NT[:, t], return_inverse=True)
            key_N = prefix_N * len(tokens) + token_N
            keys, prefix_N = torch.unique(key_N, return_inverse=True)
            first_U = torch.empty(len(keys), dtype=torch.int64).scatter_(0, prefix_N.flip(0), torch.arange(n).flip(0))
            self.tokens.append(tokens)
            self.tokens_of_prefix.append(token_N[first_U])
            self.prefix_of.append(prefix_N)
            self.ancestors.append(torch.stack([earlier[first_U] for earlier in self.prefix_of], 1))

    def rows(self, batch_B: Tensor, *, fixed_shapes: bool = False) -> Rows:
        """The rows that a batch needs: every different prefix of its sequences once, and no other.

        Args:
            batch_B: Indices of the batch's sequences, (B,) int64.
            fixed_shapes: For a compiled model, which would be compiled anew for every number of rows: as many rows at
                every step, namely all of the trie's prefixes where there are no more than B, else one per sequence.
        """
        prefix_of = [p[batch_B] for p in self.prefix_of]
        tokens, token_of_row, attends_to_rows, row_of_prefix = [], [], [], list[Tensor]()
        start, token_start = 0, 0
        for t, token_U in enumerate(self.tokens_of_prefix):
            if fixed_shapes:
                kept_R, row_U = _as_many(prefix_of[t], len(token_U))
                tokens_W, token_R = self.tokens[t], token_U[kept_R]
            else:
                kept_R, row_U = _distinct(prefix_of[t], len(token_U))
                present_W, place = _distinct(token_U[kept_R], len(self.tokens[t]))
                tokens_W, token_R = self.tokens[t][present_W], place[token_U[kept_R]]
            row_of_prefix.append(row_U + start)
            earlier = self.ancestors[t][kept_R]
            attends_to_rows.append(torch.stack([row_of_prefix[s][earlier[:, s]] for s in range(t + 1)], 1))
            tokens.append(tokens_W)
            token_of_row.append(token_R + token_start)
            start, token_start = start + len(kept_R), token_start + len(tokens_W)
        token_of_row_R = torch.cat(token_of_row)
        attends_to_tokens = [token_of_row_R[rows] for rows in attends_to_rows]
        answer_B = row_U[prefix_of[-1]]
        return Rows(tokens, token_of_row_R, attends_to_tokens, attends_to_rows, answer_B)


def _distinct(index_B: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The different values of an index below `count`, ascending, and for each value its place among them."""
    occurs = torch.zeros(count, dtype=torch.bool)
    occurs[index_B] = True
    return occurs.nonzero().squeeze(1), occurs.cumsum(0) - 1


def _as_many(index_B: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The same with a number of values that depends on B and `count` alone; of equal ones the first answers for all."""
    if count <= len(index_B):
        return torch.arange(count), torch.arange(count)
    places = torch.arange(len(index_B))
    return index_B, torch.zeros(count, dtype=torch.int64).scatter_reduce_(
        0, index_B, places, "amin", include_self=False
    )
