"""Shipped recipes: one YAML file per published or seed claim."""
