"""The same stretch with one thing changed: what does the jump depend on?"""

from __future__ import annotations

import math
from typing import NamedTuple

from ...analysis.jump import Explanation, Fork
from ...base.errors import DivergedError
from ...engine.batches import BatchStream
from ...spec import RunSpec, plain
from ...spec.codec import build
from .stretch import Source, Stretch

OTHER_ORDERS = 2
AS_LONG = 3  # times the way from the fork to the top: a smaller step needs longer for the same way
AT_LEAST = 50  # further steps


class Variant(NamedTuple):
    """What is changed; `spec` None: it cannot be."""

    changed: str
    spec: RunSpec | None
    order: int = 0  # added to the seed of the batches
    note: str = ""


def variants(spec: RunSpec) -> list[Variant]:
    """One change each."""
    optimizer = spec.optimizer
    found = [Variant("learning rate / 3", _but(spec, {"optimizer": {"learning_rate": optimizer.learning_rate / 3}}))]
    if optimizer.weight_decay:
        found.append(Variant("weight decay 0", _but(spec, {"optimizer": {"weight_decay": 0.0}})))
    else:
        found.append(Variant("weight decay 0", None, note="it is 0 already"))
    if optimizer.kind in ("adam", "adamw"):
        eps = 1000 * optimizer.eps
        found.append(Variant(f"Adam eps {eps:g}", _but(spec, {"optimizer": {"eps": eps}})))
        found.append(Variant("Adam beta2 0.999", _but(spec, {"optimizer": {"beta2": 0.999}})))
    if spec.loss.kind == "cross_entropy" and spec.loss.precision == "float32":
        found.append(Variant("loss in float64", _but(spec, {"loss": {"precision": "float64"}})))
    if spec.batch.size is not None:
        found += [Variant(f"other batch order {i + 1}", spec, order=i + 1) for i in range(OTHER_ORDERS)]
        found.append(Variant("full batch", _but(spec, {"batch": {"size": None}})))
    return found


def fork(source: Source, variant: Variant, found: Explanation) -> Fork:
    """Train on from the source with one thing changed, until well after the step at which the run itself jumped.

    The jump is there if the loss gets half way, of its logarithm, from its foot to its top.
    """
    until = source.step + AS_LONG * (found.top_step - source.step) + AT_LEAST
    if variant.spec is None:
        return Fork(variant.changed, None, None, None, until, variant.note)
    half_way = math.sqrt(max(found.before, 1e-300) * found.top)
    stretch = Stretch(source, variant.spec)
    if variant.order:
        stretch.step.batches = BatchStream(variant.spec.batch, source.split, variant.spec.seed + variant.order)
    highest, at = 0.0, None
    if float(stretch.losses("train").double().mean()) >= half_way:
        note = "the loss is higher than half way already where the fork begins"
        return Fork(variant.changed, None, None, None, until, note)
    while stretch.state.step < until:
        try:
            stretch.update()
        except DivergedError as error:
            return Fork(variant.changed, True, at or stretch.state.step + 1, None, until, f"it diverged: {error}")
        loss = float(stretch.losses("train").double().mean())
        if loss >= half_way and at is None:
            at = stretch.state.step
        highest = max(highest, loss)
    return Fork(variant.changed, at is not None, at, highest, until)


def _but(spec: RunSpec, changes: dict[str, dict[str, object]]) -> RunSpec:
    return build(plain(spec), [], {table: {**plain(spec)[table], **of} for table, of in changes.items()})
