"""Kills, errors and damage: what the fault tests count while they run. They fail unless nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .result import write


def main() -> None:
    """Run the tests and write their counts."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [sys.executable, "-m", "pytest", "tests/faults", "-m", "slow or not slow"],
            check=True,
            env={**os.environ, "LATEBLOOM_FAULT_REPORT": str(report)},
        )
        write("faults", json.loads(report.read_text()))


if __name__ == "__main__":
    main()
