"""Numbers that wait on their device: held without a transfer, read together later."""

from __future__ import annotations

import sys
from typing import Any


def hold(value: Any) -> Any:
    """A number, or a copy of a tensor with one element, where it is; None if it is neither."""
    torch = sys.modules.get("torch")
    try:
        if torch is not None and isinstance(value, torch.Tensor):
            if value.numel() == 1 and not value.is_complex():
                return value.detach().clone()  # it may be changed in place before it is read
        elif not isinstance(value, (str, bytes)):
            return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        pass
    return None


def release(rows: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Rows of what was held as numbers: one transfer from each device, however many tensors there are."""
    places: dict[Any, list[tuple[int, str]]] = {}
    for number, row in enumerate(rows):
        for name, value in row.items():
            if not isinstance(value, float):
                places.setdefault(value.device, []).append((number, name))
    found = [dict(row) for row in rows]
    if places:
        import torch

        for device, here in places.items():
            exact = torch.float32 if device.type == "mps" else torch.float64
            together = torch.stack([rows[number][name].reshape(()).to(exact) for number, name in here])
            for (number, name), value in zip(here, together.tolist(), strict=True):
                found[number][name] = value
    return found
