"""The command line: one file per verb, loaded when called."""

from .app import main

__all__ = ["main"]
