"""The weights of another run, where a run starts from them instead of from its seed's."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from ..base.component import Component


class InitialWeights(Component):
    """A checkpoint of another run of the same store. The text RUN@STEP stands for it, RUN alone for the last one.

    Only the weights are taken: no optimizer memories, no count of steps.
    """

    run: str
    """Id, name or part of an id; the id is written in when the run starts."""
    step: int | str | None = Field(None, json_schema_extra={"unit": "steps"})
    """Its step, or why it was kept, e.g. `best:val/loss`, of several the last; null for the last checkpoint."""
    sha256: str | None = None
    """Of the weights, written in when the run starts. Other weights than these are refused."""

    @model_validator(mode="before")
    @classmethod
    def _spelt_out(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        run, at, step = given.rpartition("@")
        return {"run": run, "step": int(step) if step.isdecimal() else step} if at else {"run": given}
