"""What of a run was measured, and what was not: absence is said, never filled in."""

from __future__ import annotations

from collections.abc import Iterable

COMPONENTS = ("task", "model", "loss", "optimizer", "schedule", "batch", "interventions", "stopping")
"""Parts of a run's settings that a reader of its report asks for."""
KINDS = {
    "weight_norm": "the norm of the weights",
    "gradient_norm": "the gradient",
    "update_norm": "the length of updates",
    "esd": "spectra of the weights",
    "feature_rank": "ranks of features",
    "linear_probe": "what a linear map reads off each layer",
    "local_complexity": "local complexity",
    "sharpness": "sharpness",
    "local_learning_coefficient": "the local learning coefficient",
    "fourier": "Fourier components",
    "orbit_variance": "whether a symmetry was learned",
    "orbit_disagreement": "whether images of one example get one answer",
    "dead_outputs": "outputs without a gradient",
    "violations": "answers below what is proved",
    "gate_usage": "who answers in a mixture of experts",
}
"""First words of readings, and what they tell of."""
SCORES = ("accuracy", "r2")
LOSS = "loss"


def measured(readings: Iterable[str]) -> list[str]:
    """What some of these readings tell of."""
    first = {name.partition("/")[0] for name in readings}
    return [words for word, words in KINDS.items() if word in first]


def not_measured(readings: Iterable[str]) -> list[str]:
    """What none of these readings tells of; scores and losses of either side among it."""
    readings = list(readings)
    missing = [words for word, words in KINDS.items() if words not in measured(readings)]
    sides = {"train": "training", "val": "validation"}
    for place, side in sides.items():
        missing += [] if f"{place}/{LOSS}" in readings else [f"the {side} loss"]
        missing += [] if any(f"{place}/{score}" in readings for score in SCORES) else [f"the {side} score"]
    return missing


def in_words(things: list[str]) -> str:
    """`a, b and c`.

    Example:
        >>> in_words(["a", "b", "c"]), in_words(["a"]), in_words([])
        ('a, b and c', 'a', 'nothing')
    """
    return " and ".join(filter(None, [", ".join(things[:-1]), things[-1]])) if things else "nothing"
