"""Corpora whose truth is known: validation rises around a step that its early slope gives away, or never."""

from __future__ import annotations

import math

from latebloom.analysis.forecast.corpus import Corpus, CorpusRun
from latebloom.base.seeds import stream

STEPS = [0, 5, *range(10, 1501, 15)]
LAST = STEPS[-1]


def run(configuration, seed, generalizes_at, *, ends_at=LAST, task="made", until=LAST):
    """Fitted near step 50. Validation reaches 0.95 at `generalizes_at`, in a straight line over log steps."""
    noise = stream(seed, "test/corpus", configuration).normal(0, 0.01, (len(STEPS), 2))
    steps = [step for step in STEPS if step <= ends_at]

    def share(step):
        return min(math.log(max(step, 40) / 40) / math.log(generalizes_at / 40), 1.05) if generalizes_at else 0.0

    val = [min(max(0.02 + 0.93 * share(s) + noise[i, 0] * (share(s) < 1), 0.0), 1.0) for i, s in enumerate(steps)]
    train = [1.0 if step >= 50 else 0.1 for step in steps]
    val_loss = [3.0 * (1.02 - 0.95 * min(share(s), 1.0)) * math.exp(noise[i, 1]) for i, s in enumerate(steps)]
    train_loss = [3.0 if s == 0 else 0.05 * 50 / (50 + s) for s in steps]
    columns = {"train/accuracy": train, "val/accuracy": val, "train/loss": train_loss, "val/loss": val_loss}
    return CorpusRun(configuration, "made", task, seed, until, steps, columns)


def corpus(configurations=60, seeds=2):
    """Two in three configurations generalize, between steps 100 and 6,000; runs are watched to 1,495."""
    runs = []
    for one in range(configurations):
        at = math.exp(stream(one, "test/at").uniform(math.log(100), math.log(6000))) if one % 3 else None
        task = "made" if one % 2 else "made otherwise"
        runs += [run(one, seed, at and at * (1 + 0.05 * seed), task=task) for seed in range(seeds)]
    return Corpus("0" * 64, "made", "today", [], [{} for _ in range(configurations)], runs)
