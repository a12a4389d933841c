"""Several rules at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ...base.component import Component, spelt_out
from ..replay import Readings, State
from .collapsed import Collapsed
from .degraded import OnDegradation
from .generalized import AfterGeneralization
from .patient import Patient

Single = Annotated[AfterGeneralization | OnDegradation | Patient | Collapsed, Field(discriminator="kind")]


class AnyOf(Component):
    """Stop as soon as one of several rules says so; of several at the same evaluation the first counts."""

    kind: Literal["any_of"] = "any_of"
    rules: Annotated[tuple[Single, ...], BeforeValidator(spelt_out)] = Field(
        (AfterGeneralization(), OnDegradation(), Patient(), Collapsed()), min_length=1
    )
    """The rules; a word stands for one with its defaults, e.g. [patient, collapsed]."""

    def init(self) -> State:
        """Each rule's own, by place and kind, e.g. `0.patient`."""
        return {f"{place}.{rule.kind}": rule.init() for place, rule in enumerate(self.rules)}

    def update(self, state: State, step: int, readings: Readings) -> tuple[State, str | None]:
        """The state after one evaluation, and the reason to stop, if there is one."""
        new, reasons = dict[str, State](), list[str]()
        for rule, (name, one) in zip(self.rules, state.items(), strict=True):
            new[name], reason = rule.update(one, step, readings)
            reasons += [reason] if reason else []
        return new, reasons[0] if reasons else None
