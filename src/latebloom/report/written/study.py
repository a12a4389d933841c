"""A study as a written report. Every number is from its plan, its runs and their comparison."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ...analysis.outcome import Outcome
from ...detect import percent
from ..comparison import words
from ..comparison.arms import short_names
from ..comparison.compared import Compared, Gathered
from ..html import number
from ..page import flat
from .markdown import code, document, figure, listed, plain, table
from .measured import in_words, measured, not_measured

FIGURES = {
    "survival": "The share of the runs of each arm that are not there yet, over optimizer steps",
    "pairs": "When each run got there, beside the run of the baseline with the same seed",
    "curves": "Score of each arm on validation and training examples over optimizer steps",
}
"""The figures of a comparison, by the names of their files, and what they show."""


class StudyTold(NamedTuple):
    """What is known of a study."""

    name: str
    created_at: str
    plan: Mapping[str, Any]  # as stored: about, recipe, settings, arms, axes
    planned: int  # runs
    gathered: Gathered
    compared: Compared | str  # or why its arms cannot be compared


def written_study(told: StudyTold) -> str:
    """The report."""
    sections = {
        "Abstract": _abstract(told),
        "Introduction": _introduction(told),
        "Methods": _methods(told),
        "Results": _results(told),
        "Discussion": _discussion(told),
        "Appendix": _appendix(told),
    }
    return document(_about(told).get("title") or told.name, sections)


def _about(told: StudyTold) -> dict[str, str]:
    about = told.plan.get("about")
    return {key: str(value) for key, value in about.items()} if isinstance(about, Mapping) else {}


def _abstract(told: StudyTold) -> list[str]:
    runs, arms = told.gathered.outcomes, _by_arm(told.gathered.outcomes)
    seeds = sorted({one.seed for one in runs})
    happened = sum(one.happened is not None for one in runs)
    begun = (
        f"{len(runs):,} of {told.planned:,} planned runs in {len(arms)} arm{'s' * (len(arms) != 1)}, seeds "
        f"{words.numbers(seeds)}: {happened:,} {plain(_event(told))} by the end of their observation."
    )
    if isinstance(told.compared, str):
        return [f"{begun} The arms were not compared: {plain(told.compared)}"]
    return [begun, *_verdicts(told.compared)]


def _introduction(told: StudyTold) -> list[str]:
    about = _about(told)
    asked = f"Which arm {plain(_event(told))} sooner, if any?"
    return [
        asked,
        f"Where it comes from: {plain(about['source'])}" if about.get("source") else "No source was recorded.",
        f"Expected was: {plain(about['expect'])}" if about.get("expect") else "What to expect was not recorded.",
    ]


def _methods(told: StudyTold) -> list[str]:
    arms = _by_arm(told.gathered.outcomes)
    names = short_names(list(arms))
    recipe = told.plan.get("recipe")
    begin = (
        f"The study {code(told.name)} varies the recipe {code(recipe)}."
        if recipe
        else f"The study {code(told.name)} has settings of its own; they are in the appendix."
    )
    axes = told.plan.get("axes") or []
    varied = [(code(key), ", ".join(map(code, values))) for axis in axes for key, values in axis.items()]
    rows = [
        (plain(names[arm]), f"{len(runs)}", words.numbers([one.seed for one in runs])) for arm, runs in arms.items()
    ]
    blocks = [begin, table(("varied", "values"), varied) if varied else "", table(("arm", "runs", "seeds"), rows)]
    if isinstance(told.compared, Compared):
        differs = told.compared.comparison.differs
        settings = [(code(key), *(code(_shown(values.get(arm))) for arm in arms)) for key, values in differs.items()]
        blocks.append(table(("setting", *(plain(names[arm]) for arm in arms)), settings) if settings else "")
        blocks.append(plain(words.criterion(told.compared)))
        blocks.append(f"Arms are compared up to step {told.compared.comparison.horizon_steps:,}.")
    evaluated = dict.fromkeys(one.evaluated for one in told.gathered.outcomes if one.evaluated)
    blocks.append(
        f"Runs were read {plain('; '.join(evaluated))}." if evaluated else "How often runs were read is not known."
    )
    known = told.gathered.known
    blocks.append(
        f"Besides scores and losses there was read: {in_words(measured(known))}. Not measured: "
        f"{in_words(not_measured(known))}."
    )
    return blocks


def _results(told: StudyTold) -> list[str]:
    arms = _by_arm(told.gathered.outcomes)
    names = short_names(list(arms))
    rows = [
        (
            plain(names[arm]),
            f"{sum(one.happened is not None for one in runs)} of {len(runs)}",
            _median(one.happened.step for one in runs if one.happened),
            _median(one.memorized.step for one in runs if one.memorized),
            _score(one.final_train for one in runs),
            _score(one.best_val for one in runs),
            _score(one.final_val for one in runs),
            plain(
                ", ".join(
                    f"{family.replace('_', ' ')} {count}"
                    for family, count in Counter(one.verdict for one in runs).most_common()
                )
            ),
        )
        for arm, runs in arms.items()
    ]
    head = (
        "arm", plain(_event(told)), "median step of those", "median step of the fit", "training score, last",
        "validation score, best", "validation score, last", "verdicts",
    )  # fmt: skip
    blocks = [table(head, rows), "Scores are medians over the runs of an arm, each of three evaluations."]
    if isinstance(told.compared, str):
        return [*blocks, f"The arms were not compared: {plain(told.compared)}"]
    contrasts = [
        (
            plain(told.compared.names[one.arm]), words.spread(one.ratio, one.low, one.high), words.chance(one.p),
            words.chance(one.p_holm), words.runs(one), plain(one.conclusion),
        )
        for one in told.compared.comparison.contrasts
    ]  # fmt: skip
    baseline = plain(told.compared.names[told.compared.comparison.baseline])
    against = (f"against {baseline}", "times as soon (95 %)", "p", "p after Holm", "compared", "conclusion")
    return [
        *blocks,
        table(against, contrasts),
        *_verdicts(told.compared),
        *(figure(f"{name}.png", shows) for name, shows in FIGURES.items()),
    ]


def _discussion(told: StudyTold) -> list[str]:
    if isinstance(told.compared, str):
        return [
            "Without a comparison nothing is said about what makes the difference between runs.",
            listed(map(plain, told.gathered.notes)) if told.gathered.notes else "",
        ]
    warnings = told.compared.comparison.warnings
    return [
        listed(map(plain, warnings)) if warnings else "The comparison names nothing to beware of.",
        "What the words mean:",
        listed(f"**{plain(word)}**: {plain(meaning)}" for word, meaning in words.meanings(told.compared)),
    ]


def _appendix(told: StudyTold) -> list[str]:
    names = short_names(list(_by_arm(told.gathered.outcomes)))
    rows = [
        (
            code(one.run), plain(names[one.arm]), f"{one.seed}", plain(one.status), f"{one.last_step:,}",
            words.step(one.memorized.step if one.memorized else None),
            words.step(one.happened.step if one.happened else None),
            number(one.final_train), number(one.final_val), plain(one.verdict.replace("_", " ")),
        )
        for one in told.gathered.outcomes
    ]  # fmt: skip
    head = ("run", "arm", "seed", "status", "last step", "fitted", _event(told), "training", "validation", "verdict")
    settings = [(code(key), code(value)) for key, value in flat({"settings": told.plan.get("settings") or {}})]
    arms = [(code(key), code(value)) for key, value in flat({"arms": told.plan.get("arms") or {}})]
    return [
        f"Study {code(told.name)}, {told.planned:,} runs, planned {plain(told.created_at)}.",
        "### Every run",
        table(tuple(map(plain, head)), rows),
        "### What was set for all runs and for each arm, beside the recipe",
        table(("setting", "value"), [*settings, *arms]),
    ]


def _verdicts(told: Compared) -> list[str]:
    return [listed(f"{plain(told.names[one.arm])}: {plain(one.verdict)}" for one in told.comparison.contrasts)]


def _event(told: StudyTold) -> str:
    return told.gathered.outcomes[0].event.replace("/", " on ")


def _by_arm(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    arms: dict[str, list[Outcome]] = {}
    for one in outcomes:
        arms.setdefault(one.arm, []).append(one)
    return arms


def _median(steps: Iterable[int]) -> str:
    steps = list(steps)
    return f"{statistics.median(steps):,.0f}" if steps else "–"


def _score(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return percent(statistics.median(known)) if known else "not measured"


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
