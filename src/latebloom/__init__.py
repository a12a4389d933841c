"""latebloom: a laboratory for delayed generalization (grokking)."""
