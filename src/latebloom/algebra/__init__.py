"""Exact mathematics, numpy only: what the tasks are about and what the tests check against."""
