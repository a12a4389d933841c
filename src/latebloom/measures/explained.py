"""How much of the variance of numbers is explained, part by part: what stands for accuracy where no class is asked for.

Suffixes: M examples of a part.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def explained(labels: Mapping[str, Tensor], squared_errors: Mapping[str, float]) -> dict[str, float]:
    """1 - squared error / variance of the labels, of each part whose labels are not all equal.

    Args:
        labels: (M,) numbers by part.
        squared_errors: Their sum over the same examples, by part.

    Example:
        >>> from torch import tensor
        >>> explained({"a": tensor([1.0, 2.0, 3.0])}, {"a": 1.0})  # 1 - 1 / ((-1)^2 + 0^2 + 1^2)
        {'a': 0.5}
    """
    spread = {name: float(labels_M.double().var(correction=0)) * len(labels_M) for name, labels_M in labels.items()}
    return {name: 1 - error / spread[name] for name, error in squared_errors.items() if spread[name] > 0}
