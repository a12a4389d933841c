"""Curves whose story is known because they are made, and recorded ones whose story was read by eye."""

import json
import math
from pathlib import Path

import pytest

LOGS = Path(__file__).parent / "logs"


def rise(step, at, steepness):
    """From 0 to 1 on a log-step axis, half way at `at`."""
    return 1 / (1 + math.exp(-steepness * (math.log(step + 1) - math.log(at))))


def made(train_at, val_at, *, last=20_000, every=100, steepness=8.0, top=1.0):
    """Accuracies of 97 classes: training half way at `train_at`, validation at `val_at`; None never leaves chance."""
    chance = 1 / 97

    def level(step, at, top):
        return chance + (top - chance) * (rise(step, at, steepness) if at else 0.0)

    return [
        (step, {"train/accuracy": level(step, train_at, 1.0), "val/accuracy": level(step, val_at, top)})
        for step in range(0, last + 1, every)
    ]


CURVES = {
    "classic": ("grokking", made(600, 7000)),
    "gradual": ("grokking", made(300, 3500, steepness=3.0)),
    "ordinary": ("ordinary_learning", made(600, 700)),
    "memorize only": ("memorization", made(600, None)),
    "confusion": ("confusion", made(None, None)),
    "held at half": ("partial", made(600, 2000, top=0.55)),
    "still rising": ("in_progress", made(600, 19_000)),
    "too short": ("insufficient_data", made(600, 7000)[:9]),
}


@pytest.fixture(params=CURVES)
def curve(request):
    return CURVES[request.param]


@pytest.fixture
def make():
    return made


def recorded(name):
    rows = [json.loads(line) for line in (LOGS / f"{name}.jsonl").read_text().splitlines()]
    return [(row.pop("step"), row) for row in rows]


@pytest.fixture
def log():
    return recorded
