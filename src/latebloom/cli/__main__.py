"""`python -m latebloom.cli`."""

from .app import main

main()
