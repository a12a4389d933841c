"""Figures: numbers first, in a value a test can check; drawing second."""
