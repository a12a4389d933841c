"""Thin adapters between our detector and other people's programs: their training loops in, our records out.

    latebloom.integrations.Recorder                        any loop
    latebloom.integrations.lightning.GrokkingCallback      Lightning
    latebloom.integrations.huggingface.GrokkingCallback    Hugging Face Trainer
    latebloom.integrations.keras.GrokkingCallback          Keras 3
    latebloom.integrations.accelerate.GrokkingTracker      accelerate

All of them hand what their framework measures to one `Recorder`. Nothing here stops or changes a training unless it is
asked to. A framework is imported when its adapter is, and the error for a missing one names the extra to install.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recorder import Recorder

ADAPTERS = ("lightning", "huggingface", "keras", "accelerate")

__all__ = ["Recorder"]


def __getattr__(name: str) -> Any:
    if name == "Recorder":
        return importlib.import_module(".recorder", __name__).Recorder
    if name in ADAPTERS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'latebloom.integrations' has no attribute {name!r}")
