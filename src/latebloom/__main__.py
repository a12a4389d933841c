"""`python -m latebloom`."""

from .cli import main

main()
