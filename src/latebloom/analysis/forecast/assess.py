"""What the chances are worth on runs they were not calibrated on: other configurations, tasks, models, places.

In every comparison the runs that are judged share no configuration with those that the chances came from. Where the
chances abstain nothing is scored; how often they do not stands beside the scores.

Suffixes: N landmarks, K horizons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.seeds import stream
from ...detect.chances import HORIZONS, Chances
from ...detect.forecast import SIGNS
from .additive import additive_score
from .calibrate import FOLDS, calibrate, folds
from .corpus import Corpus
from .landmarks import Table, landmarks, table
from .logistic import Floats
from .scores import scores

FEWEST = 50  # landmarks to calibrate on
SHUFFLES = 5


class Told(NamedTuple):
    """Probabilities of landmarks, and which of them would be told."""

    p_NK: Floats
    told_NK: NDArray[np.bool_]


def assess(corpus: Corpus, kind: str, elsewhere: Sequence[Corpus] = (), seed: int = 0) -> dict[str, Any]:
    """Every comparison, for one kind of log.

    Args:
        corpus: What the chances are calibrated on.
        kind: A key of `detect.forecast.SIGNS`.
        elsewhere: Corpora that they are not calibrated on.
        seed: Decides folds, resamples and the shuffle.

    Returns:
        By comparison one entry a horizon: `factor`, `asked` (landmarks whose outcome is known), `told` (share of them)
        and the fields of `Scores`.
    """
    names = SIGNS[kind]
    found = [one for run in corpus.runs for one in landmarks(run, kind)]
    rows = table(found, names)
    fold_N = folds(rows.configuration_N, FOLDS, seed, "folds")
    task_N, model_N = (np.array([getattr(one.run, what) for one in found]) for what in ("task", "model"))

    def judged(told: Told, of: Table = rows, chosen_N: NDArray[np.bool_] | None = None) -> list[dict[str, Any]]:
        return _judged(told, of, chosen_N, seed)

    comparisons = {"unseen configurations": judged(_held_out(rows, names, fold_N))}
    for what, group_N in (("task", task_N), ("model", model_N)):
        if len(set(group_N.tolist())) < 2:
            continue
        out = _held_out(rows, names, group_N)
        comparisons[f"unseen {what}s"] = judged(out)
        for one in sorted(set(group_N.tolist())):
            comparisons[f"unseen {what}: {one}"] = judged(out, rows, group_N == one)
    level = "val_progress" if "val_progress" in names else "val_loss"
    for title, few in (("time since fitting alone", ("age",)), ("validation level alone", (level,))):
        columns = [names.index(name) for name in few]
        comparisons[title] = judged(
            _held_out(rows._replace(signs_ND=rows.signs_ND[:, columns]), few, fold_N, everything=True)
        )
    points_N = np.array([additive_score(one.run, one.step) for one in found])
    comparisons["points by hand"] = judged(_everything(np.repeat(points_N[:, None], len(HORIZONS), axis=1)))
    drawn = [_held_out(_shuffled(rows, seed, one), names, fold_N) for one in range(SHUFFLES)]
    many = Table(*(np.concatenate([column] * SHUFFLES) for column in rows))
    comparisons["outcomes shuffled"] = judged(Told(*(np.concatenate(of) for of in zip(*drawn, strict=True))), many)
    unmoved = [one for run in corpus.runs for one in landmarks(run, kind, moved=False)]
    early = table(unmoved, names)
    if len(unmoved) > FEWEST:
        told = _held_out(early, names, folds(early.configuration_N, FOLDS, seed, "folds"), everything=True)
        comparisons["before validation moves"] = judged(told, early)
    chances = calibrate(rows, names, seed)
    for other in elsewhere:
        if len(unmoved) > FEWEST:
            there = table([one for run in other.runs for one in landmarks(run, kind, moved=False)], names)
            p_NK = calibrate(early, names, seed).probabilities(there.signs_ND)
            comparisons["before validation moves, elsewhere"] = judged(_everything(p_NK), there)
        away = [one for run in other.runs for one in landmarks(run, kind)]
        for study in sorted({one.run.study for one in away}):
            there = table([one for one in away if one.run.study == study], names)
            comparisons[f"elsewhere: {study}"] = judged(_of(chances, there), there)
        there = table(away, names)
        comparisons["elsewhere"] = judged(_of(chances, there), there)
    return comparisons


def outcomes(corpus: Corpus) -> dict[str, dict[str, int]]:
    """What became of the runs of each study, by the accuracies."""
    told: dict[str, dict[str, int]] = {}
    for run in corpus.runs:
        of = told.setdefault(
            run.study, dict.fromkeys(("configurations", "runs", "waiting", "generalized later", "landmarks"), 0)
        )
        found = landmarks(run, "accuracy")
        of["runs"] += 1
        of["waiting"] += bool(found)
        of["landmarks"] += len(found)
        of["generalized later"] += bool(found) and found[0].generalized_at is not None
    for study, of in told.items():
        of["configurations"] = len({run.configuration for run in corpus.runs if run.study == study})
    return told


def _held_out(rows: Table, names: tuple[str, ...], group_N: NDArray[Any], everything: bool = False) -> Told:
    """Each group judged by chances that the others were calibrated on."""
    p_NK = np.zeros(rows.happened_NK.shape)
    told_NK = np.zeros(rows.happened_NK.shape, np.bool_)
    for group in np.unique(group_N):
        out_N = group_N == group
        seen = rows.where(~np.isin(rows.configuration_N, rows.configuration_N[out_N]))
        one = _of(calibrate(seen, names), rows.where(out_N))
        p_NK[out_N], told_NK[out_N] = one
    return Told(p_NK, np.ones_like(told_NK) if everything else told_NK)


def _of(chances: Chances, rows: Table) -> Told:
    near_N = chances.distance(rows.signs_ND) <= chances.farthest
    return Told(chances.probabilities(rows.signs_ND), near_N[:, None] & (rows.age_N[:, None] <= chances.oldest_K))


def _everything(p_NK: Floats) -> Told:
    return Told(p_NK, np.ones(p_NK.shape, np.bool_))


def _judged(told: Told, rows: Table, chosen_N: NDArray[np.bool_] | None, seed: int) -> list[dict[str, Any]]:
    found = []
    for k, factor in enumerate(HORIZONS):
        asked_N = rows.known_NK[:, k] if chosen_N is None else rows.known_NK[:, k] & chosen_N
        in_N = asked_N & told.told_NK[:, k]
        rng = stream(seed, "forecast/resamples", k)
        one = scores(told.p_NK[in_N, k], rows.happened_NK[in_N, k], rows.configuration_N[in_N], rng)
        asked = int(asked_N.sum())
        share = int(in_N.sum()) / asked if asked else None
        found.append({"factor": factor, "asked": asked, "told": share, **one._asdict()})
    return found


def _shuffled(rows: Table, seed: int, counter: int) -> Table:
    """The outcomes handed to other configurations: who learns from them learns nothing about the true ones."""
    configurations = np.unique(rows.configuration_N)
    order = stream(seed, "forecast/shuffle", counter).permutation(len(configurations))
    members = {one: np.flatnonzero(rows.configuration_N == one) for one in configurations.tolist()}
    happened_NK, known_NK = rows.happened_NK.copy(), rows.known_NK.copy()
    for to, source in zip(configurations.tolist(), configurations[order].tolist(), strict=True):
        take = np.resize(members[source], len(members[to]))
        happened_NK[members[to]], known_NK[members[to]] = rows.happened_NK[take], rows.known_NK[take]
    return rows._replace(happened_NK=happened_NK, known_NK=known_NK)
