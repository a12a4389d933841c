"""Run the benchmarks named on the command line, or all."""

from __future__ import annotations

import importlib
import sys

ALL = (
    *("demo", "step", "full_batch", "overhead", "startup", "memory", "seeds", "faults"),
    *(
        "filters",
        "spectra",
        "live_spectra",
        "sweep",
        "sweep_faults",
        "mlp_step",
        "resnet_step",
        "detector",
        "local_complexity",
    ),
    "fourier",
    "heights",
    "surrogate",
    "stopping",
)

for name in sys.argv[1:] or ALL:
    if name not in ALL:
        sys.exit(f"benchmark {name!r} is unknown; known: {', '.join(ALL)}")
    print(f"{name}: {importlib.import_module(f'benchmarks.{name}').__doc__}", flush=True)
    importlib.import_module(f"benchmarks.{name}").main()
