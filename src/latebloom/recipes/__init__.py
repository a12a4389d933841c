"""Recipes shipped with the package, one YAML per published setting: what it is, where it comes from, what to expect."""

from __future__ import annotations

from importlib import resources


def names() -> list[str]:
    """All of them."""
    entries = [entry.name for entry in resources.files(__name__).iterdir()]
    return sorted(name.removesuffix(".yaml") for name in entries if name.endswith(".yaml"))


def text(name: str) -> str:
    """One of them, as written."""
    return resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def about(name: str) -> dict[str, str]:
    """What one of them says about itself: title, source, expect. Read without the rest, for which torch would load."""
    import yaml

    told: dict[str, str] = yaml.safe_load(text(name))["about"]
    return told
