"""Read a training after every update, in any loop: what `analysis.jump` needs to look at a jump.

recorder = Recorder(dict(model.named_parameters()), losses)     # losses() -> one number per training example
recorder.read(0)
for step in range(1, 301):
    ...                                                         # one update
    recorder.read(step, batch_loss, learning_rate)
print(explain(recorder.window()))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...analysis.jump import Window
from ...base.errors import SpecError
from ...measures.loss_gradient import length

MOST_NUMBERS = 100_000_000  # losses of single examples held: 400 MB


class Recorder:
    """Remembers single losses and the lengths of weights and updates.

    Args:
        params: The trained parameters by name, as they are changed in place.
        losses: The losses of all training examples (M,) at the current weights, in eval mode.
        val_losses: The same of all validation examples (V,).
        last: Name of the last layer's weights; if not given, the last parameter with two dimensions or more.
    """

    def __init__(
        self,
        params: Mapping[str, Tensor],
        losses: Callable[[], Tensor],
        val_losses: Callable[[], Tensor] | None = None,
        last: str | None = None,
    ) -> None:
        self.params, self.losses, self.val_losses = params, losses, val_losses
        matrices = [name for name, p in params.items() if p.ndim >= 2]
        self.last = last or (matrices or list(params))[-1]
        self.before: dict[str, Tensor] = {}
        self.rows: list[dict[str, Any]] = []
        self.numbers = 0

    def read(self, step: int, batch_loss: float = float("nan"), rate: float = float("nan")) -> float:
        """Take in the state after an update.

        Args:
            step: Updates done.
            batch_loss: Loss of the update's batch, in training mode, before the update.
            rate: Its learning rate.

        Returns:
            The mean loss of all training examples.

        Raises:
            SpecError: More single losses than are kept.
        """
        now = {name: p.detach().clone() for name, p in self.params.items()}
        with torch.no_grad():
            row: dict[str, Any] = {"losses_SM": _floats(self.losses())}
            if self.val_losses is not None:
                row["val_losses_SV"] = _floats(self.val_losses())
        self.numbers += sum(len(of) for of in row.values())
        if self.numbers > MOST_NUMBERS:
            raise SpecError(
                f"{len(self.rows):,} steps of {len(row['losses_SM']):,} examples are more than {MOST_NUMBERS:,} "
                "numbers. Save checkpoints more often, so that the stretch before the jump is shorter."
            )
        row |= {"steps_S": step, "batch_S": batch_loss, "rate_S": rate}
        row |= {"norm_S": length(now.values()), "last_norm_S": length([now[self.last]])}
        row["update_S"] = row["last_update_S"] = float("nan")
        if self.before:
            moved = {name: p - self.before[name] for name, p in now.items()}
            row["update_S"] = length(moved.values()) / max(length(self.before.values()), 1e-300)
            row["last_update_S"] = length([moved[self.last]]) / max(length([self.before[self.last]]), 1e-300)
        self.before = now
        self.rows.append(row)
        return float(row["losses_SM"].mean(dtype=np.float64))

    def window(self, reading: str = "train/loss", *, batches_per_pass: int = 1, **given: Any) -> Window:
        """All that was read, with what else is known; see the fields of `Window`.

        Unless `recorded_S` is given, the reading is the mean loss of all training examples.
        """
        columns = {name: np.stack([row[name] for row in self.rows]) for name in self.rows[0]}
        columns["recorded_S"] = columns["losses_SM"].mean(1, dtype=np.float64)
        return Window(reading=reading, batches_per_pass=batches_per_pass, **{**columns, **given})


def _floats(losses: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return losses.detach().float().numpy().copy()
