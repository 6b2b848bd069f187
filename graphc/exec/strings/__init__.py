"""Strings while a plan runs: their table, what a run holds of it, and ops on them that kernels compute."""
