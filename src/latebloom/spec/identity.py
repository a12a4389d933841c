"""A name for a spec that depends on nothing but its values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from .run import RunSpec


def plain(spec: RunSpec) -> dict[str, Any]:
    """The spec as JSON data, every default written out."""
    return spec.model_dump(mode="json")


def identity(spec: RunSpec, *, without: Collection[str] = ()) -> str:
    """SHA-256 (hex) of the canonical JSON of a spec.

    Args:
        spec: The run.
        without: Top-level fields to leave out, e.g. `{"name", "seed"}` to recognise repetitions of one experiment.
    """
    values = {field: value for field, value in plain(spec).items() if field not in without}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
