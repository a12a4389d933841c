"""Peak memory of the demo above what importing torch takes, as whole processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from .result import write

# Not getrusage: its peak survives exec, so that it may be that of the process which started this one.
PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
DEMO = "from latebloom import lab; lab.run('demo', ['steps=300', 'evaluation.every=100'], store={store!r});"


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory() as store:
        demo = peak_mib(DEMO.format(store=store))
    bare = peak_mib("import torch;")
    write("memory", {"torch_mib": round(bare), "demo_mib": round(demo), "demo_above_torch_mib": round(demo - bare)})


def peak_mib(program: str) -> float:
    """Peak resident memory in MiB of a fresh interpreter that runs this program."""
    done = subprocess.run([sys.executable, "-c", program + PEAK], check=True, stdout=subprocess.PIPE)
    return int(done.stdout.splitlines()[-1]) / 1024


if __name__ == "__main__":
    main()
