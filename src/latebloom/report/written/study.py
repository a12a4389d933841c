"""A study as a written report. Every number is from its plan, its runs and their comparison."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...analysis.claims import Judged
from ...analysis.conclusion import can_tell
from ...analysis.outcome import Outcome
from ...detect import percent
from ..claims.words import MEANINGS, counts, seeds
from ..comparison import words
from ..comparison.arms import short_names
from ..comparison.compared import Compared, Gathered
from ..page import flat
from .losses import ends, losses
from .markdown import code, document, figure, listed, minute, plain, table
from .measured import COMPONENTS, in_words, measured, not_measured

MOST_TOLD = 6  # contrasts that are told one by one in the abstract


class StudyTold(NamedTuple):
    """What is known of a study."""

    name: str
    created_at: str
    about: Mapping[str, str]  # title, source, expect
    plan: Mapping[str, Any]  # as stored: recipe, settings, arms, axes
    planned: Mapping[str, Sequence[Mapping[str, Any]]]  # the settings of each run, by arm
    gathered: Gathered
    compared: Compared | str  # or why its arms cannot be compared
    judged: Sequence[Judged] = ()  # what others say of it
    ran_on: Sequence[str] = ()  # machines and versions
    figures: Mapping[str, str] = {}  # what each shows, by the name of its file


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
    return document(told.about.get("title") or told.name, sections)


def _abstract(told: StudyTold) -> list[str]:
    runs, arms = told.gathered.outcomes, _by_arm(told.gathered.outcomes)
    happened = sum(one.happened is not None for one in runs)
    begun = (
        f"{len(runs):,} of {_runs(_planned(told), 'planned ')} in {_several(len(arms), 'arm')}, "
        f"{_seeds(one.seed for one in runs)}: {happened:,} {plain(_event(told))} by the end of their observation."
    )
    if unfinished := sum(one.status not in ("finished", "diverged") for one in runs):
        begun += f" Not finished when this was written: {unfinished:,}."
    claimed = f"{counts(list(told.judged))}." if told.judged else ""
    if isinstance(told.compared, str):
        return [begun, *_not_compared(told.compared, arms), claimed]
    contrasts = told.compared.comparison.contrasts
    if len(contrasts) <= MOST_TOLD:
        return [begun, *_verdicts(told.compared), claimed]
    found = Counter(one.conclusion for one in contrasts)
    summary = ", ".join(f"{plain(conclusion)} {count}" for conclusion, count in found.most_common())
    tests = sum(one.p is not None for one in contrasts)
    if hopeless := sum(not can_tell(one, tests) for one in contrasts):
        summary += f"; for {hopeless} of them no difference could have been shown with so few runs"
    baseline = plain(told.compared.names[told.compared.comparison.baseline])
    return [f"{begun} Of {len(contrasts)} arms against {baseline}: {summary}.", claimed]


def _introduction(told: StudyTold) -> list[str]:
    about = told.about
    arms = _by_arm(told.gathered.outcomes)
    event = plain(_event(told))
    return [
        f"Which arm {event} sooner, if any?" if len(arms) > 1 else f"How many runs {event}, and when?",
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
        (
            plain(names[arm]), f"{len(told.planned.get(arm, runs))}", f"{len(runs)}",
            plain(", ".join(f"{count} {status}" for status, count in Counter(r.status for r in runs).most_common())),
            words.numbers([one.seed for one in runs]),
        )
        for arm, runs in arms.items()
    ]  # fmt: skip
    blocks = [
        begin,
        table(("varied", "values"), varied) if varied else "",
        *_parts([spec for specs in told.planned.values() for spec in specs]),
        table(("arm", "planned", "begun", "as they stand", "seeds"), rows),
    ]
    if isinstance(told.compared, Compared):
        differs = told.compared.comparison.differs
        settings = [(code(key), *(code(_shown(values.get(arm))) for arm in arms)) for key, values in differs.items()]
        if settings and len(arms) <= MOST_TOLD + 1:
            blocks.append(table(("setting", *(plain(names[arm]) for arm in arms)), settings))
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
    blocks = [
        table(head, rows),
        "A score is the median over the runs of an arm. Of each run, the last is the median of its last three "
        "evaluations, and the best is the highest that three evaluations in a row all reached.",
        *losses(told.gathered, names),
        *ends(told.gathered, names),
        *_claims(told),
    ]
    drawn = [figure(f"{name}.png", shows) for name, shows in told.figures.items()]
    if isinstance(told.compared, str):
        return [*blocks, *_not_compared(told.compared, arms), *drawn]
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
        *(_verdicts(told.compared) if len(contrasts) <= MOST_TOLD else []),
        *drawn,
    ]


def _claims(told: StudyTold) -> list[str]:
    """What others say of the experiment, and what these runs say to it."""
    if not told.judged:
        return []
    rows = [
        (plain(f"{one.says} ({one.source})"), plain(one.published), plain(one.found), plain(seeds(one)), one.verdict)
        for one in told.judged
    ]
    verdicts = {one.verdict for one in told.judged}
    return [
        table(("claim", "published", "found", "from", "verdict"), rows),
        listed(f"**{verdict}**: {plain(meaning)}" for verdict, meaning in MEANINGS.items() if verdict in verdicts),
    ]


def _discussion(told: StudyTold) -> list[str]:
    limits = [plain(f"{one.says} {one.because}") for one in told.judged if one.because]
    granted = ["What the verdicts on the claims take for granted:", listed(limits)] if limits else []
    last = "The runs say nothing about other tasks, models and settings than those in the methods."
    if isinstance(told.compared, str):
        notes = listed(map(plain, told.gathered.notes)) if told.gathered.notes else ""
        return ["Without a comparison nothing is said about what makes the difference between runs.", notes, *granted]
    warnings = told.compared.comparison.warnings
    beware = listed(map(plain, warnings)) if warnings else "The comparison names nothing to beware of."
    return [beware, *granted, last]


def _appendix(told: StudyTold) -> list[str]:
    names = short_names(list(_by_arm(told.gathered.outcomes)))
    rows = [
        (
            code(one.run), plain(names[one.arm]), f"{one.seed}", plain(one.status), f"{one.last_step:,}",
            words.step(one.memorized.step if one.memorized else None),
            words.step(one.happened.step if one.happened else None),
            _percent(one.final_train), _percent(one.final_val), plain(one.verdict.replace("_", " ")),
        )
        for one in told.gathered.outcomes
    ]  # fmt: skip
    head = ("run", "arm", "seed", "status", "last step", "fitted", _event(told), "training", "validation", "verdict")
    set_ = flat({**(told.plan.get("settings") or {}), **({"arms": arms} if (arms := told.plan.get("arms")) else {})})
    settings = [(code(key), code(value)) for key, value in set_]
    meanings = (
        ["### What the words mean", listed(f"**{plain(a)}**: {plain(b)}" for a, b in words.meanings(told.compared))]
        if isinstance(told.compared, Compared)
        else []
    )
    return [
        f"Study {code(told.name)}, {_runs(_planned(told))}, planned {plain(minute(told.created_at))}.",
        "### Every run",
        table(tuple(map(plain, head)), rows),
        "### What was set, beside the recipe",
        table(("setting", "value"), settings) if settings else "Nothing.",
        "### On what it ran",
        listed(map(plain, told.ran_on)) if told.ran_on else "Not recorded.",
        *meanings,
    ]


def _parts(specs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The parts of the experiment, with the settings that all its runs share."""
    rows = []
    for name in (*COMPONENTS, "steps"):
        each = [dict(flat({name: spec[name]})) for spec in specs if name in spec]
        if not each:
            continue
        shared = {key: value for key, value in each[0].items() if all(one.get(key) == value for one in each)}
        varied = [key.removeprefix(f"{name}.") for key in dict.fromkeys(k for one in each for k in one) - shared.keys()]
        kind = shared.pop(f"{name}.kind", None)
        if shared.get(name) == "[]":
            shared[name] = "none"
        told = [f"{plain(key.removeprefix(f'{name}.'))} {code(value)}" for key, value in shared.items()]
        told += [f"{plain(key)} varied" for key in sorted(varied)]
        rows.append((name, code(kind) if kind else "–", ", ".join(told) or "–"))
    return [table(("part", "kind", "settings of all runs"), rows)] if rows else []


def _not_compared(why: str, arms: Mapping[str, Any]) -> list[str]:
    return ["All runs are of one arm, so nothing is compared." if len(arms) == 1 else f"Not compared: {plain(why)}"]


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


def _planned(told: StudyTold) -> int:
    return sum(map(len, told.planned.values()))


def _runs(count: int, what: str = "") -> str:
    return f"{count:,} {what}run{'s' * (count != 1)}"


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _seeds(numbers: Iterable[int]) -> str:
    known = sorted(set(numbers))
    return f"seed{'s' * (len(known) != 1)} {words.numbers(known)}"


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
