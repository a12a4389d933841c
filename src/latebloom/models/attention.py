"""Attention of each row to a handful of named rows: gather, weigh, sum; with its gradient written out.

    weights_RSH = softmax over S of <q_R, k_[attends_to_RS]> / sqrt(E)
    out_R       = sum over S of weights_RS * v_[attends_to_RS]

For a few positions S this is faster on a CPU as multiply-and-sum than as batched matrix products, and one written
gradient saves the intermediate tensors that autograd would keep.

Suffixes: R query rows, S rows attended to, M rows that have keys and values, H heads, E width of one head.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class _Attend(Function):
    @staticmethod
    def forward(ctx: Any, q_RD: Tensor, k_MD: Tensor, v_MD: Tensor, attends_to_RS: Tensor, heads: int) -> Tensor:
        (r, s), d = attends_to_RS.shape, q_RD.shape[1]
        index = attends_to_RS.reshape(-1)
        q = q_RD.reshape(r, 1, heads, d // heads)
        k_RSHE = k_MD.index_select(0, index).view(r, s, heads, d // heads)
        v_RSHE = v_MD.index_select(0, index).view(r, s, heads, d // heads)
        weights_RSH = (q * k_RSHE).sum(-1).mul_((d // heads) ** -0.5).softmax(1)
        ctx.save_for_backward(q, k_RSHE, v_RSHE, weights_RSH, index)
        ctx.rows = k_MD.shape[0]
        return (weights_RSH.unsqueeze(-1) * v_RSHE).sum(1).view(r, d)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_RD: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        q, k_RSHE, v_RSHE, weights_RSH, index = ctx.saved_tensors
        r, s, h, e = k_RSHE.shape
        grad = grad_RD.reshape(r, 1, h, e)
        grad_weights = (grad * v_RSHE).sum(-1)
        # d softmax, then the 1 / sqrt(E) of the scores
        grad_scores = grad_weights.sub_((grad_weights * weights_RSH).sum(1, keepdim=True)).mul_(weights_RSH)
        grad_scores = grad_scores.mul_(e**-0.5).unsqueeze(-1)
        grad_q = (grad_scores * k_RSHE).sum(1).view(r, h * e)
        grad_k = grad_q.new_zeros(ctx.rows, h * e).index_add_(0, index, (grad_scores * q).view(r * s, h * e))
        grad_v_RSHE = weights_RSH.unsqueeze(-1) * grad
        grad_v = grad_q.new_zeros(ctx.rows, h * e).index_add_(0, index, grad_v_RSHE.view(r * s, h * e))
        return grad_q, grad_k, grad_v, None, None


def attend(q_RD: Tensor, k_MD: Tensor, v_MD: Tensor, attends_to_RS: Tensor, heads: int) -> Tensor:
    """Multi-head attention of R rows to S rows each.

    Args:
        q_RD: Queries, (R, D).
        k_MD: Keys, (M, D).
        v_MD: Values, (M, D).
        attends_to_RS: For each query the rows of `k_MD` and `v_MD` it attends to, (R, S) int64.
        heads: Number of heads; divides D.

    Returns:
        (R, D) weighted values. Second derivatives are refused: take them through the model's `forward`.
    """
    if attends_to_RS.shape[1] == 1:  # all weight on the only row
        return v_MD.index_select(0, attends_to_RS[:, 0])
    out: Tensor = _Attend.apply(q_RD, k_MD, v_MD, attends_to_RS, heads)  # type: ignore[no-untyped-call]
    return out
