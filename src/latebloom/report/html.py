"""Pages that load nothing: one HTML file, no script, and a policy that lets none in.

Every text passes `visible` (nothing hides or acts) and jinja's autoescape (nothing is markup).
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from .text import visible


def html(template: str, **values: Any) -> str:
    """A page from a template of this package.

    Args:
        template: Its path from here. It is given `style` and `style_hash` and has the filter `number`.
        values: What else it is given; `bytes` become base64, for a `data:` address.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters["number"] = number
    assert environment.loader is not None
    style = environment.loader.get_source(environment, "page.css")[0]
    return environment.get_template(template).render(
        style=Markup(style),
        style_hash=Markup(_base64(hashlib.sha256(style.encode()).digest())),
        **{name: Markup(_base64(value)) if isinstance(value, bytes) else value for name, value in values.items()},
    )


def number(value: float | None, digits: int = 4) -> str:
    """A number as a reader wants it: thousands apart, `digits` significant digits, a dash for none.

    Example:
        >>> number(12000), number(0.123456), number(None)
        ('12,000', '0.1235', '–')
    """
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
