"""Recipes shipped with the package, one YAML per published setting: what it is, where it comes from, what to expect."""
