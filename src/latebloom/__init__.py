"""latebloom: a laboratory for delayed generalization (grokking).

    import latebloom

    run = latebloom.run("modular-division", seed=1)
    run.verdict, run.curves["val/accuracy"], run.model()

Everything is loaded when first asked for, so that `import latebloom` alone is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lab.handle import Run
    from .lab.run import resume, rollback, run
    from .lab.sweep import sweep
    from .spec import RunSpec, Study
    from .store import Store

_PLACES = {
    "Run": "lab",
    "RunSpec": "spec",
    "Store": "store",
    "Study": "spec",
    "resume": "lab",
    "rollback": "lab",
    "run": "lab",
    "sweep": "lab",
}

__all__ = ["Run", "RunSpec", "Store", "Study", "resume", "rollback", "run", "sweep"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'latebloom' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
