"""Chances of generalizing, calibrated on stored runs, and what they are worth on others."""
