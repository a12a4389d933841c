"""What the chances are worth on runs they were not calibrated on: other configurations, tasks, studies, places.

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
from .landmarks import Landmark, Table, landmarks, table
from .logistic import Floats
from .scores import scores

FEWEST = 50  # landmarks to calibrate on
SHUFFLES = 5
PLURAL = {"task": "tasks", "study": "studies"}

Comparisons = dict[str, list[dict[str, Any]]]


class Told(NamedTuple):
    """Probabilities of landmarks, and which of them would be told."""

    p_NK: Floats
    told_NK: NDArray[np.bool_]


def assess(corpus: Corpus, kind: str, elsewhere: Sequence[Corpus] = (), seed: int = 0) -> Comparisons:
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
    found = [one for run in corpus.runs for one in landmarks(run, kind)]
    rows = table(found, SIGNS[kind])
    fold_N = folds(rows.configuration_N, FOLDS, seed, "folds")
    told = {"unseen configurations": _judged(_held_out(rows, fold_N), rows, seed)}
    told |= _unseen("task", [one.run.task for one in found], rows, seed)
    told |= _unseen("study", [one.run.study for one in found], rows, seed)
    told |= _baselines(found, rows, fold_N, seed)
    return told | _early(corpus, kind, elsewhere, seed) | _elsewhere(rows, kind, elsewhere, seed)


def _unseen(what: str, of: Sequence[str], rows: Table, seed: int) -> Comparisons:
    """Each task, or each study, held out whole; all of them together, and one by one."""
    group_N = np.array(of)
    if len(set(of)) < 2:
        return {}
    out = _held_out(rows, group_N)
    each = {f"unseen {what}: {one}": _judged(out, rows, seed, group_N == one) for one in sorted(set(of))}
    return {f"unseen {PLURAL[what]}": _judged(out, rows, seed), **each}


def _baselines(found: Sequence[Landmark], rows: Table, fold_N: NDArray[np.int64], seed: int) -> Comparisons:
    """The same landmarks judged by less, by points given by hand, and after learning from shuffled outcomes."""
    told: Comparisons = {}
    for title, name in (("time since fitting alone", "age"), ("validation level alone", rows.names[1])):
        one = rows._replace(signs_ND=rows.signs_ND[:, [rows.names.index(name)]], names=(name,))
        told[title] = _judged(_everything(_held_out(one, fold_N).p_NK), one, seed)
    points_N1 = np.array([[additive_score(one.run, one.step)] for one in found])
    told["points by hand"] = _judged(_everything(np.repeat(points_N1, len(HORIZONS), axis=1)), rows, seed)
    drawn = [_held_out(_shuffled(rows, seed, one), fold_N) for one in range(SHUFFLES)]
    many = rows.where(np.tile(np.arange(len(found)), SHUFFLES))
    told["outcomes shuffled"] = _judged(Told(*(np.concatenate(of) for of in zip(*drawn, strict=True))), many, seed)
    return told


def _early(corpus: Corpus, kind: str, elsewhere: Sequence[Corpus], seed: int) -> Comparisons:
    """What chances would be worth that are calibrated on the moments before validation moves."""
    rows, *others = (
        table([one for run in of.runs for one in landmarks(run, kind, moved=False)], SIGNS[kind])
        for of in (corpus, *elsewhere)
    )
    if len(rows.age_N) < FEWEST:
        return {}
    fold_N = folds(rows.configuration_N, FOLDS, seed, "folds")
    told = {"before validation moves": _judged(_everything(_held_out(rows, fold_N).p_NK), rows, seed)}
    for other in others:
        p_NK = calibrate(rows, seed).probabilities(other.signs_ND)
        told["before validation moves, elsewhere"] = _judged(_everything(p_NK), other, seed)
    return told


def _elsewhere(rows: Table, kind: str, elsewhere: Sequence[Corpus], seed: int) -> Comparisons:
    """Runs that are not learned from, all together and study by study."""
    if not elsewhere:
        return {}
    chances = calibrate(rows, seed)
    found = [one for other in elsewhere for run in other.runs for one in landmarks(run, kind)]
    studies = sorted({one.run.study for one in found})
    of = {"elsewhere": found} | {
        f"elsewhere: {study}": [one for one in found if one.run.study == study] for study in studies
    }
    there = {name: table(some, SIGNS[kind]) for name, some in of.items()}
    return {name: _judged(_of(chances, one), one, seed) for name, one in there.items()}


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


def _held_out(rows: Table, group_N: NDArray[Any]) -> Told:
    """Each group judged by chances that the others were calibrated on."""
    p_NK = np.zeros(rows.happened_NK.shape)
    told_NK = np.zeros(rows.happened_NK.shape, np.bool_)
    for group in np.unique(group_N):
        out_N = group_N == group
        seen = rows.where(~np.isin(rows.configuration_N, rows.configuration_N[out_N]))
        one = _of(calibrate(seen), rows.where(out_N))
        p_NK[out_N], told_NK[out_N] = one
    return Told(p_NK, told_NK)


def _of(chances: Chances, rows: Table) -> Told:
    near_N = chances.distance(rows.signs_ND) <= chances.farthest
    return Told(chances.probabilities(rows.signs_ND), near_N[:, None] & (rows.age_N[:, None] <= chances.oldest_K))


def _everything(p_NK: Floats) -> Told:
    return Told(p_NK, np.ones(p_NK.shape, np.bool_))


def _judged(told: Told, rows: Table, seed: int, chosen_N: NDArray[np.bool_] | None = None) -> list[dict[str, Any]]:
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
