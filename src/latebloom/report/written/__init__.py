"""A run or a study as a written report in Markdown: six sections, filled from what is stored and from nothing else."""
