"""A result file: what was measured, by which command, on which machine, with which versions."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import torch

from latebloom.engine import fingerprint

RESULTS = Path(__file__).parent / "results"


def write(name: str, measured: dict[str, Any]) -> None:
    """Write `results/<name>.json` and print what was measured."""
    machine = fingerprint(compiled=False)
    facts = {
        "command": f"python -m benchmarks {name}",
        "measured_on": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": machine["processor"],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": machine["torch"],
        "load_average": round(os.getloadavg()[0], 1),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({**facts, "measured": measured}, indent=1) + "\n")
    print(json.dumps(measured, indent=1), flush=True)
