"""Passes that take work on weights out of the run."""
