"""Exact m-heights of real linear codes, the analog error-correcting codes: all m at once, without a linear program."""

from .bounds import Bounds, bounds
from .heights import heights, heights_of_generator
from .plan import operations

__all__ = ["Bounds", "bounds", "heights", "heights_of_generator", "operations"]
