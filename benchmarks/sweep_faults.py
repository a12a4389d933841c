"""A sweep whose workers and coordinators are killed, and what is counted then. Fails unless every run is done once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .result import write

SIZE = {
    "LATEBLOOM_SWEEP_RUNS": "200",
    "LATEBLOOM_SWEEP_WORKER_KILLS": "100",
    "LATEBLOOM_SWEEP_COORDINATOR_KILLS": "10",
}


def main() -> None:
    """Run the tests, larger than they usually are, and write their counts."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [sys.executable, "-m", "pytest", "tests/faults/test_sweep_kills.py", "-m", "slow or not slow"],
            check=True,
            env={**os.environ, **SIZE, "LATEBLOOM_FAULT_REPORT": str(report)},
        )
        write("sweep_faults", json.loads(report.read_text()))


if __name__ == "__main__":
    main()
