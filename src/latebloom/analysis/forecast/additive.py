"""A score put together by hand, to compare with: points for conditions under which grokking is said to be likely.

    0.3  memorizing: training loss below 0.1, validation loss more than 0.5 above it
    0.2  training loss below 0.01; 0.1 below 0.1
    0.2  more than 50 epochs since memorizing began; 0.1 more than 20

Of a fourth condition, a correlation that rises, these runs have no reading. An epoch is a step here: every step of
the corpus sees all examples.
Source: the probability that an earlier project's detector told, whose names `GrokDetector` keeps.
"""

from __future__ import annotations

from .corpus import CorpusRun

LOW, VERY_LOW, GAP = 0.1, 0.01, 0.5
LONG, QUITE_LONG = 50, 20


def additive_score(run: CorpusRun, step: int) -> float:
    """The points of a run at one of its readings.

    Args:
        run: The run.
        step: The step of the reading.
    """
    train, val = run.readings["train/loss"], run.readings["val/loss"]
    memorizing = [t < LOW and v - t > GAP for t, v in zip(train, val, strict=True)]
    now = run.steps.index(step)
    points = 0.3 if memorizing[now] else 0.0
    points += 0.2 if train[now] < VERY_LOW else 0.1 if train[now] < LOW else 0.0
    if any(memorizing[: now + 1]):
        since = step - run.steps[memorizing.index(True)]
        points += 0.2 if since > LONG else 0.1 if since > QUITE_LONG else 0.0
    return points
