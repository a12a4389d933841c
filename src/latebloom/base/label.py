"""What a run may be called: a label for people, shown on one line, never a path. A study's name is its folder's."""

from __future__ import annotations

import re

LONGEST = 200
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def why_no_label(name: str) -> str | None:
    """Why a run cannot be called `name`, and what to do; None if it can.

    Example:
        >>> why_no_label("wd 0.3, second try") is None
        True
        >>> why_no_label("../x")
        "'../x' looks like a path. A name is a label; the folder is chosen by the store."
    """
    if not name.strip():
        return "the name is empty. Give it a few words, or leave it out."
    if len(name) > LONGEST:
        return f"the name has {len(name):,} characters; at most {LONGEST} fit a table."
    if found := _UNPRINTABLE.search(name):
        return f"{name!r} contains {found[0]!r}, which cannot be shown on one line. Remove it."
    if "/" in name or "\\" in name:
        return f"{name!r} looks like a path. A name is a label; the folder is chosen by the store."
    if name == "latest":
        return "'latest' already means the newest run. Choose another word."
    return None


def why_no_folder(name: str) -> str | None:
    """Why a study cannot be called `name`, and what to do; None if it can.

    Example:
        >>> why_no_folder("a b")
        "a study cannot be called 'a b'; use up to 100 letters, digits, '.', '_' and '-', a letter or digit first"
    """
    if _FOLDER.fullmatch(name):
        return None
    return (
        f"a study cannot be called {name!r}; use up to 100 letters, digits, '.', '_' and '-', a letter or digit first"
    )
