"""Prefix sharing: in a causal transformer, sequences that begin alike are computed alike, so compute them once.

The activations at position t depend on tokens 0..t only. A batch of 512 examples `a / b =` holds at most
97 different prefixes `a` and `a /`; only `a / b` and `a / b =` differ from example to example. A `Trie` knows
every distinct prefix of a set of sequences; `Trie.rows` says, for one batch, which rows have to be computed at
each position and which earlier rows each of them attends to.

Suffixes: N sequences of the trie, T positions, B sequences of the batch, U distinct prefixes of one length,
W distinct tokens at one position, R rows computed at one position.
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
    answer_B: Tensor | None  # which row of the last position answers each example; None: one each, in order


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

    def rows(self, batch_B: Tensor | None = None, *, share: bool = True) -> Rows:
        """The rows that a batch needs.

        Where the whole trie has no more prefixes than the batch has examples, all of the trie's are computed,
        which keeps shapes the same from step to step; at later positions each example has its own row.

        Args:
            batch_B: Indices of the batch's sequences, (B,) int64; None means all N, in order.
            share: False gives every example its own rows everywhere: the plain transformer.
        """
        size = len(self.prefix_of[0]) if batch_B is None else len(batch_B)
        shared = [share and len(tokens) <= size for tokens in self.tokens_of_prefix]
        prefix_of = [p if batch_B is None else p[batch_B] for p in self.prefix_of]
        token_starts = _starts([len(tokens) for tokens in self.tokens])
        starts = _starts([len(t) if s else size for t, s in zip(self.tokens_of_prefix, shared, strict=True)])
        attends_to_rows, token_of_row = [], []
        each = torch.arange(size)
        for t in range(self.length):
            if shared[t]:  # then every shorter prefix is too: there are never more short prefixes than long ones
                earlier, own = self.ancestors[t], self.tokens_of_prefix[t]
            else:
                earlier = torch.stack([prefix_of[s] if shared[s] else each for s in range(t + 1)], 1)
                own = self.tokens_of_prefix[t][prefix_of[t]]
            attends_to_rows.append(earlier + torch.tensor(starts[: t + 1]))
            token_of_row.append(own + token_starts[t])
        token_of_row_R = torch.cat(token_of_row)
        attends_to_tokens = [token_of_row_R[rows] for rows in attends_to_rows]
        answer_B = prefix_of[-1] if shared[-1] else None
        return Rows(self.tokens, token_of_row_R, attends_to_tokens, attends_to_rows, answer_B)


def _starts(sizes: list[int]) -> list[int]:
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    return starts
