"""The shared nouns: component, record, cadence, seeds, errors. Imports nothing of ours, and no torch."""
