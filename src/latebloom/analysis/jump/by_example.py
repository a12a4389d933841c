"""The two explanations of a jump that need the losses of single examples: (e) a few of them, (f) the comparison."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .finding import Finding, Outcome
from .window import Floats, Groups, Span, Window

TOP_SHARE = 0.01  # of the examples
GROUP_AT_MOST = 0.25  # share of the examples that still counts as one group among many
REMAINS = 0.5  # share of the rise of the logarithm that must remain without them
TINY = 1e-300


def a_few_examples(window: Window, span: Span) -> Finding:
    """Is the jump gone without the examples, or the group, that rose most?"""
    before_M = window.losses_SM[span.onset].astype(np.float64)
    top_M = window.losses_SM[span.top].astype(np.float64)
    rise_M = top_M - before_M
    whole = _log_rise(before_M, top_M)
    few = max(1, round(TOP_SHARE * len(rise_M)))
    order = np.argsort(rise_M)
    total = float(rise_M.sum())
    carried = float(rise_M[order[-few:]].sum()) / total if total > 0 else 0.0
    remains = _log_rise(before_M[order[:-few]], top_M[order[:-few]]) / whole if whole > 0 else 1.0
    group = _leading_group(window.groups, rise_M, total)
    numbers: dict[str, float | int | str | None] = {"top_examples": few, "top_share_of_rise": carried}
    numbers |= {"examples_that_rose": float((rise_M > 0).mean()), "log_rise_without_top": remains}
    because = (
        f"{few:,} of {len(rise_M):,} examples carry {carried:.0%} of the rise, and without them {remains:.0%} of the "
        f"rise of the logarithm remains; {(rise_M > 0).mean():.0%} of the examples rose"
    )
    alone = remains
    if group is not None:
        name, share, size, members_M = group
        rest = _log_rise(before_M[~members_M], top_M[~members_M]) / whole if whole > 0 else 1.0
        alone = min(alone, rest)
        because += (
            f"; the group that carries most, {name}, {size:.0%} of the examples, has {share:.0%} of the rise, and "
            f"without it {rest:.0%} remains"
        )
        numbers |= {"group": name, "group_share_of_rise": share, "group_share_of_examples": size}
        numbers["log_rise_without_group"] = rest
    verdict: Outcome = "survives" if whole > 0 and alone < REMAINS else "refuted"
    return Finding(
        "e",
        "One group of examples, or a few examples with a heavy tail, carry the jump.",
        f"Without the {TOP_SHARE:.0%} of the examples that rose most, and without the leading group, at least "
        f"{REMAINS:.0%} of the rise of the logarithm remains.",
        verdict,
        because,
        numbers,
    )


def the_comparison(window: Window, span: Span) -> Finding:
    """Does validation move against training only because it is put together differently?"""
    claim = "Training and validation are not the same measure (subsampled, differently balanced, other mode)."
    killed = (
        "The same loss over all validation examples in the same mode, with the groups weighted as in training, moves "
        "as the recorded one does; or the two move together."
    )
    val_S, losses = window.val_S, window.val_losses_SV
    if val_S is None or losses is None:
        return Finding.untested("f", claim, killed, "no validation loss was read")
    recorded = val_S if window.recorded_val_S is None else window.recorded_val_S
    moved = _log_change(recorded, span)
    same = _log_change(val_S, span)
    balanced = {name: _log_change(_balanced(losses, groups), span) for name, groups in window.groups.items()}
    balanced = {name: change for name, change in balanced.items() if math.isfinite(change)}
    others = [same, *balanced.values()]
    apart = moved < 0
    turned = [change for change in others if change >= 0]
    verdict: Outcome = "survives" if apart and turned else "refuted"
    opposite = "against" if apart else "with"
    because = (
        f"from foot to top the recorded validation loss went from {recorded[span.onset]:.4g} to "
        f"{recorded[span.top]:.4g}, {opposite} training; over all examples at the same weights {math.expm1(same):+.1%}"
    )
    if balanced:
        name = max(balanced, key=lambda one: abs(balanced[one] - moved))
        because += f"; weighted as in training by {name} {math.expm1(balanced[name]):+.1%}"
    numbers: dict[str, float | int | str | None] = {
        "recorded_change": math.expm1(moved),
        "all_examples_change": math.expm1(same),
    }
    numbers |= {f"weighted_by_{name}": math.expm1(change) for name, change in balanced.items()}
    return Finding("f", claim, killed, verdict, because, numbers)


def _log_change(values_S: Floats, span: Span) -> float:
    return math.log(max(values_S[span.top], TINY)) - math.log(max(values_S[span.onset], TINY))


def _log_rise(before_M: Floats, top_M: Floats) -> float:
    """Of the mean; 0 if there is nobody left."""
    if not len(before_M):
        return 0.0
    return math.log(max(float(top_M.mean()), TINY)) - math.log(max(float(before_M.mean()), TINY))


def _leading_group(
    groups: dict[str, Groups], rise_M: Floats, total: float
) -> tuple[str, float, float, NDArray[np.bool_]] | None:
    """Of all ways to part the examples the group with the largest share of the rise for its size: name, share, size."""
    found = []
    for kind, parted in groups.items():
        sums = np.bincount(parted.train_M, rise_M, len(parted.names))
        counts = np.bincount(parted.train_M, minlength=len(parted.names))
        sizes = counts / len(rise_M)
        for place in np.flatnonzero((sizes > 0) & (sizes <= GROUP_AT_MOST)):
            share = float(sums[place]) / total if total > 0 else 0.0
            found.append((f"{kind} {parted.names[place]}", share, float(sizes[place]), parted.train_M == place))
    return max(found, key=lambda one: one[1], default=None)


def _balanced(losses_SV: NDArray[Any], groups: Groups) -> Floats:
    """The validation loss with each group weighted as in training; nan where a training group has no validation."""
    count = len(groups.names)
    if len(groups.val_V) != losses_SV.shape[1]:
        return np.full(len(losses_SV), np.nan)
    train = np.bincount(groups.train_M, minlength=count)
    val = np.bincount(groups.val_V, minlength=count)
    if ((train > 0) & (val == 0)).any():
        return np.full(len(losses_SV), np.nan)
    weight_V = (train / np.maximum(val, 1) / train.sum())[groups.val_V]
    balanced_S: Floats = losses_SV.astype(np.float64) @ weight_V
    return balanced_S
