"""Changes to the objective, the gradients or the weights of a step, each with `(init, update)` and a value as state."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ..base.component import spelt_out, table
from .attached import Attached
from .decay import DecaySchedule, DecayToInit
from .gradient_clip import GradientClip
from .gradient_noise import GradientNoise
from .grokfast import GrokfastEma, GrokfastMa
from .l1 import L1
from .ortho_grad import OrthoGrad
from .rule import PLACES, Intervention
from .weight_norm import NormClamp, NormRescale

AnyIntervention = Annotated[
    GrokfastEma
    | GrokfastMa
    | L1
    | OrthoGrad
    | GradientNoise
    | GradientClip
    | NormRescale
    | NormClamp
    | DecayToInit
    | DecaySchedule,
    Field(discriminator="kind"),
]
INTERVENTIONS = table(AnyIntervention)


Interventions = Annotated[tuple[AnyIntervention, ...], BeforeValidator(spelt_out)]
"""A list in which a word stands for the intervention of that kind with its defaults: `[grokfast_ema]`."""

__all__ = [
    "INTERVENTIONS",
    "L1",
    "PLACES",
    "Attached",
    "DecaySchedule",
    "DecayToInit",
    "GradientClip",
    "GradientNoise",
    "GrokfastEma",
    "GrokfastMa",
    "Intervention",
    "Interventions",
    "NormClamp",
    "NormRescale",
    "OrthoGrad",
]
