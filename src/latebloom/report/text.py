"""Text from a run is somebody else's: made visible before it reaches a terminal, a figure or a page."""

from __future__ import annotations

import unicodedata

# Control, format (zero-width, direction overrides), surrogate, private, unassigned, line and paragraph separator.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: object, longest: int | None = None) -> str:
    """The text with every character that acts or hides instead of showing written as an escape; one line.

    Example:
        >>> visible("a\\x1b[31mb\\n")
        'a\\\\x1b[31mb\\\\n'
    """
    text = str(text)
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            letter.encode("unicode_escape").decode() if unicodedata.category(letter) in _UNSEEN else letter
            for letter in text
        )
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"
