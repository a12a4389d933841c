"""The figures of a study's report: its comparison if its arms were compared, scores, losses, and a phase diagram."""

from __future__ import annotations

from ...analysis.phases import phase_diagram
from ...store import StoredStudy
from ..comparison.arms import SEED, short_names
from ..comparison.compared import Compared, Gathered
from ..comparison.figures import figures
from ..figures.bands import bands_of, draw_bands, score_of
from ..figures.phases import phases_picture
from ..figures.picture import Picture, rendered
from .losses import TRAIN, VAL, levels

SHOWN = {
    "phases": "What became of the runs of each cell of the two settings, and how late they generalized",
    "survival": "The share of the runs of each arm that are not there yet, over optimizer steps",
    "pairs": "When each run got there, beside the run of the baseline with the same seed",
    "curves": "Score of each arm on validation and training examples over optimizer steps",
    "losses": "Loss of each arm on validation and training examples over optimizer steps",
}
"""What each shows, by the name of its file."""
MOST_ARMS = 7  # beside a phase diagram: more cells are not compared one by one


def study_figures(study: StoredStudy, gathered: Gathered, told: Compared | str) -> dict[str, Picture]:
    """Those that the study has numbers for, in the order of `SHOWN`.

    Args:
        study: The study.
        gathered: Its runs, with losses and the levels of the blind among their readings.
        told: Their comparison, or why there is none.
    """
    drawn = {} if (diagram := _phases(study)) is None else {"phases": diagram}
    outcomes = gathered.outcomes
    if isinstance(told, Compared):
        horizon = told.comparison.horizon_steps
        drawn |= figures(told)._asdict()
        if diagram is not None and len(told.comparison.arms) > MOST_ARMS:
            drawn = {name: one for name, one in drawn.items() if name not in ("survival", "pairs")}
    else:
        horizon = max(one.last_step for one in outcomes)
    if horizon < 1:
        return drawn
    arms = short_names(list(dict.fromkeys(one.arm for one in outcomes)))
    if isinstance(told, str):
        data = bands_of(arms, outcomes, gathered.curves, horizon, score_of(outcomes))
        drawn["curves"] = rendered(lambda: draw_bands(data))
    losses = {run: (curves.get(TRAIN), curves.get(VAL)) for run, curves in gathered.readings.items()}
    if any(one is not None for pair in losses.values() for one in pair):
        lost = bands_of(arms, outcomes, losses, horizon, "loss")._replace(is_loss=True, levels=levels(gathered))
        drawn["losses"] = rendered(lambda: draw_bands(lost))
    return drawn


def _phases(study: StoredStudy) -> Picture | None:
    """The phase diagram of a study that varies two numbers."""
    keys = dict.fromkeys(key for one in study.planned for key in one.label if key != SEED)
    if len(keys) != 2 or not all(_is_number(one.label.get(key)) for one in study.planned for key in keys):
        return None
    return phases_picture(phase_diagram([(one.label, study.run(one)) for one in study.planned], *keys))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
