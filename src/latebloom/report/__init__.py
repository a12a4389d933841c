"""The only place that draws: figures, a page, the terminal. Imports nothing by itself, so that `list` stays fast."""
