"""One run as a written report. Every number is from its records, its events or its settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...analysis.story import Story
from ...base.record import Curve
from ...detect import percent, scored
from ..charts.stills import WORDS
from ..figures.curves import blind_losses
from ..html import number
from ..page import flat, readings_table
from ..summary import facts
from .markdown import code, document, figure, listed, minute, plain, table
from .measured import COMPONENTS, in_words, measured, not_measured


def written_run(story: Story, figures: Sequence[str]) -> str:
    """The report.

    Args:
        story: The run's story.
        figures: Names of the PNG files that lie beside it: `curves`, and those of its layers.
    """
    sections = {
        "Abstract": _abstract(story),
        "Introduction": _introduction(story),
        "Methods": _methods(story),
        "Results": _results(story, figures),
        "Discussion": _discussion(story),
        "Appendix": _appendix(story),
    }
    return document(story.name or story.id, sections)


def _abstract(story: Story) -> list[str]:
    what = ", ".join(f"{name} {code(kind)}" for name in COMPONENTS[:4] if (kind := _kind(story.spec.get(name))))
    begun = f"One run{f' ({what})' if what else ''}, seed {story.seed}, {plain(story.status)} at step {story.step:,}."
    return [f"{begun} {plain(story.verdict.headline)} One run is one seed: how often this happens is not measured."]


def _introduction(story: Story) -> list[str]:
    judge = story.detector
    train, val = scored("training", judge.train_reading), scored("validation", judge.val_reading)
    asked = (
        f"Is what the network learns of its training examples followed by the others, and how much later? Grokking is "
        f"meant where {val} reaches {percent(judge.generalized_at)} long after {train} reached "
        f"{percent(judge.memorized_at)}."
    )
    task = story.spec.get("task") or {}
    told = ", ".join(f"{plain(name)} {code(value)}" for name, value in flat(task))
    origin = (
        "" if story.parent is None else f"The run branched from run {code(story.parent.get('run'))} at step "
        f"{plain(story.parent.get('step'))}; what came before is in that run's report."
    )  # fmt: skip
    return [asked, f"The task: {told}." if told else "The task was not recorded.", origin]


def _methods(story: Story) -> list[str]:
    rows = [
        (name, code(kind) if (kind := _kind(story.spec[name])) else "–", _settings(story.spec[name]))
        for name in COMPONENTS
        if name in story.spec
    ]
    judge, evaluations = story.detector, len(_watched(story))
    criterion = (
        f"A threshold counts as crossed at the first of {judge.window_evaluations} evaluations of which "
        f"{percent(judge.share)} lie at or above it. There were {evaluations:,} evaluations of "
        f"{code(judge.val_reading)}; a crossing is known to lie between two of them."
    )
    found = measured(story.curves)
    return [
        table(("part", "kind", "settings"), rows) if rows else "Settings were not recorded.",
        f"Planned were {number(story.spec.get('steps'))} steps; seed {story.seed}. All settings are in the appendix.",
        criterion,
        f"Besides scores and losses there was read: {in_words(found)}.",
        f"Not measured: {in_words(not_measured(story.curves))}.",
    ]


def _results(story: Story, figures: Sequence[str]) -> list[str]:
    blocks = [
        plain(story.verdict.headline),
        table(("what", "value", "how sure"), [(plain(a), plain(b), plain(c) or "–") for a, b, c in facts(story)]),
    ]
    if "curves" in figures:
        blocks.append(figure("curves.png", "Score and loss on the training and validation sets over optimizer steps"))
    ends = [
        (code(name), f"{curve.steps[-1]:,}", number(float(curve.values[-1])), *_extremes(curve))
        for name, curve in _main(story)
    ]
    head = ("reading", "last step", "last", "lowest", "at step", "highest", "at step")
    blocks.append(table(head, ends) if ends else "No score and no loss was measured.")
    blocks += _against_blind(story)
    spans = [(plain(span.phase), f"{span.from_step:,}", f"{span.to_step:,}") for span in story.phases]
    blocks.append(table(("phase", "from step", "to step"), spans) if spans else "No phase could be told.")
    events = [(plain(event.kind), f"{event.step:,}", f"{event.known_at:,}") for event in story.events]
    blocks.append(table(("event", "step", "known at step"), events) if events else "No event was detected.")
    blocks += [figure(f"{name}.png", WORDS[name][1]) for name in figures if name in WORDS]
    return blocks


def _against_blind(story: Story) -> list[str]:
    """The last validation loss beside the losses of those who know nothing of an example."""
    blind, loss = blind_losses(story.curves), story.curves.get("val/loss")
    if not blind or loss is None or not len(loss.values):
        return []
    last = float(loss.values[-1])
    told = [f"{name.removeprefix('blind: ')} {value:.4g}" for name, value in blind.items()]
    best = min(blind.values())
    how = "below" if last < best else "not below"
    return [
        f"Who knows nothing of an example but its group loses, by the training labels: {'; '.join(told)}. The last "
        f"validation loss, {last:.4g}, is {how} the least of these."
    ]


def _discussion(story: Story) -> list[str]:
    blocks = [plain(story.verdict.refuted_by)]
    if story.verdict.censored_at_step is not None:
        last = f"{story.verdict.censored_at_step:,}"
        blocks.append(f"The observation ends at step {last}; what a longer run would show is not known.")
    blocks.append("One run says nothing about other seeds, other settings or the cause of what it shows.")
    doubts = [*(f"Damaged: {one}" for one in story.damage), *story.event_differences, *story.notices]
    return [*blocks, listed(map(plain, doubts)) if doubts else "The run's notices name nothing to beware of."]


def _appendix(story: Story) -> list[str]:
    evidence = [(plain(name.replace("_", " ")), _cell(value)) for name, value in story.verdict.evidence.items()]
    read = readings_table(story)
    rows = [(f"{step:,}", *(number(value) for value in values)) for step, values in read["rows"]]
    saved = [(f"{one.step:,}", f"{one.size_bytes:,}", plain(", ".join(one.labels))) for one in story.checkpoints]
    ran = [
        (plain(one.began), plain(minute(one.at)), f"{one.from_step:,}", f"{one.to_step:,}", f"{one.seconds:.1f}")
        for one in story.segments
    ]
    recipe = json.dumps(story.spec, indent=2, ensure_ascii=True, default=str)
    return [
        f"Run {code(story.id)}, made {plain(minute(story.created_at))}; the settings without the name have the hash "
        f"{code(story.spec_hash)}.",
        "### The numbers that decided",
        table(("number", "value"), evidence) if evidence else "None.",
        "### Readings",
        table(("step", *map(code, read["names"])), rows) if rows else "None.",
        "### Checkpoints",
        table(("step", "bytes", "kept as"), saved) if saved else "None.",
        "### How it ran",
        table(("began", "at", "from step", "to step", "seconds"), ran) if ran else "Its journal names no start.",
        "### Environment",
        _pairs(story.environment),
        "### Settings",
        "Saved as `recipe.yaml` (JSON is YAML), this is run again by `latebloom run recipe.yaml`.",
        "\n".join(f"    {line}" for line in recipe.split("\n")),
    ]


def _main(story: Story) -> Iterator[tuple[str, Curve]]:
    """Scores and losses of all examples of a side."""
    names = (story.detector.train_reading, story.detector.val_reading, "train/loss", "val/loss")
    for name in dict.fromkeys(names):
        if name in story.curves and len(story.curves[name].steps):
            yield name, story.curves[name]


def _watched(story: Story) -> list[int]:
    curve = story.curves.get(story.detector.val_reading)
    return [] if curve is None else curve.steps.tolist()


def _extremes(curve: Curve) -> tuple[str, str, str, str]:
    if not np.isfinite(curve.values).any():
        return ("–", "–", "–", "–")
    low, high = int(np.nanargmin(curve.values)), int(np.nanargmax(curve.values))
    return (
        number(float(curve.values[low])), f"{curve.steps[low]:,}",
        number(float(curve.values[high])), f"{curve.steps[high]:,}",
    )  # fmt: skip


def _kind(component: Any) -> str:
    if isinstance(component, list):
        return ", ".join(filter(None, map(_kind, component)))
    return str(component.get("kind", "")) if isinstance(component, dict) else ""


def _settings(component: Any) -> str:
    if isinstance(component, list):
        return "; ".join(map(_settings, component)) or "–"
    if not isinstance(component, dict):
        return code(component)
    return ", ".join(f"{plain(name)} {code(value)}" for name, value in flat(component) if name != "kind") or "–"


def _pairs(settings: dict[str, Any]) -> str:
    rows = [(code(name), code(value)) for name, value in flat(settings)]
    return table(("what", "value"), rows) if rows else "Not recorded."


def _cell(value: float | str | None) -> str:
    return plain(value) if isinstance(value, str) else number(value)
