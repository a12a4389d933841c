"""Arms of an experiment side by side: which runs belong to which, and the comparison as text, tables and page."""
