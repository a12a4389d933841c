"""A diagnosis as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping

from ...analysis.diagnosis import Diagnosis
from ...base.record import Curve
from ...store.ingest import ForeignLog
from ..forecast import forecast_lines
from ..html import html
from .figure import diagnosis_picture
from .words import bests, event_text, evidence_lines, log_lines


def diagnosis_page(log: ForeignLog, curves: Mapping[str, Curve], found: Diagnosis) -> str:
    """The page; `curves` are those that were judged."""
    title = log.path.name or str(log.path)
    return html(
        "diagnosis/page.html.j2",
        title=title,
        axis=log.axis,
        found=found,
        figure=diagnosis_picture(title, log.axis, curves, found).svg,
        bests=bests(found),
        events=[event_text(event) for event in found.events],
        evidence=evidence_lines(found),
        log=log_lines(log),
        chances=forecast_lines(found.forecast, log.axis),
    )
