"""An intervention in somebody else's training loop: three lines, any model, any optimizer.

    grokfast = Attached(GrokfastEma(), model)      # once
    loss.backward()
    grokfast.step()                                # before optimizer.step()
    optimizer.step()

An intervention that acts on weights (norm_rescale, norm_clamp) steps after optimizer.step() instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..base.errors import DataError, DivergedError
from .rule import Intervention


class Attached:
    """One intervention, the parameters it acts on, and its state.

    Args:
        rule: The intervention.
        module: The model, or named parameters; those with requires_grad are taken.
        seed: For interventions that draw numbers.
    """

    def __init__(self, rule: Intervention, module: nn.Module | Iterable[tuple[str, Tensor]], seed: int = 0) -> None:
        named = module.named_parameters() if isinstance(module, nn.Module) else module
        self.rule = rule
        self.params = {name: p for name, p in named if p.requires_grad}
        self.steps = 0
        with torch.no_grad():
            self.state = rule.init(self.params, seed)

    def step(self, lr: float | None = None, *, skip_nonfinite: bool = False) -> bool:
        """Act once per optimizer step, however many backward passes have added up in `.grad`.

        Args:
            lr: The learning rate in force; only decays need it.
            skip_nonfinite: Do nothing when a gradient is infinite or NaN, as a GradScaler skips its step then. Call
                `scaler.unscale_(optimizer)` first: a filter that remembers gradients must see them unscaled.

        Returns:
            Whether it acted.

        Raises:
            DataError: No gradient where one is needed, a sparse one, or a decay without `lr`.
            DivergedError: A gradient is not finite, unless such steps are skipped; the state is as before.
        """
        grads = {name: p.grad for name, p in self.params.items() if p.grad is not None}
        if not grads and self.rule.acts != "weights":
            raise DataError(f"{self.rule.kind} found no gradient; call loss.backward() first")
        if lr is None and self.rule.acts == "decay":
            raise DataError(f"{self.rule.kind} needs the learning rate in force: step(lr=...)")
        if sparse := [name for name, grad in grads.items() if grad.layout != torch.strided]:
            raise DataError(
                f"{self.rule.kind} cannot read the sparse gradient of {sparse[0]}; build it with sparse=False"
            )
        bad = [name for name, grad in grads.items() if not bool(grad.isfinite().all())]
        if bad and skip_nonfinite:
            return False
        if bad:
            raise DivergedError(
                f"the gradient is not finite in {', '.join(bad)}; {self.rule.kind} keeps its state. "
                "With a GradScaler, which skips such steps, call step(skip_nonfinite=True)."
            )
        self.steps += 1
        with torch.no_grad():
            self.rule.update(self.params, grads, self.state, lr or 0.0, self.steps)
        return True

    def state_dict(self) -> dict[str, Any]:
        """Everything it remembers, for `torch.save`: `slot/parameter` to tensor, and `steps`."""
        tensors = {f"{slot}/{name}": t for slot, of in self.state.items() for name, t in of.items()}
        return {"kind": self.rule.kind, "steps": self.steps, **tensors}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            DataError: It belongs to another intervention or model, or a part is missing. Nothing starts fresh.
        """
        mine = self.state_dict()
        problems = [f"{name} is missing" for name in mine if name not in saved]
        problems += [f"{name} is unknown" for name in saved if name not in mine]
        problems += [
            f"{name} has shape {tuple(saved[name].shape)}, expected {tuple(t.shape)}"
            for name, t in mine.items()
            if isinstance(t, Tensor) and name in saved and saved[name].shape != t.shape
        ]
        if saved.get("kind", self.rule.kind) != self.rule.kind:
            problems = [f"it is the state of {saved['kind']}"]
        if problems:
            raise DataError(f"this is no state of {self.rule.kind} here: {'; '.join(problems)}")
        for slot, tensors in self.state.items():
            for name, tensor in tensors.items():
                tensor.copy_(saved[f"{slot}/{name}"])
        self.steps = int(saved["steps"])
