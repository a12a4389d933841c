"""From a corpus to a model with its card: the chances for each kind of log, and what they are worth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from ...base.plain import plain
from ...detect.chances import NEVER
from ...detect.forecast import SIGNS, Model
from .assess import assess, outcomes
from .calibrate import calibrate
from .corpus import Corpus
from .landmarks import landmarks, table

FEWEST_CONFIGURATIONS = 20
JUDGED_BY = ("unseen tasks", "unseen configurations")  # the first that the corpus allows
DIGITS = 4  # of what is reported; the coefficients keep all of theirs


def fit(corpus: Corpus, elsewhere: Sequence[Corpus] = (), seed: int = 0) -> Model:
    """Calibrate and assess, for every kind of log.

    A horizon is told only if the chances are better than the rate on tasks they were not calibrated on, surely (95 %).

    Args:
        corpus: What to calibrate on.
        elsewhere: Corpora to judge the chances by, of which nothing is learned.
        seed: Decides folds and resamples.
    """
    chances, refused, comparisons = {}, {}, {}
    for kind, names in SIGNS.items():
        found = [one for run in corpus.runs for one in landmarks(run, kind)]
        configurations = len({one.run.configuration for one in found})
        if configurations < FEWEST_CONFIGURATIONS:
            refused[kind] = (
                f"the corpus has {configurations} configurations to calibrate on; {FEWEST_CONFIGURATIONS} are needed"
            )
            continue
        comparisons[kind] = assess(corpus, kind, elsewhere, seed)
        judge = next(name for name in JUDGED_BY if name in comparisons[kind])
        worth = [bool(one["skill_95"]) and one["skill_95"][0] > 0 for one in comparisons[kind][judge]]
        if not any(worth):
            refused[kind] = f"on {judge} chances from {kind} were no better than the rate"
            continue
        one = calibrate(table(found, names), seed)
        chances[kind] = one._replace(oldest_K=np.where(worth, one.oldest_K, NEVER))
    card = {
        "latebloom": version("latebloom"),
        "seed": seed,
        "corpus": _told(corpus),
        "elsewhere": [_told(other) for other in elsewhere],
        "comparisons": _short(plain(comparisons)),
    }
    return Model(chances, refused, card)


def model_bytes(model: Model) -> bytes:
    """The model as a file."""
    return (json.dumps(model.plain(), separators=(",", ":"), allow_nan=False) + "\n").encode()


def _told(corpus: Corpus) -> dict[str, Any]:
    return {
        "sha256": corpus.sha256,
        "command": corpus.command,
        "exported_at": corpus.exported_at,
        "environments": corpus.environments,
        "studies": outcomes(corpus),
    }


def _short(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _short(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_short(value) for value in told]
    return round(told, DIGITS) if isinstance(told, float) else told
