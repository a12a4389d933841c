"""When a run may end before its last step.

Rules that stop runs for *not* improving (median rules, successive halving, patience counted in evaluations) have no
place here: they stop exactly the late bloomers.

Every rule is `(init, update)`: outside our engine three lines are enough.

    state, why = rule.init(), None
    ...
    state, why = rule.update(state, step, {"train/accuracy": ..., "val/accuracy": ...})     # at every evaluation
    if why: break
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .any_of import AnyOf
from .collapsed import Collapsed
from .degraded import OnDegradation
from .generalized import AfterGeneralization
from .never import Never
from .patient import Patient

StoppingRule = Annotated[
    Never | AfterGeneralization | OnDegradation | Patient | Collapsed | AnyOf, Field(discriminator="kind")
]

__all__ = ["AfterGeneralization", "AnyOf", "Collapsed", "Never", "OnDegradation", "Patient", "StoppingRule"]
