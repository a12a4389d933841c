"""Counter-based randomness: every draw is a function of (run seed, purpose, counter).

There is no generator whose position could be lost: step 70,000 of a resumed run asks for the same
numbers as step 70,000 of a run never stopped. Source of the generator: Salmon et al. (2011), Philox.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, purpose: str, counter: int = 0) -> np.random.Generator:
    """A fresh number stream for one purpose at one point in time.

    Args:
        seed: The run's seed, any integer.
        purpose: What the numbers are for, e.g. `split`, `init/blocks.0.up`, `batches/divide`. Different
            purposes are independent, so that a new consumer never shifts the numbers of an old one.
        counter: A step or epoch, >= 0.

    Example:
        >>> a, b = stream(1, "batches", 7), stream(1, "batches", 7)
        >>> bool((a.permutation(5) == b.permutation(5)).all())
        True
    """
    return np.random.Generator(np.random.Philox(key=_key(seed, purpose), counter=[0, 0, 0, counter]))


def integer(seed: int, purpose: str, counter: int = 0) -> int:
    """One 63-bit integer, for libraries that only take a seed (torch's dropout)."""
    return int(stream(seed, purpose, counter).integers(2**63))


def _key(seed: int, purpose: str) -> int:
    digest = hashlib.sha256(f"{seed}\0{purpose}".encode()).digest()
    return int.from_bytes(digest[:16], "little")
