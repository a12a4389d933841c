"""Why a loss jumped: where the jump is, what was read around it step by step, and which explanations survive that."""

from .explain import Explanation, explain
from .find import Jump, find_jumps
from .finding import Finding
from .fork import Fork
from .window import Groups, Replay, Window

__all__ = ["Explanation", "Finding", "Fork", "Groups", "Jump", "Replay", "Window", "explain", "find_jumps"]
