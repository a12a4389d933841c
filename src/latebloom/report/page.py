"""One run as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..analysis.story import Story
from ..base.record import Event
from ..detect import between, scored
from .charts import SCRIPT, STYLE
from .charts.data import chart_data, table
from .charts.stills import WORDS, stills
from .figures.draw import picture
from .figures.picture import Picture
from .html import html
from .summary import facts

TABLE_ROWS = 40  # readings listed in the page, log-spaced


def page(
    story: Story,
    svg: bytes | None = None,
    drawn: Mapping[str, Picture] | None = None,
    spectra: dict[str, Any] | None = None,
) -> str:
    """The report page of a run. Where its layers were read it has charts, and so a script; else it has none.

    Args:
        story: The run's story.
        svg: Its figure, if it has been drawn already.
        drawn: The figures of its layers, likewise.
        spectra: The densities of the eigenvalues it kept, see `charts.kept.densities`.
    """
    charts = chart_data(story, spectra)
    drawn = stills(story) if drawn is None else drawn
    return html(
        "page.html.j2",
        style=STYLE if charts else (),
        script=SCRIPT if charts else (),
        charts=charts,
        data=charts,
        table=charts and table(charts),
        exponents=drawn["exponents"].svg if "exponents" in drawn else None,
        stills=[(drawn[name].svg, *WORDS[name]) for name in WORDS if name in drawn],
        story=story,
        figure=svg or picture(story).svg,
        score=scored("", story.detector.val_reading).capitalize(),
        facts=facts(story),
        configuration=list(flat(story.spec)),
        environment=list(flat(story.environment)),
        # Not as ASCII: JSON writes an emoji as two surrogates, which YAML refuses. `visible` escapes what hides.
        recipe=json.dumps(story.spec, indent=2, ensure_ascii=False, default=str).split("\n"),
        events=[(event, _where(event)) for event in story.events],
        readings=readings_table(story),
    )


def flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as (dotted name, value) in their own order.

    Example:
        >>> list(flat({"task": {"modulus": 97}, "steps": 1000}))
        [('task.modulus', '97'), ('steps', '1000')]
    """
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value, default=str)


def _where(event: Event) -> str:
    previous = event.evidence.get("previous_step")
    if event.kind == "onset":
        return ""
    return between(event.step, previous if isinstance(previous, int) else None)


def readings_table(story: Story) -> dict[str, Any]:
    """Every accuracy and loss at log-spaced evaluations: the figure for those who read rather than see it.

    `names` of readings, and `rows` of a step and its values, None where one was not read.
    """
    names = sorted(name for name in story.curves if name.partition("/")[0] in ("train", "val"))
    steps = np.unique(np.concatenate([story.curves[name].steps for name in names])) if names else np.array([], int)
    if len(steps) > TABLE_ROWS:
        steps = steps[np.unique(np.geomspace(1, len(steps), TABLE_ROWS).round().astype(int) - 1)]
    values = {name: dict(zip(*(column.tolist() for column in story.curves[name]), strict=True)) for name in names}
    return {
        "names": names,
        "rows": [(step, [values[name].get(step) for name in names]) for step in steps.tolist()],
    }
