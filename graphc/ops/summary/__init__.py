"""Summaries: a Summary message, serialised, of what a tensor holds."""
