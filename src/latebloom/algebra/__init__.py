"""Exact mathematics without torch: what the tasks are about and what the tests check against."""
