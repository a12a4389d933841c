"""A recipe: settings as YAML, what they claim, and the line on which each of them stands.

What is read is data and nothing else: no tags, no interpolations, no more than a person would write.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..base.component import did_you_mean
from ..base.errors import SpecError
from ..recipes import names as recipe_names
from ..recipes import text as recipe_text
from .merge import merged

ABOUT = "about"  # what a recipe says about itself; no part of the spec
CLAIMS = "claims"  # what others say about it, see `analysis.claims`; no part of it either
MAX_CHARACTERS = 1_000_000
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_OCTAL = re.compile(r"[-+]?0[0-7_]*[1-7][0-7_]*")
MAX_DEPTH = 32


@dataclass(frozen=True)
class Recipe:
    """A recipe as read, with what it extends merged in."""

    settings: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)  # title, source, expect
    lines: dict[str, str] = field(default_factory=dict)  # dotted key -> where it was written, e.g. `my.yaml:12`
    claims: Any = None  # as written: a list of tables, or the name of the study that has them


def read_recipe(name_or_path: str, extended_by: Sequence[str] = ()) -> Recipe:
    """A shipped recipe, or a file.

    Args:
        name_or_path: A shipped recipe's name, or a path that ends in .yaml or .yml.
        extended_by: The recipes that led here, each by what it `extends`.

    Raises:
        SpecError: No such recipe; not YAML; a key twice; an interpolation.
    """
    chain = [*extended_by, name_or_path]
    if name_or_path in extended_by:
        raise SpecError(f"recipe {name_or_path!r} extends itself: {' -> '.join(chain)}")
    if name_or_path.endswith((".yaml", ".yml")):
        try:
            with Path(name_or_path).open(encoding="utf-8") as file:
                text = file.read(MAX_CHARACTERS + 1)
        except UnicodeDecodeError:
            raise SpecError(f"recipe {name_or_path!r} is not text in UTF-8") from None
        except (OSError, ValueError) as error:
            raise SpecError(f"recipe {name_or_path!r} cannot be read: {getattr(error, 'strerror', error)}") from None
    else:
        known = recipe_names()
        if name_or_path not in known:
            hint = did_you_mean(name_or_path, known)
            raise SpecError(f"recipe {name_or_path!r} is unknown.{hint} A file's name ends in .yaml.")
        text = recipe_text(name_or_path)
    return parse_recipe(text, name_or_path, extended_by)


def parse_recipe(text: str, where: str, extended_by: Sequence[str] = ()) -> Recipe:
    """The text of a recipe, named `where` in errors; a relative path that it extends starts from there."""
    settings, lines = read_yaml(text, where)
    if not isinstance(settings, dict) or (
        settings and set(lines) == {""}
    ):  # a lone word, which OmegaConf takes for a key
        raise SpecError(f"{where}: a recipe is a table of settings, e.g. `task: {{kind: modular, operation: divide}}`")
    about = settings.pop(ABOUT, None) or {}
    if not isinstance(about, dict):
        raise SpecError(f"about = {about!r}; expected a table with title, source, expect ({lines[ABOUT]})")
    claims = settings.pop(CLAIMS, None)
    if (parent := settings.pop("extends", None)) is None:
        return Recipe(settings, about, lines, claims)
    if not isinstance(parent, str):
        raise SpecError(f"extends = {parent!r}; expected a recipe's name or path ({lines['extends']})")
    if parent.endswith((".yaml", ".yml")):
        parent = str(Path(where).parent / parent)
    below = read_recipe(parent, [*extended_by, where])
    # What is said about the parent is not said about its child, neither `about` nor `claims`.
    below_lines = {key: line for key, line in below.lines.items() if not key.startswith(f"{CLAIMS}.")}
    return Recipe(merged(below.settings, settings), about, below_lines | lines, claims)


def read_yaml(text: str, where: str) -> tuple[Any, dict[str, str]]:
    """Plain data, and the line of every key in it.

    Raises:
        SpecError: Not YAML, or more than plain data.
    """
    lines = _survey(text, where)
    try:
        return _with_text_keys(OmegaConf.to_container(OmegaConf.load(io.StringIO(text)))), lines
    except (yaml.YAMLError, OmegaConfBaseException, OSError) as error:
        raise SpecError(_told(error, where)) from None


def read_value(text: str) -> Any:
    """What a YAML value says, e.g. the right side of `key=value`; 1e-4 is a number.

    Raises:
        SpecError: Not YAML, or more than plain data.
    """
    _survey(text, "")
    if text.split()[:1] == ["---"]:  # YAML would take it for the beginning of a document, and the rest for its value
        raise SpecError("'---' is no value; quotes make it text")
    try:
        read: Any = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))
        return _with_text_keys(read["value"])
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise SpecError(_told(error, "")) from None
    except ValueError:  # what YAML takes for a number and Python does not: 0x_, or 5,000 digits
        raise SpecError("it looks like a number and is none; quotes make it text") from None


def _survey(text: str, where: str) -> dict[str, str]:
    """The line of every key, found without recursion; refuses what has no place in a recipe.

    Raises:
        SpecError: Too long, too deep, a tag, an interpolation, a key twice, or not YAML.
    """
    if len(text) > MAX_CHARACTERS:
        raise SpecError(f"{where} has more than {MAX_CHARACTERS:,} characters; that is no recipe")
    if "${" in text:
        line = text[: text.index("${")].count("\n") + 1
        raise SpecError(f"{_at(where, line)}interpolations such as ${{...}} are not supported; write the value itself")
    seen: dict[str, int] = {}
    open_tables: list[_Open] = []
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1  # type: ignore[union-attr]  # parsed events have one
            if isinstance(event, yaml.CollectionEndEvent):
                open_tables.pop()
            if not isinstance(event, yaml.NodeEvent):
                continue
            if (number := _surprising(event)) is not None:
                raise SpecError(f"{_at(where, line)}{number}; write it out, or make it text with quotes")
            if (tag := getattr(event, "tag", None)) is not None:
                raise SpecError(f"{_at(where, line)}tags such as {tag} are not supported; write plain values")
            key, is_key = open_tables[-1].next(event) if open_tables else ("", False)
            if is_key and key in seen:
                raise SpecError(f"{_at(where, line)}{key} is given twice, first in line {seen[key]}")
            seen.setdefault(key, line)
            if isinstance(event, yaml.CollectionStartEvent):
                open_tables.append(_Open(key, isinstance(event, yaml.MappingStartEvent)))
                if len(open_tables) > MAX_DEPTH:
                    raise SpecError(f"{_at(where, line)}tables are nested deeper than {MAX_DEPTH}; that is no recipe")
    except yaml.YAMLError as error:
        raise SpecError(_told(error, where)) from None
    return {key: f"{where}:{line}" for key, line in seen.items()}


def _surprising(event: yaml.NodeEvent) -> str | None:
    """What YAML 1.1 makes of 9:2 and of 010, where nobody means that; None for everything else."""
    if not isinstance(event, yaml.ScalarEvent) or event.style is not None:
        return None
    if _BASE_60.fullmatch(event.value):
        return f"{event.value} would be read in base 60"
    return f"{event.value} would be read as octal" if _OCTAL.fullmatch(event.value) else None


class _Open:
    """A table or list whose end has not been read yet."""

    def __init__(self, path: str, is_table: bool) -> None:
        self.path, self.is_table = path, is_table
        self.count, self.key = 0, ""

    def next(self, event: yaml.NodeEvent) -> tuple[str, bool]:
        """The dotted key that the next node stands for, and whether the node is the key itself."""
        is_key = self.is_table and self.count % 2 == 0
        if is_key:
            self.key = str(getattr(event, "value", "?"))
        last = self.key if self.is_table else str(self.count)
        self.count += 1
        return f"{self.path}.{last}".lstrip("."), is_key


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _with_text_keys(inner) for key, inner in value.items()}
    return [_with_text_keys(inner) for inner in value] if isinstance(value, list) else value


def _told(error: Exception, where: str) -> str:
    """What a YAML reader complains of, on one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem, at = error.problem or "", _at(where, error.problem_mark.line + 1)
    else:
        problem, at = str(error).splitlines()[0], _at(where, None)
    hint = "; YAML indents with spaces" if "'\\t'" in problem else ""
    return f"{at}{problem.split('. ')[0].rstrip('.')}{hint}"


def _at(where: str, line: int | None) -> str:
    return "" if not where else f"{where}: " if line is None else f"{where}:{line}: "
