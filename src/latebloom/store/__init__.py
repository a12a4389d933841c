"""Runs on disk: knows records, JSON and bytes. Nothing reported as saved is lost, nothing damaged is used.

    store = Store("runs")
    with store.create(name="first", seed=0, spec=spec, spec_hash=spec_hash, environment={}) as writer:
        writer.append(100, {"val/loss": 0.5})
        writer.save(100, {"model.safetensors": data}, labels=["every"], readings={"val/loss": 0.5})
    store.find("latest").curves()

Holds for local POSIX file systems. A foreign file system without flock or fsync of folders is out of scope.
"""

from .catalog import Store
from .checkpoints import Checkpoint
from .durable import DamageError
from .layout import default_root
from .read import STATUSES, StoredRun
from .study import Planned, StoredStudy, StudyWriter, open_study, studies
from .write import RunWriter

__all__ = [
    "STATUSES",
    "Checkpoint",
    "DamageError",
    "Planned",
    "RunWriter",
    "Store",
    "StoredRun",
    "StoredStudy",
    "StudyWriter",
    "default_root",
    "open_study",
    "studies",
]
